"""The network against its frozen tangent kernel, as it grows wider."""

from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Tensor
from torch.nn.utils import vector_to_parameters

from neighborhoods.kernels.definiteness import definiteness, mean_over_outputs
from neighborhoods.kernels.path_run import cotangents
from neighborhoods.kernels.path_structured import Cotangents
from neighborhoods.kernels.tangent_kernels import tangent_kernel
from neighborhoods.progress import bar
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import Run, opened
from neighborhoods.studies.recorded import Data, RecordedSpec

NARROWEST = 16
SPEED = 1.0  # step size times the greatest eigenvalue of the tangent kernel over the number of examples


@dataclass(frozen=True)
class WidthsSpec:
    """Numbers of the study.

    Attributes:
        data: MNIST with ten logits, or the two Gaussians with one.
        examples, steps, queries: of each run; half of the queries are test images.
        widest: most hidden units, doubled from 16.
        seeds: initial parameters at each width.
        seed: the first of them.
    """

    data: Data
    examples: int
    steps: int
    queries: int
    widest: int
    seeds: int
    seed: int


def widen(spec: WidthsSpec) -> pd.DataFrame:
    """Return one row a width and seed: distances from the trained network, relative to what training changed.

    ``frozen`` keeps the network's own coefficients and puts the tangent kernel of the start in place of the
    path kernel; ``linearised`` trains the linear model of that kernel; ``moved`` is the relative change of
    the tangent kernel by training. Distances are root mean squares over outputs and test images.
    """
    widths = [NARROWEST * 2**power for power in range(20) if NARROWEST * 2**power <= spec.widest]
    jobs = [(width, seed) for width in widths for seed in range(spec.seed, spec.seed + spec.seeds)]
    return pd.DataFrame([_row(spec, width, seed) for width, seed in bar(jobs, description="widen")])


def _row(spec: WidthsSpec, width: int, seed: int) -> dict[str, float | str]:
    name = f"784-{width}-10" if spec.data == "mnist" else f"2-{width}-1"
    base = RecordedSpec(name, spec.data, spec.examples, 1, dtype=torch.float32, seed=seed)
    first = opened(base, recorded.run(base), spec.queries)
    sets = torch.cat([first.queries[: first.new], first.points])
    kernel = tangent_kernel(first.network, first.trajectory, sets, first.points)
    rate = SPEED * spec.examples / definiteness(mean_over_outputs(kernel[first.new :])).largest
    whole = replace(base, steps=spec.steps, rate=rate)
    run, new = opened(whole, recorded.run(whole), spec.queries), slice(None, first.new)
    pull = cotangents(recorded.loss(base), run.targets)
    size, change = -rate / spec.examples, _rms(run.outputs[new] - run.start[new])
    frozen = run.start[new] + size * _applied(kernel[new], _slopes_along(run, pull))
    after = tangent_kernel(run.network, run.trajectory, run.points, run.points, step=-1)
    before = kernel[run.new :]
    return {
        "data": spec.data,
        "width": float(width),
        "seed": float(seed),
        "frozen": _rms(frozen - run.outputs[new]) / change,
        "linearised": _rms(_linearised(run, kernel, size, pull)[new] - run.outputs[new]) / change,
        "moved": float((after - before).norm() / before.norm()),
        "change": change,
        "rate": rate,
    }


def _slopes_along(run: Run, pull: Cotangents) -> Tensor:
    r"""Return $\sum_s\partial L_i/\partial\hat y$ at the states of the run."""
    total = torch.zeros((len(run.points), run.start.shape[1]))
    for step in range(len(run.trajectory.rates)):
        vector_to_parameters(run.trajectory.states[step], run.network.parameters())
        total += pull(run.network(run.points), slice(None))
    return total


def _linearised(run: Run, kernel: Tensor, size: float, pull: Cotangents) -> Tensor:
    """Train the linear model: outputs at the new queries, then at the training examples."""
    vector_to_parameters(run.trajectory.states[0], run.network.parameters())
    values = torch.cat([run.start[: run.new], run.network(run.points)])
    for _ in range(len(run.trajectory.rates)):
        values = values + size * _applied(kernel, pull(values[run.new :], slice(None)))
    return values


def _applied(kernel: Tensor, coefficients: Tensor) -> Tensor:
    return torch.einsum("mikl,il->mk", kernel, coefficients)


def _rms(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())
