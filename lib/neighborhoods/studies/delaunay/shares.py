"""Which Delaunay edges cross their facet at a right angle: the share of Gabriel pairs, by dimension."""

from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from neighborhoods.kernels.delaunay import HIGHEST, triangulate
from neighborhoods.kernels.delaunay_adjacency import adjacency
from neighborhoods.kernels.gabriel import gabriel
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.voronoi_walk import voronoi_exit
from neighborhoods.models.datasets import mnist
from neighborhoods.progress import bar

TESTED = 8000
"""Pairs of a cloud that are tested, at most."""

EXAMINED = 2000
"""Edges of a cloud whose exits are followed, at most."""

UNDECIDED = int(Status.UNDECIDED)


@dataclass(frozen=True)
class SharesSpec:
    """Numbers of the study; see `DelaunaySpec`."""

    cloud: int
    dimensions: tuple[int, ...]
    programmes: int
    replicates: int
    images: int
    seed: int


def measure(spec: SharesSpec) -> pd.DataFrame:
    """Return a row for each kind of data, dimension and replicate.

    Columns: ``data`` ("Gaussian", or "MNIST" on its first principal components), ``dimension``,
    ``replicate``, ``all`` (share of Gabriel pairs among all), ``degree`` (mean number of neighbours),
    ``share`` (of Gabriel pairs among Delaunay edges), ``angle`` (median angle, in degrees, at which the other
    edges leave the cell of their first site), ``undecided`` (pairs whose programme left the sign open).
    """
    components = _components(spec)
    rows = []
    for replicate in bar(range(spec.replicates), description="Gabriel shares"):
        generator = Generator().manual_seed(spec.seed + replicate)
        part = components[replicate * spec.cloud : (replicate + 1) * spec.cloud]
        cloud = torch.randn(spec.cloud, max(spec.dimensions), generator=generator, dtype=torch.float64)
        for data, points in (("Gaussian", cloud), ("MNIST", part)):
            for n in spec.dimensions:
                head = {"data": data, "dimension": n, "replicate": replicate}
                rows.append(head | _examine(points[:, :n].contiguous(), spec.programmes, generator))
    return pd.DataFrame(rows)


def concentrate(spec: SharesSpec) -> pd.DataFrame:
    """Return rows ``dimension``, ``replicate``, ``all``: the share of Gabriel pairs among all of a cloud."""
    rows = []
    for replicate in range(spec.replicates):
        generator = Generator().manual_seed(spec.seed + replicate)
        for n in spec.dimensions:
            sites = torch.randn(spec.cloud, n, generator=generator, dtype=torch.float64)
            pairs = _some_pairs(spec.cloud, TESTED, generator)
            share = float(gabriel(sites, pairs).empty.double().mean())
            rows.append({"dimension": n, "replicate": replicate, "all": share})
    return pd.DataFrame(rows)


def _examine(sites: Tensor, programmes: int, generator: Generator) -> dict[str, float]:
    pairs = _some_pairs(len(sites), TESTED, generator)
    empty = gabriel(sites, pairs).empty
    among, undecided = float(empty.double().mean()), 0
    if sites.shape[1] <= HIGHEST:
        edges = triangulate(sites).edges
        own = gabriel(sites, edges).empty
        long, share = edges[~own], float(own.double().mean())
        degree = 2 * len(edges) / len(sites)
    else:
        others = pairs[~empty][:programmes]
        found = adjacency(sites, others)
        long, undecided = others[found.adjacent], int((found.status == UNDECIDED).sum())
        adjacent = among + (1 - among) * len(long) / max(len(others), 1)
        share, degree = among / adjacent, adjacent * (len(sites) - 1)
    angle = _exit_angle(sites, long[torch.randperm(len(long), generator=generator)[:EXAMINED]])
    return {"all": among, "degree": degree, "share": share, "angle": angle, "undecided": undecided}


def _some_pairs(count: int, most: int, generator: Generator) -> Tensor:
    """Return pairs of so many points in random order, all of them if they are not too many."""
    pairs = torch.combinations(torch.arange(count), 2)
    return pairs[torch.randperm(len(pairs), generator=generator)[:most]]


def _exit_angle(sites: Tensor, edges: Tensor) -> float:
    if len(edges) == 0:
        return float("nan")
    ends = sites[edges]
    angle = voronoi_exit(ends[:, 0], ends[:, 1], sites, torch.arange(len(sites))).angle
    return float(torch.rad2deg(angle.median()))


def _components(spec: SharesSpec) -> Float[Tensor, "points dimensions"]:
    """Return the first principal components of random training images, enough for all replicates."""
    data = mnist("train", spec.images).points.flatten(1).double()
    middle = data.mean(0)
    axes = torch.linalg.eigh((data - middle).T @ (data - middle)).eigenvectors
    order = torch.randperm(len(data), generator=Generator().manual_seed(spec.seed))
    chosen = data[order[: spec.cloud * spec.replicates]] - middle
    components: Tensor = chosen @ axes.flip(1)[:, : max(spec.dimensions)]
    return components
