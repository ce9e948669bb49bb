"""The Voronoi classifier: a point has the class of its nearest site."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.sites import require_finite, require_labels, require_sites


@checked()
def voronoi_logits(
    points: Float[Tensor, "points n"],
    sites: Float[Tensor, "sites dimension"],
    labels: Int[Tensor, " labels"],
    classes: int,
) -> Float[Tensor, "points classes"]:
    """Return logits whose largest belongs to the class of the nearest site.

    $$ F_c(x) = -\\min_{i : y_i = c} \\|x - x_i\\|^2 . $$

    The boundary of the classifier is where the two largest logits tie: the facets of the Voronoi diagram
    between sites of different classes. Squares are expanded around the mean of the sites, one matrix product
    for all points.

    Args:
        points: $x$.
        sites: $x_i$; the logits of a class without sites are minus infinity.
        labels: $y_i$, from 0 to `classes` - 1.
        classes: number of classes.

    Raises:
        ValueError: no sites, coordinates that are not finite, labels out of range, or spaces that differ.

    Source: the draft, Section 30.1.

    >>> sites, labels = torch.tensor([[0.0], [1.0], [4.0]]), torch.tensor([0, 0, 1])
    >>> voronoi_logits(torch.tensor([[2.5]]), sites, labels, 2)
    tensor([[-2.2500, -2.2500]])
    """
    require_sites(sites)
    require_labels(labels, sites, classes)
    require_finite("points", points)
    if points.shape[1] != sites.shape[1]:
        raise ValueError(f"points: got dimension {points.shape[1]}; required {sites.shape[1]}, that of sites")
    middle = sites.mean(0)
    squares = squared_distances(points - middle, sites - middle)
    logits = squares.new_full((len(points), classes), torch.inf)
    logits.scatter_reduce_(1, labels.expand(len(points), -1), squares, "amin")
    return -logits


def squared_distances(
    points: Float[Tensor, "points n"], sites: Float[Tensor, "sites n"]
) -> Float[Tensor, "points sites"]:
    """Return $\\|x\\|^2 - 2\\langle x, x_i\\rangle + \\|x_i\\|^2$, never below zero; small where both are."""
    squares = torch.addmm((sites**2).sum(1).expand(len(points), -1), points, sites.T, alpha=-2)
    return (squares + (points**2).sum(1, keepdim=True)).clamp_min_(0)
