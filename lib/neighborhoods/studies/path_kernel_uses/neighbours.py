"""The nearest training image in kernel space and in pixel space, and whether its class is the right one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import Tensor

from neighborhoods.studies import intervals
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.path_kernel_uses.queries import KINDS
from neighborhoods.studies.recorded import RecordedSpec

MEASURES = ("kernel distance", "kernel cosine", "kernel value", "pixel distance", "pixel cosine")


@dataclass(frozen=True)
class NeighboursSpec:
    """The run whose kernel measures."""

    run: RecordedSpec


def neighbours(
    spec: NeighboursSpec, values: dict[str, Tensor], queries: dict[str, Tensor], grams: dict[str, Tensor]
) -> pd.DataFrame:
    """Return one row a natural query and measure: ``image``, ``label``, ``predicted``, ``measure``,
    ``neighbour`` (number of the training image), ``neighbour_label``, and ``order``, the rank correlation
    over all training images of this measure with pixel distance.
    """
    found, chosen = machine(spec.run, values), queries["kind"] == KINDS.index("natural")
    points, labels = queries["points"][chosen], queries["label"][chosen]
    near = nearness(points, found.points, grams["cross"][chosen], grams["own"][chosen], grams["gram"])
    predicted, tables = found.network(points).argmax(1), []
    for measure in MEASURES:
        place = near[measure].argmax(1)
        columns = {
            "image": queries["image"][chosen],
            "label": labels,
            "predicted": predicted,
            "neighbour": place,
            "neighbour_label": found.labels[place],
        }
        table = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
        order = _orders(near[measure], near["pixel distance"])
        tables.append(table.assign(measure=measure, order=order))
    return pd.concat(tables, ignore_index=True)


def nearness(points: Tensor, examples: Tensor, cross: Tensor, own: Tensor, gram: Tensor) -> dict[str, Tensor]:
    """Return for each of `MEASURES` a matrix of queries by examples, greater for nearer pairs."""
    diagonal, inner = gram.diagonal(), points @ examples.T
    lengths = (points.norm(dim=1)[:, None], examples.norm(dim=1))
    squares = own[:, None] + diagonal - 2 * cross
    pixels = -torch.cdist(points, examples)
    cosines = cross / (own[:, None] * diagonal).sqrt()
    found = (-squares, cosines, cross, pixels, inner / lengths[0].mul(lengths[1]))
    return dict(zip(MEASURES, found, strict=True))


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each measure the share of neighbours of the right class, and of the predicted class."""
    rows = []
    for measure, some in table.groupby("measure", sort=False):
        for target in ("label", "predicted"):
            hits = some["neighbour_label"] == some[target]
            rows.append({"measure": measure, "target": target, **intervals.share(hits)})
    return pd.DataFrame(rows)


def contest(table: pd.DataFrame, one: str, other: str, target: str) -> pd.Series:
    """Return the share of the queries that only one of two measures gets right which the first one gets.

    One half means that neither is better; the interval is exact.
    """
    hits = (table["neighbour_label"] == table[target]).groupby(table["measure"]).agg(list)
    left, right = np.array(hits[one]), np.array(hits[other])
    found = intervals.share(left[left != right])
    found["count"] = (left != right).sum()
    return found


def _orders(one: Tensor, other: Tensor) -> list[float]:
    pairs = zip(one.numpy(), other.numpy(), strict=True)
    return [float(stats.spearmanr(left, right).statistic) for left, right in pairs]
