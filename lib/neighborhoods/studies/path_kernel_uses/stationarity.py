r"""How much of the kernel is a function of the difference $x - x'$.

A stationary kernel is constant on pairs with the same difference. The design shifts each of some differences
$d$ to several places $u$ and compares $k(u + d, u)$: the best function of the difference, whatever it is,
explains the variance between differences and nothing else. Pairs of natural images are regressed besides.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.mean_kernel import mean_kernel
from neighborhoods.kernels.trajectories import coarsen
from neighborhoods.studies import intervals
from neighborhoods.studies.path_kernel_uses.grams import GramsSpec
from neighborhoods.studies.path_kernel_uses.machine import machine

BINS = 12
COMPONENTS = 12
PREDICTORS = ("|x − x′|", "quadratic in x − x′", "x · x′", "same class", "classes")


@dataclass(frozen=True)
class ShiftSpec:
    """The design.

    Attributes:
        kernel: how the kernel is summed.
        differences: pairs of training images whose difference is taken.
        bases: training images that the differences are shifted to, none of them from the pairs.
        seed: of the draw.
    """

    kernel: GramsSpec
    differences: int
    bases: int
    seed: int


def shifted(spec: ShiftSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a difference and base: ``difference``, ``base``, ``length`` of the difference, and
    ``kernel``, the value at the shifted pair.
    """
    found = machine(spec.kernel.run, values)
    path = coarsen(found.trajectory, spec.kernel.stride)
    count = 2 * spec.differences + spec.bases
    rows = torch.randperm(len(found.labels), generator=torch.Generator().manual_seed(spec.seed))[:count]
    left, right, bases = found.points[rows].split([spec.differences, spec.differences, spec.bases])
    differences, tables = left - right, []
    for number, base in enumerate(bases):
        moved = base + differences
        column = mean_kernel(found.network, path, moved, base[None], nodes=spec.kernel.nodes)[:, 0]
        table = pd.DataFrame({"kernel": column.numpy(), "length": differences.norm(dim=1).numpy()})
        tables.append(table.assign(difference=range(spec.differences), base=number))
    return pd.concat(tables, ignore_index=True)


def explained(table: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the shares of the kernel's variance due to the difference, to the base, and to neither alone.

    Columns ``part``, ``value``, ``low``, ``high``; components of a two-way analysis of variance, with
    intervals over resampled differences.
    """
    values = table.pivot_table("kernel", index="difference", columns="base").to_numpy()

    def part(name: str) -> Callable[[npt.NDArray[np.int64]], float]:
        return lambda rows: _components(values[rows])[name]

    names = ("difference", "base", "neither")
    found = [intervals.resampled(part(name), len(values), seed=seed) for name in names]
    return pd.DataFrame([{"part": name, **row} for name, row in zip(names, found, strict=True)])


def _components(values: intervals.Numbers) -> dict[str, float]:
    """Return shares of variance from mean squares; a component estimated below zero is zero."""
    rows, columns = values.shape
    by_row, by_column = values.mean(1, keepdims=True), values.mean(0, keepdims=True)
    rest = values - by_row - by_column + values.mean()
    error = (rest**2).sum() / ((rows - 1) * (columns - 1))
    row = max(0.0, by_row.var(ddof=1) - error / columns)
    column = max(0.0, by_column.var(ddof=1) - error / rows)
    total = row + column + error
    return {"difference": row / total, "base": column / total, "neither": error / total}


@dataclass(frozen=True)
class PairsSpec:
    """Numbers of the regression over natural pairs.

    Attributes:
        kernel: how the kernel is summed.
        blocks: disjoint sets of training images; pairs lie within a block, each block is predicted from
            the others.
    """

    kernel: GramsSpec
    blocks: int


def regressed(spec: PairsSpec, values: dict[str, Tensor], grams: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a block and predictor: ``block``, ``predictor``, and ``r2``, the share of the variance
    of kernel values of a block's pairs that a regression on all other blocks predicts.
    """
    found = machine(spec.kernel.run, values)
    parts = torch.arange(len(found.labels)).chunk(spec.blocks)
    axes = torch.linalg.eigh(found.points.double().T.cov())[1][:, -COMPONENTS:]
    blocks = [_pairs(found.points, found.labels, axes, grams["gram"], rows) for rows in parts]
    rows = []
    for number, held in enumerate(blocks):
        others = [block for place, block in enumerate(blocks) if place != number]
        target = np.concatenate([block["kernel"] for block in others])
        for name in PREDICTORS:
            known = np.concatenate([block[name] for block in others])
            guess = _fitted(known, target, held[name])
            error = ((held["kernel"] - guess) ** 2).sum()
            spread = ((held["kernel"] - held["kernel"].mean()) ** 2).sum()
            rows.append({"block": number, "predictor": name, "r2": 1 - error / spread})
    return pd.DataFrame(rows)


def _pairs(
    points: Tensor, labels: Tensor, axes: Tensor, gram: Tensor, rows: Tensor
) -> dict[str, intervals.Numbers]:
    """Return the kernel and the predictors of all pairs of different images of a block."""
    place = torch.triu_indices(len(rows), len(rows), offset=1)
    one, other = rows[place]
    difference = points[one].double() - points[other].double()
    parts = difference @ axes
    products = (parts[:, :, None] * parts[:, None, :]).flatten(1)
    keep = torch.triu(torch.ones(COMPONENTS, COMPONENTS)).flatten().bool()
    low, high = torch.minimum(labels[one], labels[other]), torch.maximum(labels[one], labels[other])
    found = {
        "kernel": gram[one, other].double(),
        "|x − x′|": difference.norm(dim=1),
        "quadratic in x − x′": torch.cat([difference.square().sum(1)[:, None], products[:, keep]], 1),
        "x · x′": (points[one] * points[other]).sum(1).double(),
        "same class": (labels[one] == labels[other]).double(),
        "classes": torch.eye(100, dtype=torch.float64)[10 * low + high],
    }
    return {name: value.numpy() for name, value in found.items()}


def _fitted(
    known: intervals.Numbers, target: intervals.Numbers, held: intervals.Numbers
) -> intervals.Numbers:
    """Fit bins of a number, or a linear function of several, and return what it says of others."""
    if known.ndim == 1:
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1))[1:-1])
        known, held = (np.eye(len(edges) + 1)[np.searchsorted(edges, side)] for side in (known, held))
    else:
        known, held = (np.column_stack([np.ones(len(side)), side]) for side in (known, held))
    return np.asarray(held @ np.linalg.lstsq(known, target, rcond=None)[0])
