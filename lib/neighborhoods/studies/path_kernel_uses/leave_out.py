"""Leaving training examples out and training again: the check of what attribution says they did."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import stats
from torch import Tensor

from neighborhoods.models.networks import CLASSES
from neighborhoods.models.trajectory import record
from neighborhoods.studies import intervals, recorded
from neighborhoods.studies.path_kernel_uses.carriers import GROUPS
from neighborhoods.studies.path_kernel_uses.machine import Machine, machine
from neighborhoods.studies.recorded import RecordedSpec

PREDICTORS = ("attributed", "pixel")


@dataclass(frozen=True)
class LeaveOutSpec:
    """What is left out.

    Attributes:
        run: the run that is repeated, from the same initial parameters.
        groups: random groups left out, one after the other; ``size``: examples in each.
        singles: single examples left out.
        watched: images of each group of `carriers.GROUPS` that are looked at.
        seed: of the draw.
    """

    run: RecordedSpec
    groups: int
    size: int
    singles: int
    watched: int
    seed: int


def left_out(
    spec: LeaveOutSpec, values: dict[str, Tensor], queries: dict[str, Tensor], carried: dict[str, Tensor]
) -> pd.DataFrame:
    """Return one row a set left out and image: ``set``, ``size``, ``point``, ``group``, ``actual`` (change of
    the lead by retraining), ``attributed`` (minus the contributions of the set), and ``pixel``, the same with
    inner products of images for a kernel, as a rival that knows nothing of the network.
    """
    found = machine(spec.run, values)
    looked_at = _watched(carried["group"], spec.watched)
    points = queries["points"][carried["row"][looked_at]]
    predicted, before = carried["predicted"][looked_at], carried["end"][looked_at]
    lead, rival, tables = carried["lead"][looked_at], _pixels(found, points, predicted), []
    for number, rows in enumerate(_sets(spec)):
        outputs = _retrained(spec.run, found, rows, points)
        after = outputs[torch.arange(len(points)), predicted] - outputs.mean(1)
        columns = {
            "actual": after - before,
            "attributed": -lead[:, rows].sum(1),
            "pixel": -rival[:, rows].sum(1),
            "group": carried["group"][looked_at],
        }
        table = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
        tables.append(table.assign(set=number, size=len(rows), point=looked_at.numpy()))
    whole = pd.concat(tables, ignore_index=True)
    return whole.assign(group=[GROUPS[place] for place in whole["group"]])


def correlations(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the rank correlation of predicted and actual changes, by size of the set and group of images.

    For each image the sets are ranked by either change; the mean over images gets an interval from resampled
    sets. Columns ``size``, ``group`` ("all" too), ``predictor``, ``value``, ``low``, ``high``.
    """
    rows = []
    for size, some in table.groupby("size"):
        for group in ("all", *GROUPS):
            part = some if group == "all" else some[some["group"] == group]
            actual = part.pivot_table("actual", index="set", columns="point").to_numpy()
            for predictor in PREDICTORS if len(part) else ():
                guess = part.pivot_table(predictor, index="set", columns="point").to_numpy()
                found = _mean_correlation(guess, actual, seed)
                rows.append({"size": size, "group": group, "predictor": predictor, **found})
    return pd.DataFrame(rows)


def _mean_correlation(guess: intervals.Numbers, actual: intervals.Numbers, seed: int) -> pd.Series:
    def statistic(sets: npt.NDArray[np.int64]) -> float:
        one, other = (stats.rankdata(side[sets], axis=0) for side in (guess, actual))
        one, other = one - one.mean(0), other - other.mean(0)
        norms = np.sqrt((one**2).sum(0) * (other**2).sum(0))
        ranked = norms > 0
        return float(((one * other).sum(0)[ranked] / norms[ranked]).mean()) if ranked.any() else math.nan

    return intervals.resampled(statistic, len(guess), seed=seed)


def _watched(group: Tensor, count: int) -> Tensor:
    """Return the rows of the first images of each group."""
    return torch.cat([(group == place).nonzero()[:count, 0] for place in range(len(GROUPS))])


def _sets(spec: LeaveOutSpec) -> list[Tensor]:
    """Return the rows of each set; the groups are disjoint as long as there are enough examples."""
    generator = torch.Generator().manual_seed(spec.seed)
    orders = [torch.randperm(spec.run.examples, generator=generator) for _ in range(spec.groups)]
    parts = [part for order in orders for part in order.split(spec.size) if len(part) == spec.size]
    order = torch.randperm(spec.run.examples, generator=generator)
    return [*parts[: spec.groups], *order[: spec.singles].split(1)]


def _retrained(spec: RecordedSpec, found: Machine, rows: Tensor, points: Tensor) -> Tensor:
    """Return the outputs after the same training without some rows.

    The loss stays the sum over the others divided by the number of all, so that nothing else changes.
    """
    kept = torch.ones(len(found.labels), dtype=torch.bool)
    kept[rows] = False
    smaller = replace(spec, rate=spec.rate * float(kept.double().mean()))
    network = recorded.network(spec)
    optimizer = recorded.OPTIMISERS[spec.optimiser](network.parameters(), smaller.rate)
    record(network, optimizer, found.points[kept], found.labels[kept], steps=spec.steps)
    with torch.no_grad():
        outputs: Tensor = network(points)
    return outputs


def _pixels(found: Machine, points: Tensor, predicted: Tensor) -> Tensor:
    """Return contributions that an inner product of images in place of the kernel would give."""
    own = (found.labels == predicted[:, None]).to(points.dtype)
    return points @ found.points.T * (own - 1 / CLASSES)
