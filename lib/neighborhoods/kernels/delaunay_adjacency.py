"""Delaunay adjacency of chosen pairs in any dimension: one linear programme a pair, with certificates."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float, Float64, Int, Int8
from scipy.optimize import linprog
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.sites import require_pairs, require_sites
from neighborhoods.kernels.statistics import Status

REACH = 1e6
"""Half-lengths of the pair within which centres of empty balls are sought."""

TOLERANCE = 1e-9
"""Slack, in squared half-lengths, that counts as none: then more sites lie on the sphere than the pair."""

Array = npt.NDArray[np.float64]


class Adjacency(NamedTuple):
    """Whether pairs of sites share a facet of the Voronoi diagram, one row for each pair.

    Attributes:
        adjacent: whether a ball around `centre` has the pair on its sphere and all other sites outside.
        low: what the centre proves, the least $\\|x_k - c\\|^2 - \\|x_i - c\\|^2$ over the other sites, in
            squared half-lengths of the pair.
        high: what no centre within `REACH` exceeds, by the dual programme; 1 is the cap of the programme.
        centre: $c$, the best centre found.
        status: CONVERGED; UNDECIDED where both bounds leave the sign open, as for ties; FAILED where the pair
            coincides.
    """

    adjacent: Bool[Tensor, " pairs"]
    low: Float64[Tensor, " pairs"]
    high: Float64[Tensor, " pairs"]
    centre: Float64[Tensor, "pairs n"]
    status: Int8[Tensor, " pairs"]


@checked()
def adjacency(sites: Float[Tensor, "sites n"], pairs: Int[Tensor, "pairs 2"]) -> Adjacency:
    """Decide for each pair whether it is an edge of the Delaunay triangulation, without triangulating.

    $$ \\max_{c,\\,s \\le 1} s: \\quad \\|x_k - c\\|^2 - \\|x_i - c\\|^2 \\ge s \\ \\ (k \\ne i, j), \\qquad
       \\|x_i - c\\| = \\|x_j - c\\| , $$

    linear in $(c, s)$ since the squares of $c$ cancel. The pair is an edge, with a facet of full dimension,
    if and only if the maximum is positive. If it is negative, the dual names a convex combination of other
    sites that lies on the segment, with a mean square distance from its middle below $h^2$. Only sites that
    matter enter: those nearest to the middle first, then whatever the last centre violates, until the sign
    is certain. A Gabriel pair needs no programme: its middle is such a centre.

    Args:
        sites: $x_k$, in float64 inside.
        pairs: indices $(i, j)$.

    Returns:
        An `Adjacency`.

    Raises:
        ValueError: fewer than three sites, a coordinate that is not finite, or a pair of no two sites.
        RuntimeError: HiGHS ended without a solution; its message says why.

    Source: Edelsbrunner and Seidel (1986) for the lifting; the programme with both certificates is ours.

    >>> sites = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5], [2.0, 1.0]])
    >>> adjacency(sites, torch.tensor([[0, 1], [0, 3]])).adjacent
    tensor([True, True])
    """
    require_sites(sites, 3)
    require_pairs(pairs, sites)
    points = sites.double().cpu().numpy()
    found = [_decide(points, int(i), int(j)) for i, j in pairs.tolist()]
    low, high, codes = (torch.tensor([row[k] for row in found], dtype=torch.float64) for k in (0, 1, 3))
    centre = torch.from_numpy(np.array([row[2] for row in found]).reshape(len(pairs), points.shape[1]))
    status = codes.to(torch.int8)
    adjacent = (low > TOLERANCE) & (status == int(Status.CONVERGED))
    return Adjacency(*(value.to(sites.device) for value in (adjacent, low, high, centre, status)))


def _decide(points: Array, i: int, j: int) -> tuple[float, float, Array, Status]:
    middle, half = (points[i] + points[j]) / 2, (points[j] - points[i]) / 2
    length = float(np.linalg.norm(half))
    if length == 0:
        return 0.0, 0.0, middle, Status.FAILED
    others = (np.delete(points, [i, j], 0) - middle) / length
    low, high, centre = _search(others, half / length)
    decided = low > TOLERANCE or high < -TOLERANCE
    return low, high, middle + length * centre, Status.CONVERGED if decided else Status.UNDECIDED


def _search(others: Array, axis: Array) -> tuple[float, float, Array]:
    """Return bounds on the maximum, and a centre relative to the middle of the pair at ±axis."""
    square = (others**2).sum(1) - 1
    centre, low, high = np.zeros_like(axis), min(1.0, float(square.min())), 1.0
    batch = 4 * (len(axis) + 1)
    rows = np.argsort(square, kind="stable")[:batch]
    while low <= TOLERANCE and high >= -TOLERANCE:
        candidate, bound = _programme(others[rows], square[rows], axis)
        slack = square - 2 * others @ candidate
        reached, high = min(1.0, float(slack.min())), min(high, bound)
        if reached > low:
            centre, low = candidate, reached
        violated = np.argsort(slack, kind="stable")[:batch]
        if np.isin(violated, rows).all():
            break
        rows = np.union1d(rows, violated)
    return low, max(low, high), centre


def _programme(others: Array, square: Array, axis: Array) -> tuple[Array, float]:
    """Solve for some of the sites: the centre, and the bound that the multipliers prove."""
    n = len(axis)
    result = linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=np.c_[2 * others, np.ones(len(others))],
        b_ub=square,
        A_eq=np.r_[axis, 0.0][None],
        b_eq=[0.0],
        bounds=[(None, None)] * n + [(None, 1.0)],
        method="highs-ds",
    )
    if result.status != 0:
        raise RuntimeError(f"linear programme: HiGHS ended with {result.message!r}")
    multipliers = np.maximum(-np.asarray(result.ineqlin.marginals), 0.0)
    multipliers /= max(1.0, float(multipliers.sum()))
    residual = multipliers @ others
    residual -= (residual @ axis) * axis
    bound = float(multipliers @ square) + 1.0 - float(multipliers.sum())
    centre = np.asarray(result.x)[:n]
    return centre - (centre @ axis) * axis, bound + 2 * REACH * float(np.linalg.norm(residual))
