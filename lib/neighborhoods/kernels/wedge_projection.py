"""The nearest point of a wedge and of its boundary, in closed form for any number of facets.

A wedge is the graph of one choice. Once $x_1 = u$ is fixed, every other coordinate has its own nearest value
$\\max(p_i, u\\tau_i)$, so what is left is a convex, piecewise quadratic problem in the single number $u$.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.wedge_normals import facet_normals
from neighborhoods.kernels.wedges import contains, facet_distances, require_angles, require_coordinates


class Projection(NamedTuple):
    """The nearest points of a wedge, in the precision of the points given.

    Attributes:
        point: $x$, equal to $p$ to the last bit where $p$ lies in the wedge.
        distance: $\\|x - p\\|_2$, zero in the wedge.
        multipliers: $\\lambda \\ge 0$ with $x - p = \\sum_i \\lambda_i n_i$ for the unit normals $n_i$ of
            `facet_normals`; positive on the *active* facets, those that hold $x$ up, and zero elsewhere.
    """

    point: Float[Tensor, "*batch n"]
    distance: Float[Tensor, "*batch"]
    multipliers: Float[Tensor, "*batch k"]


class BoundaryProjection(NamedTuple):
    """The nearest points of the boundary of a wedge, in the precision of the points given.

    Attributes:
        point: one nearest point $x$; where there are several, that on the first of their facets.
        distance: $\\|x - p\\|_2$, with a minus sign for $p$ outside the wedge.
        facets: inside, the facets that hold a nearest point; outside, those that hold the only one up; on the
            boundary, those that meet in $p$.
        feet: how many nearest points there are: 1 everywhere but on the medial axis of the wedge.
    """

    point: Float[Tensor, "*batch n"]
    distance: Float[Tensor, "*batch"]
    facets: Bool[Tensor, "*batch k"]
    feet: Int[Tensor, "*batch"]


@checked()
def wedge_projection(points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]) -> Projection:
    """Return the nearest point of the closed wedge, unique since the wedge is convex.

    With $\\tau_i = \\tan\\theta_{i-1}$, $x_i = \\max(p_i, u\\tau_i)$ and $x_j = p_j$ for $j > k$, where
    $u = x_1 \\ge 0$ is zero if $g(0) \\ge 0$ and otherwise the root of

    $$ g(u) = u - p_1 + \\sum_{i=2}^k \\tau_i\\,(u\\tau_i - p_i)_+, \\qquad
       u = \\frac{p_1 + \\sum_{i\\in A}\\tau_i p_i}{1 + \\sum_{i\\in A}\\tau_i^2}, \\quad
       A = \\{i : u\\tau_i > p_i\\} . $$

    $g$ is continuous with slope 1 or more, so one pass over its sorted kinks $p_i/\\tau_i > 0$ finds the
    piece of the root: $O(k\\log k)$ for a point, in double precision. The result is differentiable by $p$
    almost everywhere, and the gradient of half the squared distance is $p - x$.

    Args:
        points: $p$, coordinates of which the first $k$ matter; any leading shape, device and precision.
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.10, for all facets of the wedge at once; the closed form is ours.

    >>> wedge_projection(torch.tensor([0.1, -5.0, 7.0]), torch.full((2,), torch.pi / 3)).point
    tensor([0., 0., 7.])
    """
    angles, p = require_angles(angles), require_coordinates(points, angles)
    first, others, slopes = p[..., 0], p[..., 1:], angles.tan()
    already = (first >= 0) & (others >= first[..., None] * slopes).all(-1)
    height = torch.where(already, first, first_coordinate(first, others, slopes))
    raised = torch.maximum(others, height[..., None] * slopes)
    lift = raised - others
    pressure = torch.where(height > 0, 0.0, ((slopes * lift).sum(-1) - first).clamp(min=0))
    multipliers = torch.cat([pressure[..., None], lift / angles.cos()], -1)
    nearest = torch.cat([height[..., None], raised], -1)
    distance = torch.linalg.vector_norm(nearest - p, dim=-1)
    return Projection(replaced(points, nearest), distance.to(points), multipliers.to(points))


@checked()
def boundary_projection(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"], *, tolerance: float | None = None
) -> BoundaryProjection:
    """Return the nearest point of the boundary of the wedge, and say where it is not the only one.

    Outside it is the nearest point of the wedge. Inside, the largest ball around $p$ in the wedge touches the
    facets of least distance $d = \\min_i d_i$ at the feet $p - d\\,n_i$; two such facets make $p$ a point of
    the medial axis, such as all points of the centreline.

    Args:
        points: $p$, coordinates of which the first $k$ matter; any leading shape, device and precision.
        angles: the $k - 1$ angles $\\theta$ in radians.
        tolerance: distances that differ by less than this part of the largest of the $k$ coordinates count as
            equal; 8 units of rounding of the points if not given.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, an angle steeper than 85 degrees, or a
            negative tolerance.

    Source: ours, after the draft's Section 30.4: it projects on every plane and picks the nearest point.

    >>> corner = boundary_projection(torch.tensor([1.0, 1.0, 2.0]), torch.zeros(2))
    >>> corner.point, corner.feet
    (tensor([0., 1., 2.]), tensor(2))
    """
    if tolerance is None:
        tolerance = 8 * torch.finfo(points.dtype).eps
    if not tolerance >= 0:
        raise ValueError(f"tolerance: got {tolerance}; required 0 or more")
    inside, distances = contains(points, angles), facet_distances(points, angles)
    least, facet = distances.min(-1)
    blur = tolerance * require_coordinates(points, angles).abs().amax(-1)
    touched = distances <= (least + blur)[..., None]
    foot = points.double() - least[..., None] * facet_normals(angles, points.shape[-1])[facet]
    outside = wedge_projection(points, angles)
    return BoundaryProjection(
        point=torch.where(inside[..., None], foot.to(points), outside.point),
        distance=torch.where(inside, least.to(points), -outside.distance),
        facets=torch.where(inside[..., None], touched, outside.multipliers > 0),
        feet=torch.where(inside & (least > blur), touched.sum(-1), 1),
    )


def first_coordinate(
    first: Float64[Tensor, "*batch"],
    others: Float64[Tensor, "*batch leaning"],
    slopes: Float64[Tensor, "*#batch leaning"],
    floor: float | Float[Tensor, "*#batch"] = 0.0,
) -> Float64[Tensor, "*batch"]:
    """Return the minimiser $u$ of $(u - p_1)^2 + \\sum_i (u\\tau_i - p_i)_+^2$ over $u \\ge$ `floor`.

    A facet that leans inwards enters the sum at its kink $p_i/\\tau_i$; one that leans outwards leaves it.
    Only kinks beyond the floor are added up, since the others would cost digits and decide nothing.

    Args:
        first: $p_1$.
        others: $p_i$, one for each slope.
        slopes: $\\tau_i$; zero leaves a coordinate out.
        floor: least value of $u$, which may be $-\\infty$.
    """
    floor = torch.as_tensor(floor, dtype=first.dtype, device=first.device).expand(first.shape)
    steep = torch.where(slopes == 0, torch.inf, slopes)
    kinks = torch.where(slopes == 0, torch.inf, others / steep)
    ahead = kinks > floor[..., None]
    at_start = (slopes < 0) & ahead | (slopes > 0) & ~ahead
    order = kinks.argsort(-1)
    change, square, product = slopes.sign() * ahead, slopes**2, slopes * others
    rate = _after_each_kink(square, at_start, change, order) + 1
    level = _after_each_kink(product, at_start, change, order) + first[..., None]
    below = kinks.gather(-1, order) * rate < level  # g < 0 there, so that the root lies beyond
    passed = ahead & torch.zeros_like(below).scatter(-1, order, below)
    active = at_start ^ passed
    root = (first + (active * product).sum(-1)) / (1 + (active * square).sum(-1))
    return torch.maximum(root, floor)


def replaced(
    points: Float[Tensor, "*batch n"], nearest: Float64[Tensor, "*batch k"]
) -> Float[Tensor, "*batch n"]:
    """Return the points with other first coordinates, in their own precision."""
    return torch.cat([nearest.to(points), points[..., nearest.shape[-1] :]], -1)


def _after_each_kink(
    term: Tensor,
    at_start: Bool[Tensor, "*batch leaning"],
    change: Float64[Tensor, "*batch leaning"],
    order: Int[Tensor, "*batch leaning"],
) -> Float64[Tensor, "*batch leaning"]:
    """Return the sum of a term over the active facets just after each kink, kinks in order."""
    changes = (change * term).gather(-1, order).cumsum(-1)
    return (at_start * term).sum(-1, keepdim=True) + changes
