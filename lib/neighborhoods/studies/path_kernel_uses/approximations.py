"""Cheaper approximations of the path kernel: their error against their arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from neighborhoods.kernels.path_kernel import Attribution, attribution
from neighborhoods.kernels.trajectories import Trajectory, coarsen
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.recorded import RecordedSpec

STRIDES = (2, 3, 5, 10, 15, 30)
DIMENSIONS = (16, 32, 64, 128)
PROJECTIONS = 3


@dataclass(frozen=True)
class ApproximationsSpec:
    """Numbers of the comparison.

    Attributes:
        run: the run whose kernel is approximated.
        points: test images whose outputs are attributed.
        seed: of the projections.
    """

    run: RecordedSpec
    points: int
    seed: int


class _Attempt(NamedTuple):
    """An approximation: its name, how strong it is, which random draw, and what it is made with."""

    method: str
    setting: int
    draw: int
    trajectory: Trajectory
    options: dict[str, Any]


def compared(spec: ApproximationsSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row an approximation: ``method``, ``setting``, ``draw``, ``operations`` of its matrix
    products over those of the exact kernel, ``error`` of the contributions and ``prediction`` error of the
    change of outputs, both relative in the Frobenius norm, and ``order``, the mean rank correlation of the
    contributions to an output with the exact ones. The first row is the exact kernel.
    """
    found = machine(spec.run, values)
    points = recorded.held_out(spec.run, spec.points).points
    rows, exact, cost = [], None, 1
    for method, setting, draw, trajectory, options in _attempts(spec, found.trajectory):
        # In-place products are missing from the counter's own list.
        with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: _operations}) as counter:
            result = attribution(found.network, trajectory, points, found.points, found.labels, **options)
        if exact is None:
            exact, cost = result, counter.get_total_flops()
        row = {"method": method, "setting": setting, "draw": draw}
        rows.append({**row, "operations": counter.get_total_flops() / cost, **_errors(result, exact)})
    return pd.DataFrame(rows)


def _attempts(spec: ApproximationsSpec, trajectory: Trajectory) -> Iterator[_Attempt]:
    yield _Attempt("exact", 1, 0, trajectory, {})
    for stride in STRIDES:
        if stride <= spec.run.steps:
            yield _Attempt("fewer steps", stride, 0, coarsen(trajectory, stride), {})
    yield _Attempt("last layer", 1, 0, trajectory, {"last_layer": True})
    yield _Attempt("dense, exact", 1, 0, trajectory, {"route": "dense"})
    generator = torch.Generator().manual_seed(spec.seed)
    for dimension in DIMENSIONS:
        for draw in range(PROJECTIONS):
            options = {"route": "dense", "projection": dimension, "generator": generator}
            yield _Attempt("random projection", dimension, draw, trajectory, options)


def _operations(_: torch.Size, left: torch.Size, right: torch.Size, **others: object) -> int:
    """Return the multiplications and additions of a product of two matrices."""
    return 2 * left[0] * left[1] * right[1]


def _errors(found: Attribution, exact: Attribution) -> dict[str, float]:
    one, other = found.contributions, exact.contributions
    change = exact.prediction - exact.start
    pairs = zip(one.flatten(0, 1).numpy(), other.flatten(0, 1).numpy(), strict=True)
    return {
        "error": float((one - other).norm() / other.norm()),
        "prediction": float((found.prediction - exact.prediction).norm() / change.norm()),
        "order": float(np.mean([stats.spearmanr(left, right).statistic for left, right in pairs])),
    }
