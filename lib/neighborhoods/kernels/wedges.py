"""Orthants and wedges: who lies inside, how far from each facet, and the exact stability of a point.

A $k$-$\\Theta$-wedge is a convex cone whose first facet is $x_1 = 0$ and whose facet $i$ leans by
$\\theta_{i-1}$ from the coordinate plane $x_i = 0$; all angles zero give the orthant. Wedges are models of
a decision boundary for which everything is known: truth that the sampling kernels are tested against.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked

STEEPEST = math.radians(85)
"""The largest angle whose quadrature error is stated; steeper wedges are refused."""

LARGEST = 1e150
"""The largest coordinate whose square is a number; larger ones, infinities and NaN are refused."""

_REACH, _PANELS = 9.0, 16  # the normal tail beyond 9 is 1e-19
_RULE = np.polynomial.legendre.leggauss(20)


@checked()
def contains(points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]) -> Bool[Tensor, "*batch"]:
    """Tell which points lie in the closed wedge: $x_1 \\ge 0$ and $x_i \\ge x_1\\tan\\theta_{i-1}$.

    Args:
        points: coordinates, of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians; zeros give the orthant, none the half-space.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, or an angle steeper than 85 degrees.

    Source: the draft, Definitions 30.7 and 30.8, closed as in Section 4: the facets belong to the wedge.

    >>> contains(torch.tensor([[1.0, 2.0], [1.0, 0.5]]), torch.tensor([math.pi / 4]))
    tensor([ True, False])
    """
    return (facet_distances(points, angles) >= 0).all(-1)


@checked()
def facet_distances(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]
) -> Float64[Tensor, "*batch k"]:
    """Return the signed distance to the hyperplane of each facet, positive on the wedge's side.

    $$ d_1 = x_1, \\qquad d_i = x_i\\cos\\theta_{i-1} - x_1\\sin\\theta_{i-1} \\quad (1 < i \\le k). $$

    Args:
        points: coordinates, of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: fewer than $k$ coordinates, one that is not finite, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.8 and equation (108), with unit normals.
    """
    angles, x = require_angles(angles), require_coordinates(points, angles)
    first, others = x[..., :1], x[..., 1:]
    return torch.cat([first, others * angles.cos() - first * angles.sin()], -1)


@checked()
def centreline_point(
    distance: float, angles: Float[Tensor, " leaning"], dimension: int | None = None
) -> Float64[Tensor, " n"]:
    """Return the point of the wedge whose distance from every facet is the same, $d$.

    $$ x_1 = d, \\qquad x_i = d\\tan\\Big(\\frac\\pi4 + \\frac{\\theta_{i-1}}2\\Big)
       = d(\\sec\\theta_{i-1} + \\tan\\theta_{i-1}), \\qquad x_j = 0 \\quad (j > k). $$

    Args:
        distance: the inradius $d \\ge 0$.
        angles: the $k - 1$ angles $\\theta$ in radians.
        dimension: number of coordinates; $k$ if not given.

    Raises:
        ValueError: a negative distance, a dimension below $k$, or an angle steeper than 85 degrees.

    Source: the draft, Definition 30.9, corrected: its $t\\tan(\\theta/2)$ lies on the boundary of an orthant.

    >>> centreline_point(1.0, torch.tensor([0.0, math.pi / 6]), dimension=4)
    tensor([1.0000, 1.0000, 1.7321, 0.0000], dtype=torch.float64)
    """
    angles = require_angles(angles)
    k = len(angles) + 1
    n = k if dimension is None else dimension
    if not 0 <= distance < math.inf:
        raise ValueError(f"distance: got {distance}; required a finite number, 0 or more")
    if n < k:
        raise ValueError(f"dimension: got {n}; required at least {k}, one for each facet")
    point = torch.zeros(n, dtype=torch.float64, device=angles.device)
    point[0] = distance
    point[1:k] = distance * torch.tan(math.pi / 4 + angles / 2)
    return point


@checked()
def orthant_stability(
    distances: Float[Tensor, "*#batch k"], sigma: float | Float[Tensor, "*#batch"], *, outside: bool = False
) -> Float64[Tensor, "..."]:
    """Return the probability that Gaussian noise leaves a point in the orthant, wherever the point lies.

    $$ P(\\sigma) = \\prod_{i\\le k}\\Phi(x_i/\\sigma), \\qquad P_{\\rm out}(\\sigma) = 1 - P(\\sigma). $$

    Args:
        distances: signed distances $x_i$ from the $k$ facets; the other coordinates do not matter.
        sigma: standard deviation of the noise; broadcast against the points.
        outside: return the probability of the complement, the stability of a point outside.

    Raises:
        ValueError: no facet, or a standard deviation that is not positive.

    Source: the draft, Proposition 4.3, where all $x_i = d$; unequal and negative ones are ours.

    >>> orthant_stability(torch.zeros(3), 1.0)
    tensor(0.1250, dtype=torch.float64)
    """
    x = distances.double()
    if x.shape[-1] < 1:
        raise ValueError("distances: got no facets; required at least 1")
    log_inside = torch.special.log_ndtr(x / _require_positive("sigma", sigma, x)[..., None]).sum(-1)
    return -torch.expm1(log_inside) if outside else log_inside.exp()


@checked()
def wedge_stability(
    points: Float[Tensor, "*#batch n"],
    angles: Float[Tensor, " leaning"],
    sigma: float | Float[Tensor, "*#batch"],
    *,
    outside: bool = False,
) -> Float64[Tensor, "..."]:
    """Return the probability that Gaussian noise leaves a point in the wedge, wherever the point lies.

    Given its first coordinate $x_1 + \\sigma z$, the other coordinates of the noisy point are independent:

    $$ P(\\sigma) = \\int_{-x_1/\\sigma}^\\infty \\varphi(z)
       \\prod_{i=2}^k \\Phi\\Big(\\frac{x_i - (x_1 + \\sigma z)\\tan\\theta_{i-1}}{\\sigma}\\Big)\\,dz . $$

    Sixteen panels of 20 Gauss-Legendre nodes cover $|z| \\le 9$; the absolute error is below 1e-14 for angles
    up to 80 degrees and below 1e-11 up to 85 degrees.

    Args:
        points: coordinates, of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians.
        sigma: standard deviation of the noise; broadcast against the points.
        outside: return the probability of the complement, the stability of a point outside.

    Raises:
        ValueError: fewer than $k$ coordinates, an angle beyond 85 degrees, or a sigma that is not positive.

    Source: the wedge of the draft, Definition 30.8; the integral is ours.
    """
    angles, x = require_angles(angles), require_coordinates(points, angles)
    scaled = x / _require_positive("sigma", sigma, x[..., 0])[..., None]
    z, weights = _nodes((-scaled[..., 0]).clamp(-_REACH, _REACH))
    inside = weights * torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    for i, slope in enumerate(angles.tan(), start=1):
        inside = inside * torch.special.ndtr(scaled[..., i, None] - (scaled[..., :1] + z) * slope)
    return 1 - inside.sum(-1) if outside else inside.sum(-1)


@checked()
def solid_angle(angles: Float[Tensor, " leaning"]) -> float:
    """Return the share of all directions that point into the wedge.

    $$ \\Omega = \\int_0^\\infty \\varphi(z)\\prod_{i<k}\\Phi(-z\\tan\\theta_i)\\,dz, $$

    the limit of $P(\\sigma)$ for large $\\sigma$: inside, persistence is finite only if $\\gamma > \\Omega$.

    Args:
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: an angle steeper than 85 degrees.

    Source: ours; $2^{-k}$ for the orthant and $(\\pi/2 - \\theta)/2\\pi$ for $k = 2$.

    >>> round(solid_angle(torch.zeros(3)), 12)
    0.0625
    """
    apex = torch.zeros(len(angles) + 1, dtype=torch.float64, device=angles.device)
    return float(wedge_stability(apex, angles, 1.0))


def _nodes(
    low: Float64[Tensor, "*batch"],
) -> tuple[Float64[Tensor, "*batch nodes"], Float64[Tensor, "*batch nodes"]]:
    """Return composite Gauss-Legendre nodes and weights on [low, 9], one row for each lower limit."""
    node, weight = (torch.from_numpy(a).to(low) for a in _RULE)
    panel = torch.arange(_PANELS, dtype=low.dtype, device=low.device)
    unit = ((panel[:, None] + (node + 1) / 2) / _PANELS).flatten()
    length = (_REACH - low)[..., None]
    return low[..., None] + length * unit, length * weight.repeat(_PANELS) / (2 * _PANELS)


def require_angles(angles: Float[Tensor, " leaning"]) -> Float64[Tensor, " leaning"]:
    """Return the angles in double precision; raise `ValueError` beyond 85 degrees, for NaN or no vector."""
    if angles.ndim != 1:
        raise ValueError(f"angles: got shape {tuple(angles.shape)}; required one axis, an angle a facet")
    if bool((angles.abs() <= STEEPEST).all()):
        return angles.double()
    raise ValueError(f"angles: got {angles.tolist()} radians; required within ±{STEEPEST:.4f} (85 degrees)")


def require_coordinates(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"]
) -> Float64[Tensor, "*batch k"]:
    """Return the first $k$ coordinates in double precision; raise `ValueError` for fewer, NaN or overflow."""
    k = len(angles) + 1
    if not points.is_floating_point():
        raise ValueError(f"points: got {points.dtype}; required a floating type")
    if not points.ndim or points.shape[-1] < k:
        raise ValueError(
            f"points: got {(points.shape or (0,))[-1]} coordinates; required at least {k}, one for each facet"
        )
    x = points[..., :k].double()
    if bool((x.abs() <= LARGEST).all()):
        return x
    wrong = int((~(x.abs() <= LARGEST)).any(-1).sum())
    raise ValueError(
        f"points: got {wrong} of {x[..., 0].numel()} with a NaN, an infinite or a huge coordinate; "
        f"required at most {LARGEST:g} in size"
    )


def _require_positive(name: str, value: float | Tensor, like: Tensor) -> Float64[Tensor, "..."]:
    number = torch.as_tensor(value, dtype=torch.float64, device=like.device)
    if bool(((number > 0) & (number < math.inf)).all()):
        return number
    raise ValueError(f"{name}: got {value}; required finite and greater than 0")
