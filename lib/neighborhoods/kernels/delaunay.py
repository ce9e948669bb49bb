"""Delaunay triangulations up to dimension 5, with what makes them ambiguous."""

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from scipy import spatial
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.sites import require_sites, rounding

HIGHEST = 5
"""The largest dimension: in the next one the triangulation of a thousand points has millions of simplices."""


@dataclass(frozen=True)
class Triangulation:
    """A Delaunay triangulation.

    Attributes:
        sites: its vertices.
        simplices: indices of the $n + 1$ vertices of each simplex.
        edges: the pairs of sites that share a simplex, the smaller index first, in lexicographic order.
        tied: simplices that have a neighbour's vertex on their sphere, up to rounding. The triangulation of
            such sites is one of several, and Qhull's choice has no meaning.
        qhull: SciPy's object, which finds the simplex of a point.
    """

    sites: Float[Tensor, "sites n"]
    simplices: Int[Tensor, "simplices corners"]
    edges: Int[Tensor, "edges 2"]
    tied: Bool[Tensor, " simplices"]
    qhull: spatial.Delaunay = field(repr=False)


@checked()
def triangulate(sites: Float[Tensor, "sites n"]) -> Triangulation:
    """Return the Delaunay triangulation of sites in 2 to 5 dimensions, by Qhull.

    Args:
        sites: at least $n + 2$ points in general position, as far as they must be: distinct and not in a
            hyperplane. More than $n + 1$ of them on an empty sphere are allowed and show in `tied`.

    Raises:
        ValueError: another dimension, too few sites, a coordinate that is not finite, sites that coincide, or
            sites in a hyperplane.

    Source: Delaunay (1934); Barber, Dobkin and Huhdanpaa (1996).

    >>> triangulate(torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5], [2.0, 3.0]])).simplices.shape
    torch.Size([3, 3])
    """
    n = sites.shape[1]
    if not 2 <= n <= HIGHEST:
        raise ValueError(
            f"sites: got dimension {n}; required 2 to {HIGHEST}; beyond, `adjacency` asks pair by pair"
        )
    require_sites(sites, n + 2)
    points = sites.double().cpu().numpy()
    distinct = len(np.unique(points, axis=0))
    if distinct < len(points):
        raise ValueError(
            f"sites: got {len(points) - distinct} that coincide with others; required distinct ones"
        )
    try:
        qhull = spatial.Delaunay(points)
    except spatial.QhullError as error:
        raise ValueError(
            f"sites: got points in a hyperplane, or nearly so ({error.args[0].split(chr(10))[0]})"
        ) from error
    if len(qhull.coplanar):
        raise ValueError(f"sites: got {len(qhull.coplanar)} too near to others to be told apart from them")
    simplices = torch.from_numpy(qhull.simplices).long()
    tied = _ties(sites.double().cpu(), simplices, torch.from_numpy(qhull.neighbors).long())
    simplices, tied, edges = (value.to(sites.device) for value in (simplices, tied, _edges(simplices)))
    return Triangulation(sites, simplices, edges, tied, qhull)


def _edges(simplices: Tensor) -> Tensor:
    corners = torch.combinations(torch.arange(simplices.shape[1]), 2)
    pairs = simplices[:, corners].reshape(-1, 2).sort(1).values
    unique: Tensor = torch.unique(pairs, dim=0)
    return unique


def _ties(sites: Float64[Tensor, "sites n"], simplices: Tensor, neighbours: Tensor) -> Tensor:
    """Tell which simplices have the vertex opposite to a common face on their sphere."""
    corners = sites[simplices]
    sides = corners[:, 1:] - corners[:, :1]
    solved = torch.linalg.solve_ex(2 * sides, (sides**2).sum(2))
    centre = corners[:, 0] + solved.result
    radius = (solved.result**2).sum(1)
    # The vertices of a neighbour that are not ours: one; the others lie on the sphere anyway.
    beside = simplices[neighbours.clamp_min(0)]
    own = (beside[..., None] == simplices[:, None, None, :]).any(-1)
    distance = ((sites[beside] - centre[:, None, None]) ** 2).sum(-1)
    apart = torch.where(own, torch.inf, (distance - radius[:, None, None]).abs()).amin(2)
    apart = torch.where(neighbours >= 0, apart, torch.inf).amin(1)
    error = rounding(sites) * (1 + radius / (sites - sites.mean(0)).square().sum(1).max())
    tied: Tensor = (solved.info != 0) | ~(apart > error)
    return tied
