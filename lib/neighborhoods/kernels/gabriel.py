"""Gabriel pairs: two sites whose segment crosses the Voronoi facet between them, at a right angle."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.sites import require_pairs, require_sites, rounding
from neighborhoods.kernels.statistics import Status


class Gabriel(NamedTuple):
    """Whether the balls over pairs of sites are empty, one row for each pair.

    Attributes:
        empty: whether no other site lies in the closed ball whose diameter is the pair.
        slack: $\\min_k \\|x_k - m\\|^2/h^2 - 1$ over the other sites, $m$ the middle of the pair and $h$ half
            of its length: positive where the ball is empty; 0 where the pair coincides.
        nearest: the other site at which the minimum is attained.
        status: CONVERGED; UNDECIDED where the nearest site lies on the sphere, up to rounding; FAILED where
            the pair coincides.
    """

    empty: Bool[Tensor, " pairs"]
    slack: Float[Tensor, " pairs"]
    nearest: Int[Tensor, " pairs"]
    status: Int8[Tensor, " pairs"]


@checked()
def gabriel(sites: Float[Tensor, "sites n"], pairs: Int[Tensor, "pairs 2"]) -> Gabriel:
    """Tell which pairs of sites are Gabriel pairs, in any dimension.

    $$ \\|x_k - m\\|^2 - h^2 = \\langle x_i - x_k,\\, x_j - x_k\\rangle > 0
       \\qquad\\text{for all } k \\ne i, j, $$

    by one product of matrices for all pairs, sites and coordinates. Gabriel pairs are Delaunay pairs, and the
    only ones whose segment passes through the relative interior of their facet.

    Args:
        sites: $x_k$.
        pairs: indices $(i, j)$.

    Raises:
        ValueError: fewer than three sites, a coordinate that is not finite, or a pair of no two sites.

    Source: Gabriel and Sokal (1969).

    >>> sites = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5], [2.0, -9.0]])
    >>> gabriel(sites, torch.tensor([[0, 1], [0, 2]])).empty
    tensor([False,  True])
    """
    require_sites(sites, 3)
    require_pairs(pairs, sites)
    centred = sites - sites.mean(0)
    one, other = centred[pairs[:, 0]], centred[pairs[:, 1]]
    products = torch.addmm((centred**2).sum(1).expand(len(pairs), -1), one + other, centred.T, alpha=-1)
    products += (one * other).sum(1, keepdim=True)
    products.scatter_(1, pairs, torch.inf)
    least, nearest = products.min(1)
    square = ((one - other) ** 2).sum(1) / 4
    exact = rounding(sites)
    status = torch.where(least.abs() <= exact, int(Status.UNDECIDED), int(Status.CONVERGED))
    status = torch.where(square == 0, int(Status.FAILED), status).to(torch.int8)
    slack = torch.where(square > 0, least / square.clamp_min(torch.finfo(square.dtype).tiny), 0.0)
    return Gabriel((least > exact) & (square > 0), slack, nearest, status)
