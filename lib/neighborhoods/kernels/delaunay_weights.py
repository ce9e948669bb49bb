"""Delaunay weights: how much of a point belongs to each class, by its place among labelled sites."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.delaunay import Triangulation
from neighborhoods.kernels.sites import require_finite, require_labels
from neighborhoods.kernels.statistics import Status

FLATTEST = 1e-12
"""Least ratio of the singular values of a simplex's sides for which its barycentric coordinates are given."""


class Weights(NamedTuple):
    """Delaunay weights, one row for each point.

    Attributes:
        weights: one for each class; they add to one, or are all zero where the point has none.
        simplex: which simplex contains the point; 0 where there is none.
        status: CONVERGED; UNDECIDED where the triangulation is one of several (`Triangulation.tied`), or the
            simplex is too flat; CENSORED outside of the triangulation.
    """

    weights: Float[Tensor, "points classes"]
    simplex: Int[Tensor, " points"]
    status: Int8[Tensor, " points"]


@checked()
def barycentric(
    points: Float[Tensor, "points n"], corners: Float[Tensor, "points corners n"]
) -> Float[Tensor, "points corners"]:
    """Return the coordinates of points in simplices: affine weights of the corners that give the point.

    $$ z = \\sum_{j=0}^n \\lambda_j c_j, \\qquad \\sum_j \\lambda_j = 1 . $$

    Args:
        points: $z$, one for each simplex.
        corners: $c_0, \\dots, c_n$ of each simplex, not in a hyperplane.

    Raises:
        torch.linalg.LinAlgError: the corners of a simplex lie in a hyperplane.

    Source: Möbius (1827).
    """
    sides = (corners[:, 1:] - corners[:, :1]).mT
    others: Tensor = torch.linalg.solve(sides, (points - corners[:, 0])[..., None]).squeeze(-1)
    return torch.cat([1 - others.sum(1, keepdim=True), others], 1)


@checked()
def delaunay_weights(
    points: Float[Tensor, "points n"],
    triangulation: Triangulation,
    labels: Int[Tensor, " labels"],
    classes: int,
) -> Weights:
    """Return the weights of points for each class.

    $$ w(z)_c = \\sum_{j:\\, y_j = c} \\lambda_j(z), $$

    with the barycentric coordinates $\\lambda$ of $z$ in the simplex that contains it. They are continuous
    and piecewise linear; the boundary is where the two largest tie, and meets each edge between two classes
    in its middle.

    Args:
        points: $z$.
        triangulation: of the sites.
        labels: $y_j$ of the sites, from 0 to `classes` - 1.
        classes: number of classes.

    Raises:
        ValueError: coordinates that are not finite, labels out of range, or spaces that differ.

    Source: the draft, Definition 30.5.

    >>> from neighborhoods.kernels.delaunay import triangulate
    >>> found = triangulate(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.1, 1.1]]))
    >>> delaunay_weights(torch.tensor([[0.25, 0.5]]), found, torch.tensor([0, 0, 1, 1]), 2).weights
    tensor([[0.5000, 0.5000]])
    """
    sites = triangulation.sites
    require_labels(labels, sites, classes)
    require_finite("points", points)
    if points.shape[1] != sites.shape[1]:
        raise ValueError(
            f"points: got dimension {points.shape[1]}; required {sites.shape[1]}, that of the sites"
        )
    place = (
        torch.from_numpy(triangulation.qhull.find_simplex(points.double().cpu().numpy()))
        .long()
        .to(points.device)
    )
    inside, simplex = place >= 0, place.clamp_min(0)
    corners = sites[triangulation.simplices[simplex]].to(points.dtype)
    flat = _flatness(corners) < FLATTEST
    good = inside & ~flat
    weights = points.new_zeros(len(points), classes)
    parts = barycentric(points[good], corners[good])
    weights[good] = weights[good].scatter_add_(1, labels[triangulation.simplices[simplex[good]]], parts)
    unsure = triangulation.tied[simplex] | flat
    status = torch.where(unsure, int(Status.UNDECIDED), int(Status.CONVERGED))
    return Weights(weights, simplex, torch.where(inside, status, int(Status.CENSORED)).to(torch.int8))


def _flatness(corners: Tensor) -> Tensor:
    values = torch.linalg.svdvals(corners[:, 1:] - corners[:, :1])
    flatness: Tensor = values[:, -1] / values[:, 0]
    return flatness


@checked()
def boundary_segments(
    triangulation: Triangulation, labels: Int[Tensor, " labels"]
) -> Float[Tensor, "segments 2 2"]:
    """Return the boundary of the Delaunay weights in the plane, as segments.

    In a triangle with two classes it joins the middles of the two sides between them; in one with three it
    joins the middle of each side to the centroid.

    Args:
        triangulation: of sites in the plane.
        labels: of the sites.

    Raises:
        ValueError: sites that are not in the plane, or as many labels as there are not sites.

    Source: the draft, Definition 30.5, with the level sets of all levels.
    """
    sites = triangulation.sites
    if sites.shape[1] != 2 or len(labels) != len(sites):
        raise ValueError(
            f"triangulation: got {tuple(sites.shape)} and {len(labels)} labels; required a plane's"
        )
    corners, names = sites[triangulation.simplices], labels[triangulation.simplices]
    sides = torch.tensor([[0, 1], [1, 2], [2, 0]], device=sites.device)
    middles = corners[:, sides].mean(2)
    mixed = names[:, sides[:, 0]] != names[:, sides[:, 1]]
    two, three = mixed.sum(1) == 2, mixed.all(1)
    joined = middles[two][mixed[two]].reshape(-1, 2, 2)
    centre = corners[three].mean(1)[:, None].expand(-1, 3, -1)
    return torch.cat([joined, torch.stack([middles[three], centre], 2).reshape(-1, 2, 2)])
