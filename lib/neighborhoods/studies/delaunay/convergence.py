"""How near the boundary of Delaunay weights comes to the true one as the samples grow denser."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.spatial import KDTree
from torch import Generator, Tensor

from neighborhoods.kernels.delaunay import Triangulation, triangulate
from neighborhoods.kernels.delaunay_weights import boundary_segments
from neighborhoods.kernels.normals import incidence
from neighborhoods.progress import bar
from neighborhoods.studies.delaunay.regions import labels_in, outline, sample

OUTLINE = 40_000
"""Points of the true boundary; their spacing, below 4e-4 but for the needle's tip, bounds the error."""

PARTS = 8
"""Pieces of a segment whose ends are measured."""

NOISE = 0.01
"""Share of the labels that are wrong in the case "noise"."""

CASES = {"disc": "disc", "star": "star", "needle": "needle", "noise": "disc"}
"""The region behind each case."""


@dataclass(frozen=True)
class ConvergenceSpec:
    """Numbers of the study: sites of each sampling, repetitions, and the seed of both."""

    samples: tuple[int, ...]
    replicates: int
    seed: int


def converge(spec: ConvergenceSpec) -> pd.DataFrame:
    """Return a row for each case, number of sites and replicate.

    Columns: ``case``, ``sites``, ``replicate``, ``epsilon`` (longest edge), ``outward`` (greatest distance of
    the weights' boundary from the true one), ``inward`` (the reverse), ``normal`` (median angle between both
    normals, degrees). A boundary without points has no ``outward`` and an infinite ``inward``.
    """
    truths = {region: _Truth(region) for region in set(CASES.values())}
    rows = []
    for replicate in bar(range(spec.replicates), description="convergence"):
        for count in spec.samples:
            generator = Generator().manual_seed(spec.seed + 1000 * replicate + count)
            found = triangulate(sample(count, generator))
            wrong = torch.rand(len(found.sites), generator=generator) < NOISE
            for case, region in CASES.items():
                labels = labels_in(region, found.sites)
                labels = torch.where(wrong, 1 - labels, labels) if case == "noise" else labels
                measured = truths[region].compare(found, labels)
                rows.append({"case": case, "sites": count, "replicate": replicate} | measured)
    return pd.DataFrame(rows)


class _Truth:
    """The true boundary as a tree of points."""

    def __init__(self, region: str) -> None:
        points, self.normals = outline(region, OUTLINE)
        self.points = points.numpy()
        self.tree = KDTree(self.points)

    def compare(self, found: Triangulation, labels: Tensor) -> dict[str, float]:
        ends = found.sites[found.edges]
        epsilon = float(torch.linalg.vector_norm(ends[:, 0] - ends[:, 1], dim=1).max())
        segments = boundary_segments(found, labels)
        if len(segments) == 0:
            return {"epsilon": epsilon, "outward": np.nan, "inward": np.inf, "normal": np.nan}
        share = torch.linspace(0, 1, PARTS + 1, dtype=torch.float64)[:, None, None]
        points = (segments[:, 0] + share * (segments[:, 1] - segments[:, 0])).flatten(0, 1).numpy()
        outward = np.max(self.tree.query(points)[0])
        inward = np.max(KDTree(points).query(self.points)[0])
        nearest = torch.from_numpy(self.tree.query(segments.mean(1).numpy())[1])
        along = segments[:, 1] - segments[:, 0]
        askew = incidence(torch.stack([along[:, 1], -along[:, 0]], 1), self.normals[nearest])
        normal = float(torch.rad2deg(askew.median()))
        return {"epsilon": epsilon, "outward": outward, "inward": inward, "normal": normal}


def orders(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return rows ``case``, ``replicate``, ``order``: the slope of log distance against log ε."""
    rows = []
    for (case, replicate), group in table.groupby(["case", "replicate"], sort=False):
        slope = np.polyfit(np.log(group["epsilon"]), np.log(group[column]), 1)[0]
        rows.append({"case": case, "replicate": replicate, "order": slope})
    return pd.DataFrame(rows)
