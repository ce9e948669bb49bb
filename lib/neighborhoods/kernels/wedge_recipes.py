"""Recipes for the projection onto a wedge that are right in some cases only, as the draft describes them.

They are here to be compared with `wedge_projection`, which is right in all.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.wedge_projection import first_coordinate, replaced
from neighborhoods.kernels.wedges import facet_distances, require_angles, require_coordinates


@checked()
def iterated_projection(
    points: Float[Tensor, "*batch n"], normals: Float[Tensor, "facets n"]
) -> Float[Tensor, "*batch n"]:
    """Project once onto each half-space in turn, $x \\gets x - \\min(\\langle x, v_i\\rangle, 0)\\,v_i$.

    For orthonormal $v_i$ the result is the nearest point of their intersection, in any order (Lemma 30.11).
    For others it depends on the order, need not be nearest and need not lie in the intersection.

    Args:
        points: $x$.
        normals: $v_i$, of unit length and pointing into the half-spaces, in the order of projection.

    Raises:
        ValueError: a normal that is not of unit length within six digits.

    Source: the draft, Lemma 30.11 and equations (106) and (107).

    >>> iterated_projection(torch.tensor([-1.0, 2.0]), torch.eye(2))
    tensor([0., 2.])
    """
    lengths = torch.linalg.vector_norm(normals, dim=-1)
    if not bool(((lengths - 1).abs() <= 1e-6).all()):
        raise ValueError(f"normals: got lengths {lengths.tolist()}; required 1")
    for normal in normals.to(points):
        points = points - (points @ normal).clamp(max=0)[..., None] * normal
    return points


@checked()
def violated_projection(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]
) -> Float[Tensor, "*batch n"]:
    """Project onto the intersection of those half-spaces of the wedge that do not contain the point.

    It is the nearest point of the wedge if it lies in the wedge, as it does where no two facets meet at an
    acute angle. Elsewhere the point may leave, on its way, a half-space that it was in.

    Args:
        points: $x$, coordinates of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.10, word for word.

    >>> violated_projection(torch.tensor([1.0, -5.0, 2.0]), torch.tensor([-torch.pi / 4, torch.pi / 4]))
    tensor([ 3., -3.,  2.])
    """
    p, violated = require_coordinates(points, angles), facet_distances(points, angles) < 0
    slopes = torch.where(violated[..., 1:], require_angles(angles).tan(), 0.0)
    floor = torch.where(violated[..., 0], 0.0, -torch.inf)
    height = first_coordinate(p[..., 0], p[..., 1:], slopes, floor)
    raised = torch.maximum(p[..., 1:], height[..., None] * slopes)
    raised = torch.where(violated[..., 1:], raised, p[..., 1:])
    return replaced(points, torch.cat([height[..., None], raised], -1))


@checked()
def printed_projection(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]
) -> Float[Tensor, "*batch n"]:
    """Project onto the intersection of all violated planes but the first, then to the apex if $x_1 < 0$.

    The projections along the chain of normals $w_i, w_{ij}, \\dots$ of the violated facets $I$, one after the
    other, end in the nearest point of the subspace where $x_i = x_1\\tan\\theta_{i-1}$ for $i \\in I$:

    $$ x_1 = \\frac{p_1 + \\sum_I p_i\\tan\\theta_{i-1}}{1 + \\sum_I\\tan^2\\theta_{i-1}} . $$

    Args:
        points: $p$, coordinates of which the first $k$ matter; those beyond stay as they are.
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, or an angle steeper than 85 degrees.

    Source: the draft, the text after equation (139), with normals of unit length.

    >>> printed_projection(torch.tensor([0.1, -5.0, 7.0]), torch.full((2,), torch.pi / 3))
    tensor([0., 0., 0.])
    """
    p, violated = require_coordinates(points, angles), facet_distances(points, angles)[..., 1:] < 0
    slopes = torch.where(violated, require_angles(angles).tan(), 0.0)
    height = (p[..., 0] + (slopes * p[..., 1:]).sum(-1)) / (1 + (slopes**2).sum(-1))
    others = torch.where(violated, height[..., None] * slopes, p[..., 1:])
    nearest = torch.cat([height[..., None], others], -1)
    return replaced(points, torch.where((height < 0)[..., None], 0.0, nearest))
