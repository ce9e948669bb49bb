"""Straight lines through a wedge: where they enter, where they leave, and through which facets."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.wedges import centreline_point, facet_distances


class Line(NamedTuple):
    """The line $x(t) = $ start $+\\;t\\,\\cdot$ direction."""

    start: Float64[Tensor, " n"]
    direction: Float64[Tensor, " n"]


class Crossing(NamedTuple):
    """The part $[t_0, t_1]$ of each line that lies in the closed wedge.

    Attributes:
        enter: $t_0$, $-\\infty$ for a line that comes from inside.
        leave: $t_1$, $\\infty$ for a line that stays inside.
        entered: facets through which the line enters, several where it meets an edge or the apex.
        left: facets through which it leaves.
        meets: whether there is such a part; where there is none, $t_0 > t_1$ and no facet is marked.
    """

    enter: Float64[Tensor, "*batch"]
    leave: Float64[Tensor, "*batch"]
    entered: Bool[Tensor, "*batch k"]
    left: Bool[Tensor, "*batch k"]
    meets: Bool[Tensor, "*batch"]


@checked()
def centreline(angles: Float[Tensor, " leaning"], dimension: int | None = None) -> Line:
    """Return the line through the apex whose points are equally far from all facets, at distance $t$.

    Args:
        angles: the $k - 1$ angles $\\theta$ in radians.
        dimension: number of coordinates; $k$ if not given.

    Raises:
        ValueError: a dimension below $k$, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.9, corrected; see `wedges.centreline_point`.
    """
    direction = centreline_point(1.0, angles, dimension)
    return Line(torch.zeros_like(direction), direction)


@checked()
def parallel_line(height: float, angles: Float[Tensor, " leaning"], dimension: int | None = None) -> Line:
    """Return the line along the first axis at one height above all others: $x_1 = t$, $x_i = \\varepsilon$.

    Args:
        height: $\\varepsilon$.
        angles: the $k - 1$ angles $\\theta$ in radians, for the number of facets.
        dimension: number of coordinates; $k$ if not given.

    Raises:
        ValueError: a height that is not finite, a dimension below $k$, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.9.

    >>> parallel_line(0.5, torch.zeros(2)).start
    tensor([0.0000, 0.5000, 0.5000], dtype=torch.float64)
    """
    if not abs(height) < torch.inf:
        raise ValueError(f"height: got {height}; required a finite number")
    direction = torch.zeros_like(centreline_point(1.0, angles, dimension))
    direction[0] = 1
    return Line(height * (1 - direction), direction)


@checked()
def line_crossing(
    starts: Float[Tensor, "*#batch n"],
    directions: Float[Tensor, "*#batch n"],
    angles: Float[Tensor, " leaning"],
) -> Crossing:
    """Return where lines run inside the closed wedge, exactly: the distance to each facet is affine in $t$.

    $$ t_0 = \\max_{i:\\,s_i > 0} -\\frac{d_i}{s_i}, \\qquad t_1 = \\min_{i:\\,s_i < 0} -\\frac{d_i}{s_i},
       \\qquad d_i(x + tv) = d_i(x) + t\\,s_i, \\quad s_i = d_i(v), $$

    and a line parallel to a facet has to start on its inner side.

    Args:
        starts: $x$, coordinates of which the first $k$ matter.
        directions: $v$, of any length, not zero in all of the first $k$; broadcast against the starts.
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, a direction along which no distance
            changes, or an angle steeper than 85 degrees.

    Source: ours.

    >>> line = parallel_line(1.0, torch.tensor([torch.pi / 4]))
    >>> [round(float(t), 6) for t in line_crossing(*line, torch.tensor([torch.pi / 4]))[:2]]
    [0.0, 1.0]
    """
    starts, directions = torch.broadcast_tensors(starts, directions)
    d, s = facet_distances(starts, angles), facet_distances(directions, angles)
    if bool((s == 0).all(-1).any()):
        raise ValueError("directions: got one that moves along no facet; required a change of its distances")
    times = (0 - d) / torch.where(s == 0, 1.0, s)
    rising, falling = s > 0, s < 0
    enter = torch.where(rising, times, -torch.inf).amax(-1)
    leave = torch.where(falling, times, torch.inf).amin(-1)
    beside = ((s == 0) & (d < 0)).any(-1)
    enter, leave = torch.where(beside, torch.inf, enter), torch.where(beside, -torch.inf, leave)
    meets = enter <= leave
    entered = rising & meets[..., None] & _touching(d, s, enter)
    left = falling & meets[..., None] & _touching(d, s, leave)
    return Crossing(enter, leave, entered, left, meets)


def _touching(
    d: Float64[Tensor, "*batch k"], s: Float64[Tensor, "*batch k"], t: Float64[Tensor, "*batch"]
) -> Bool[Tensor, "*batch k"]:
    """Tell which facets are met at $t$, within the rounding of the terms of their distances."""
    moved = torch.where(t.isfinite(), t, 0.0)[..., None] * s
    size = (d.abs() + moved.abs()).amax(-1, keepdim=True)
    return ((d + moved).abs() <= 8 * torch.finfo(d.dtype).eps * size) & t.isfinite()[..., None]
