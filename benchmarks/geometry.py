"""Wedges and Delaunay edges: ours, and what SciPy offers for the same outputs.

SciPy projects one point at a time. Our triangulation is SciPy's, so that it cannot be faster; the contest
says what the list of edges and the search for ties cost. The literal linear programme of an edge has a row
for every other site.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from contests import Contest, Sides, require_close
from neighborhoods.kernels.delaunay import triangulate
from neighborhoods.kernels.delaunay_adjacency import TOLERANCE, adjacency
from neighborhoods.kernels.wedge_normals import facet_normals
from neighborhoods.kernels.wedge_projection import wedge_projection
from scipy import optimize, spatial
from torch import Generator, Tensor

FACETS, ANGLE = 50, math.pi / 6
SITES, SPACE, PAIRS = 2000, 3, 20


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def nnls(points: Tensor, normals: np.ndarray) -> Tensor:
    """Project by the multipliers: x = p + Nᵀλ with the λ ≥ 0 that make it shortest."""
    found = [point + normals.T @ optimize.nnls(normals.T, -point)[0] for point in points.numpy()]
    return torch.from_numpy(np.stack(found))


def slsqp(points: Tensor, normals: np.ndarray) -> Tensor:
    """Project by the quadratic programme as it stands, with its gradient."""
    inside = {"type": "ineq", "fun": lambda x: normals @ x, "jac": lambda x: normals}

    def one(point: np.ndarray) -> np.ndarray:
        found = optimize.minimize(
            lambda x: ((x - point) @ (x - point) / 2, x - point),
            point,
            jac=True,
            method="SLSQP",
            constraints=inside,
            options={"ftol": 1e-12},
        )
        if not found.success:
            raise RuntimeError(f"SLSQP ended with {found.message!r}")
        return found.x

    return torch.from_numpy(np.stack([one(point) for point in points.numpy()]))


def projections(theirs: Callable[[Tensor, np.ndarray], Tensor], count: int, allowed: float) -> Sides:
    """Project other points in each repetition, and compare the points found."""
    angles = torch.full((FACETS - 1,), ANGLE, dtype=torch.float64)
    normals = facet_normals(angles)

    def judge(ours: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
        own, found = torch.cat(ours), torch.cat(other)
        require_close("projections", float((own - found).abs().max()), allowed)
        outside = [abs(min(0.0, float((side @ normals.T).min()))) for side in (own, found)]
        return outside[0], outside[1]

    note = (
        f"per point, {count} a call, {FACETS} facets; points equal within {allowed:g}; "
        "errors: the furthest that a projection lies outside of a facet"
    )
    return Sides(
        lambda seed: wedge_projection(drawn(seed, count, FACETS), angles).point,
        lambda seed: theirs(drawn(seed, count, FACETS), normals.numpy()),
        judge,
        count,
        note,
    )


def edges(sites: Tensor) -> Tensor:
    """Return SciPy's Delaunay edges, the smaller index first, in lexicographic order."""
    starts, ends = spatial.Delaunay(sites.numpy()).vertex_neighbor_vertices
    pairs = np.stack([np.repeat(np.arange(len(sites)), np.diff(starts)), ends], 1)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    return torch.from_numpy(pairs[np.lexsort(pairs.T[::-1])])


def triangulations() -> Sides:
    """List the edges of other sites in each repetition."""

    def judge(ours: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
        for own, found in zip(ours, other, strict=True):
            require_close("edges", float(not torch.equal(own, found)), 0)
        return float(len(torch.cat(ours))), float(len(torch.cat(other)))

    note = (
        f"per triangulation of {SITES} sites in {SPACE} dimensions; the same edges in the same order; "
        "errors: edges in all repetitions"
    )
    return Sides(
        lambda seed: triangulate(drawn(seed, SITES, SPACE)).edges,
        lambda seed: edges(drawn(seed, SITES, SPACE)),
        judge,
        1,
        note,
    )


def programmes(sites: Tensor, pairs: Tensor) -> Tensor:
    """Decide each pair by SciPy's linear programme with a row for every other site."""
    points, found = sites.numpy(), []
    for i, j in pairs.tolist():
        middle, axis = (points[i] + points[j]) / 2, (points[j] - points[i]) / 2
        length = np.linalg.norm(axis)
        others, axis = (np.delete(points, [i, j], 0) - middle) / length, axis / length
        result = optimize.linprog(
            np.r_[np.zeros(len(axis)), -1.0],
            A_ub=np.c_[2 * others, np.ones(len(others))],
            b_ub=(others**2).sum(1) - 1,
            A_eq=np.r_[axis, 0.0][None],
            b_eq=[0.0],
            bounds=[(None, None)] * len(axis) + [(None, 1.0)],
        )
        found.append(-result.fun > TOLERANCE)
    return torch.tensor(found)


def triangulated(sites: Tensor, pairs: Tensor) -> Tensor:
    """Look the pairs up among all edges, by SciPy's triangulation."""
    known = {tuple(edge) for edge in edges(sites).tolist()}
    return torch.tensor([tuple(sorted(pair)) in known for pair in pairs.tolist()])


def decisions(theirs: Callable[[Tensor, Tensor], Tensor], count: int, dimension: int) -> Sides:
    """Decide about other pairs of other sites in each repetition."""

    def drawn_pairs(seed: int) -> Tensor:
        order = torch.randperm(count, generator=Generator().manual_seed(seed))
        return order[: 2 * PAIRS].view(PAIRS, 2)

    def judge(ours: list[Tensor], other: list[Tensor]) -> tuple[float, float]:
        own, found = torch.cat(ours), torch.cat(other)
        require_close("decisions", float((own != found).sum()), 0)
        return float(own.double().mean()), float(found.double().mean())

    note = (
        f"per pair, {PAIRS} pairs of {count} sites in {dimension} dimensions; the same decisions; "
        "errors: share that are edges"
    )
    return Sides(
        lambda seed: adjacency(drawn(seed, count, dimension), drawn_pairs(seed)).adjacent,
        lambda seed: theirs(drawn(seed, count, dimension), drawn_pairs(seed)),
        judge,
        PAIRS,
        note,
    )


CONTESTS = [
    Contest("projection/nnls", "scipy", partial(projections, nnls, 500, 1e-9)),
    Contest("projection/SLSQP", "scipy", partial(projections, slsqp, 100, 1e-6)),
    Contest("delaunay/SciPy", "scipy", triangulations),
    Contest("adjacency/linprog", "scipy", partial(decisions, programmes, 2000, 10)),
    Contest("adjacency/triangulation", "scipy", partial(decisions, triangulated, 400, 5)),
]
