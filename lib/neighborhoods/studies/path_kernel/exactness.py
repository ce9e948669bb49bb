"""Network and kernel machine compared: activations, depths, precisions and rules of training, on MNIST."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.chord_rules import telescoped_by_rule
from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.models.perceptrons import Activation
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import gap, opened
from neighborhoods.studies.recorded import Optimiser, RecordedSpec

DTYPES = (torch.float64, torch.float32)
ACTIVATIONS: tuple[Activation, ...] = ("relu", "tanh")
ONE, TWO, THREE = "784-128-10", "784-64-32-10", "784-64-32-16-10"


@dataclass(frozen=True)
class GapSpec:
    """A run and how many queries it is asked.

    Attributes:
        run: what was recorded.
        queries: half of them test images, half training images.
    """

    run: RecordedSpec
    queries: int


def descents(examples: int, steps: int, seed: int) -> list[RecordedSpec]:
    """Return gradient descent for ReLU with one to three hidden layers, tanh and GELU, in both precisions."""
    chains: list[tuple[str, Activation, float]] = [
        (ONE, "relu", 0.2),
        (TWO, "relu", 0.2),
        (THREE, "relu", 0.3),
    ]
    chains += [(ONE, "tanh", 0.2), (TWO, "tanh", 0.2), (TWO, "gelu", 0.2)]
    return [
        RecordedSpec(name, "mnist", examples, steps, rate, activation=activation, dtype=dtype, seed=seed)
        for name, activation, rate in chains
        for dtype in DTYPES
    ]


def rules(examples: int, steps: int, seed: int) -> list[RecordedSpec]:
    """Return every rule of training, for ReLU and tanh, full batches and small ones."""
    kinds: list[tuple[Optimiser, float, int | None]]
    kinds = [("gradient descent", 0.2, 25), ("weight decay", 0.2, None), ("heavy ball", 0.05, None)]
    kinds += [("heavy ball", 0.05, 25), ("Adam", 0.003, 25), ("AdamW", 0.003, None)]
    return [
        RecordedSpec(
            "784-32-10",
            "mnist",
            examples,
            steps,
            rate,
            optimiser=rule,
            batch=None if batch is None else min(batch, examples),
            activation=activation,
            seed=seed,
        )
        for rule, rate, batch in kinds
        for activation in ACTIVATIONS
    ]


def measure(spec: GapSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row: the gap at new queries and at training images, and what describes the run.

    ``symmetric`` is the gap at training images of the symmetric discrete path kernel, NaN for other rules
    than gradient descent, for which the draft does not define it; ``accuracy`` that on the training set.
    """
    run, chain = opened(spec.run, values, spec.queries), spec.run
    found = attribution(
        run.network, run.trajectory, run.queries, run.points, run.targets, loss=recorded.loss(chain)
    )
    parts = (slice(None, run.new), slice(run.new, None))
    new, known = (gap(found.prediction[p], run.outputs[p], run.start[p]) for p in parts)
    symmetric = float("nan")
    if run.trajectory.rule.plain:
        one = telescoped_by_rule(run.network, run.trajectory, run.queries[run.new :], rule="left", nodes=1)
        symmetric = gap(one, run.outputs[run.new :], run.start[run.new :])
    row = {
        "network": chain.network,
        "activation": chain.activation,
        "rule": chain.optimiser,
        "batch": chain.batch or 0,
        "dtype": str(chain.dtype).removeprefix("torch."),
        "accuracy": float((run.network(run.points).argmax(1) == run.targets).double().mean()),
        "change": float((run.outputs - run.start).abs().max()),
        "new": new,
        "known": known,
        "symmetric": symmetric,
        "nodes": int(found.report.nodes.max()),
        "status": found.report.status.name.lower(),
    }
    return pd.DataFrame([row])
