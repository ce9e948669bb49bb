"""What happens as the step size is halved at a fixed time of training: the orders of Remarks 2 and 3."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64
from scipy import stats
from torch import Tensor

from neighborhoods.kernels.chains import affine, chain_of, unpack
from neighborhoods.kernels.chord_rules import telescoped_by_rule
from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.tangent_kernels import path_form
from neighborhoods.models.perceptrons import Activation
from neighborhoods.progress import bar
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import Run, gap, opened
from neighborhoods.studies.recorded import RecordedSpec

QUANTITIES = ("symmetric", "flow", "forms", "asymmetry")
COARSEST, TIME = 0.2, 4.0
GRAM = 12


@dataclass(frozen=True)
class OrderSpec:
    """Numbers of the study.

    Attributes:
        activation: of the network 784-32-10.
        examples: training images.
        queries: half of them test images, half training images.
        halvings: how many step sizes.
        seed: of the initial parameters.
    """

    activation: Activation
    examples: int
    queries: int
    halvings: int
    seed: int


def halve(spec: OrderSpec) -> pd.DataFrame:
    """Return one row a step size ε, all trained for the same time Nε.

    ``symmetric`` is the gap of the symmetric kernel at training images; ``flow`` that between the network and
    one trained with half the step size; ``forms`` the relative difference between the
    asymmetric and the continuous form of the kernel; ``asymmetry`` that of the first on training images;
    ``constant`` the gap left by the best constant in place of the initial output; ``change`` what training
    changes at most; ``sticking`` how many pairs of a hidden unit and a training image have a pre-activation
    whose sign changes at more than a third of all steps.
    """
    rates = [COARSEST / 2**power for power in range(spec.halvings)]
    runs = [_trained(spec, rate) for rate in bar([*rates, rates[-1] / 2], description="halve")]
    rows = [_row(run, half) for run, half in pairwise(runs)]
    return pd.DataFrame(rows).assign(activation=spec.activation)


def slopes(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return the order of each quantity in ε with its interval: least squares on logarithms, Student's t.

    Raises:
        ValueError: fewer than three step sizes.
    """
    if len(table) < 3:
        raise ValueError(f"table: got {len(table)} step sizes; required at least 3")
    rows = []
    for name in QUANTITIES:
        fit = stats.linregress(np.log(table["rate"]), np.log(table[name]))
        half = stats.t.ppf((1 + confidence) / 2, len(table) - 2) * fit.stderr
        rows.append({"quantity": name, "order": fit.slope, "low": fit.slope - half, "high": fit.slope + half})
    return pd.DataFrame(rows)


def _trained(spec: OrderSpec, rate: float) -> Run:
    steps = round(TIME / rate)
    base = RecordedSpec(
        "784-32-10", "mnist", spec.examples, steps, rate, activation=spec.activation, seed=spec.seed
    )
    return opened(base, recorded.run(base), spec.queries)


def _row(run: Run, half: Run) -> dict[str, float]:
    known = slice(run.new, None)
    one = telescoped_by_rule(run.network, run.trajectory, run.queries[known], rule="left", nodes=1)
    some = run.points[:GRAM]
    mixed = path_form(run.network, run.trajectory, some, some, form="asymmetric")
    both = path_form(run.network, run.trajectory, some, some, form="continuous")
    # Half the range of the initial outputs is what the best constant for each output leaves.
    spread = (run.start.amax(0) - run.start.amin(0)).max() / 2
    change = float((run.outputs - run.start).abs().max())
    return {
        "rate": float(run.trajectory.rates[0]),
        "steps": float(len(run.trajectory.rates)),
        "symmetric": gap(one, run.outputs[known], run.start[known]),
        "flow": float((run.outputs - half.outputs).abs().max()) / change,
        "forms": float((mixed - both).norm() / both.norm()),
        "asymmetry": definiteness(as_matrix(mixed)).asymmetry,
        "constant": float(spread) / change,
        "change": change,
        "sticking": float((_crossings(run) > len(run.trajectory.rates) / 3).sum()),
    }


def _crossings(run: Run) -> Int64[Tensor, "M h"]:
    """Return at how many steps the pre-activation of each first-layer unit changes its sign."""
    chain = chain_of(run.network)
    if chain is None:
        raise ValueError(f"network: got {type(run.network).__name__}; required a chain")
    states = run.trajectory.states
    signs = [affine(unpack(chain, states[s])[0], run.points) > 0 for s in range(len(states))]
    return torch.stack([one != two for one, two in pairwise(signs)]).sum(0)
