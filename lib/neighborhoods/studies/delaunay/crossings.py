"""Where a trained network's boundary crosses segments between training images, and at which angle."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.boundary_points import boundary_points
from neighborhoods.kernels.statistics import Status, labels_of, order_statistic_ranks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import load
from neighborhoods.studies.delaunay.unlike_pairs import KINDS


@dataclass(frozen=True)
class CrossingsSpec:
    """Numbers of the study: name of the network, and sites from the start of the training set."""

    network: str
    images: int


def cross(spec: CrossingsSpec, trained: dict[str, Tensor], unlike: dict[str, Tensor]) -> pd.DataFrame:
    """Return a row for each pair of each kind.

    Columns: ``kind``, ``pair``, ``length`` (of the segment), ``voronoi`` and ``gabriel`` (where the Voronoi
    boundary crosses it, and whether the pair is a Gabriel pair), ``fraction`` and ``width`` (where the
    network enters the class of the end), ``angle`` (of incidence, degrees), ``direct`` (whether the class
    before is that of the start), ``status``: that of `boundary_points`; "failed" also where the network
    gets an end wrong, and nothing is measured.
    """
    network = load(spec.network, trained)
    data = mnist("train", spec.images)
    tables = [_kind(network, data.points, data.labels, unlike, kind).assign(kind=kind) for kind in KINDS]
    return pd.concat(tables, ignore_index=True)


def _kind(
    network: torch.nn.Module, points: Tensor, labels: Tensor, unlike: dict[str, Tensor], kind: str
) -> pd.DataFrame:
    pairs = unlike[f"{kind}/pairs"]
    start, end = points[pairs[:, 0]], points[pairs[:, 1]]
    right = (labels_of(network, start) == labels[pairs[:, 0]]) & (
        labels_of(network, end) == labels[pairs[:, 1]]
    )
    columns = {
        "pair": range(len(pairs)),
        "length": torch.linalg.vector_norm((end - start).flatten(1), dim=1),
        "voronoi": unlike[f"{kind}/fraction"],
        "gabriel": unlike[f"{kind}/empty"],
    }
    table = pd.DataFrame(columns).assign(status="failed")
    found = crossing(network, start[right], end[right])
    at = boundary_points(network, start[right], end[right], found)
    measured = {
        "fraction": found.fraction.double(),
        "width": found.width.double(),
        "angle": torch.rad2deg(at.incidence.double()),
        "direct": at.first == labels[pairs[right, 0]],
    }
    rows = right.nonzero().squeeze(1).numpy()
    table.loc[rows, "status"] = [Status(code).name.lower() for code in at.status.tolist()]
    return table.join(pd.DataFrame(measured, index=rows))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each kind: ``pairs`` measured, and medians with their 95 % intervals.

    Columns ``place``, ``place_low``, ``place_high`` (of the crossing, from 0 at the start to 1), ``off``,
    ``off_low``, ``off_high`` (its distance from the middle, as a share of half the segment: 0 at the middle,
    1 at an end, one half in the median for a place at random), ``angle``, ``angle_low``, ``angle_high``, and
    ``direct`` (share that meets no third class).
    """
    rows = []
    for kind, group in table[table["status"] == "converged"].groupby("kind", sort=False):
        place = group["fraction"]
        row = {"kind": kind, "pairs": len(group), "direct": group["direct"].astype(float).mean()}
        for name, values in {"place": place, "off": 2 * (place - 0.5).abs(), "angle": group["angle"]}.items():
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), median(values), strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def printed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a summary as it is printed, each median with its interval in brackets."""
    table = rows[["pairs", "direct"]].copy()
    table["direct"] = [f"{100 * share:.0f} %" for share in rows["direct"]]
    for name, title, digits in (
        ("place", "place", 2),
        ("off", "off the middle", 2),
        ("angle", "angle (°)", 1),
    ):
        ends = rows[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
        table[title] = [f"{a:.{digits}f} ({b:.{digits}f}–{c:.{digits}f})" for a, b, c in ends]
    return table


def median(values: pd.Series) -> tuple[float, float, float]:
    """Return the median of independent values and its exact 95 % interval; open ends where they are few."""
    ordered = np.r_[-np.inf, np.sort(values.to_numpy(dtype=float)), np.inf]
    low, high = order_statistic_ranks(len(values), 0.5)
    return float(np.median(values)), float(ordered[low]), float(ordered[high])
