"""Persistence of points inside and outside wedges, exactly, and the facet number that it stands for.

The chance $I(s)$ that noise $\\sigma = 1/s$ takes a point $x$ into a convex cone is the Gaussian measure of
the cone moved by $-sx$. By Prékopa's theorem it is log-concave in $s$, so every level is crossed at most
twice: a point inside is unstable for all $\\sigma > \\sigma^*$, and a point outside on one interval at most,
the dip.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.statistics import require_fraction
from neighborhoods.kernels.wedges import contains, facet_distances, orthant_stability, wedge_stability

_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 56  # shrinks 50 units of log sigma to 1e-10 by golden section and to rounding by bisection


class Dip(NamedTuple):
    """The noise levels where a point is not stable: $P(\\sigma) < \\gamma$ exactly for low < σ < high.

    Attributes:
        low: the persistence $\\sigma^*_\\gamma$ (Definition 4.2); infinite for a point stable at every σ.
        high: the noise beyond which the point is stable again; infinite where there is none.
    """

    low: Float64[Tensor, "*batch"]
    high: Float64[Tensor, "*batch"]


@checked()
def orthant_persistence(
    distance: float | Float[Tensor, "*#batch"],
    facets: int | Int[Tensor, "*#batch"],
    gamma: float | Float[Tensor, "*#batch"],
) -> Float64[Tensor, "..."]:
    """Return the persistence of a point inside an orthant at the same distance from each of its facets.

    $$ \\sigma^*_\\gamma = \\frac{d}{\\Phi^{-1}(\\gamma^{1/k})} \\quad (\\gamma > 2^{-k}), \\qquad
       \\sigma^*_\\gamma = \\infty \\quad (\\gamma \\le 2^{-k}). $$

    Args:
        distance: $d \\ge 0$; the result has its unit.
        facets: $k \\ge 1$, the number of facets.
        gamma: the level, in (0, 1); the three arguments are broadcast.

    Raises:
        ValueError: a negative distance, no facet, or a level outside (0, 1).

    Source: the draft, Proposition 4.3; the case of small levels, where its formula is negative, is ours.

    >>> orthant_persistence(1.0, torch.tensor([1, 2, 3]), 0.7)
    tensor([1.9069, 1.0196, 0.8227], dtype=torch.float64)
    >>> orthant_persistence(1.0, 2, 0.25)
    tensor(inf, dtype=torch.float64)
    """
    d = _require("distance", distance, lambda value: value >= 0, "0 or more")
    k = _require("facets", facets, lambda value: value >= 1, "at least 1")
    level = _require("gamma", gamma, lambda value: (value > 0) & (value < 1), "strictly between 0 and 1")
    quantile = -torch.special.ndtri(-torch.expm1(level.log() / k))
    always = level.log() <= -k * math.log(2)
    return torch.where(always, math.inf, d / torch.where(always, 1.0, quantile))


@checked("sigma")
def effective_facets(
    distance: float | Float[Tensor, "*#batch"],
    sigma: float | Float[Tensor, "*#batch"],
    gamma: float | Float[Tensor, "*#batch"],
) -> Float64[Tensor, "..."]:
    """Return how many facets an orthant needs for a given persistence at a given distance.

    $$ k_{\\rm eff} = \\frac{\\ln\\gamma}{\\ln\\Phi(d/\\sigma^*)}, $$

    the inverse of Proposition 4.3: 1 for a flat boundary, more where the class is a corner around the point,
    less where the other class is one. It is $-\\log_2\\gamma$ for infinite persistence and infinite for zero.

    Args:
        distance: $d > 0$, from the point to the boundary.
        sigma: the persistence $\\sigma^* \\ge 0$, in the unit of the distance; infinite values are allowed.
        gamma: the level of that persistence, in (0, 1); the three arguments are broadcast.

    Raises:
        ValueError: a distance that is not positive, a negative persistence, or a level outside (0, 1).

    Source: ours, from the draft's Proposition 4.3.

    >>> effective_facets(1.0, orthant_persistence(1.0, 7, 0.7), 0.7)
    tensor(7.0000, dtype=torch.float64)
    """
    d = _require("distance", distance, lambda value: value > 0, "greater than 0")
    s = _require("sigma", sigma, lambda value: value >= 0, "0 or more")
    level = _require("gamma", gamma, lambda value: (value > 0) & (value < 1), "strictly between 0 and 1")
    facets: Tensor = level.log() / torch.special.log_ndtr(d / s)
    return facets


@checked()
def orthant_dip(distances: Float[Tensor, "*batch k"], gamma: float) -> Dip:
    """Return where points inside or outside an orthant are unstable; see `wedge_dip`.

    Args:
        distances: signed distances $x_i$ from the $k$ facets; a point is inside when none is negative.
        gamma: the level, in (0, 1).

    Raises:
        ValueError: no facet, or a level outside (0, 1).

    Source: ours; the closed form of the draft's Proposition 4.3 covers only equal positive distances.

    >>> dip = orthant_dip(torch.tensor([-1.0, 5.0]), 0.7)
    >>> round(float(dip.low), 3), round(float(dip.high), 2)
    (1.922, 14.5)
    """
    require_fraction("gamma", gamma)
    inside = (distances >= 0).all(-1)
    return _dip(lambda s: orthant_stability(distances, 1 / s), inside, distances.double(), gamma)


@checked()
def wedge_dip(points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"], gamma: float) -> Dip:
    """Return where points inside or outside a wedge are unstable, for each the class it lies in.

    The first crossing of $\\gamma$ is the persistence. From outside, $1 - I(1/\\sigma)$ need not be monotone:
    the peak of the log-concave $I$ is found by golden section, then each flank is bisected. A crossing beyond
    $10^{12}$ times the largest distance from a facet counts as infinite.

    Args:
        points: coordinates, of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians.
        gamma: the level, in (0, 1), not closer to 1 than the error of the quadrature.

    Raises:
        ValueError: fewer than $k$ coordinates, an angle beyond 85 degrees, or a level outside (0, 1).

    Source: ours; the wedge is the draft's Definition 30.8.
    """
    require_fraction("gamma", gamma)
    inside, distances = contains(points, angles), facet_distances(points, angles)
    return _dip(lambda s: wedge_stability(points, angles, 1 / s), inside, distances, gamma)


@checked()
def wedge_persistence(
    points: Float[Tensor, "*batch n"], angles: Float[Tensor, " leaning"], gamma: float
) -> Float64[Tensor, "*batch"]:
    """Return the persistence of points inside or outside a wedge: the first crossing, `wedge_dip(...).low`.

    $$ \\sigma^*_\\gamma = \\sup\\{\\sigma : P(\\tau) \\ge \\gamma \\text{ for all } \\tau < \\sigma\\}. $$

    Args:
        points: coordinates, of which the first $k$ matter.
        angles: the $k - 1$ angles $\\theta$ in radians.
        gamma: the level, in (0, 1).

    Raises:
        ValueError: fewer than $k$ coordinates, an angle beyond 85 degrees, or a level outside (0, 1).

    Source: the draft, Definition 4.2 on the wedge of Definition 30.8.

    >>> point = torch.tensor([1.0, 1.0])
    >>> wedge_persistence(point, torch.zeros(1), 0.7) - orthant_persistence(1.0, 2, 0.7) < 1e-12
    tensor(True)
    """
    return wedge_dip(points, angles, gamma).low


def _dip(
    enters: Callable[[Tensor], Tensor],
    inside: Tensor,
    distances: Float64[Tensor, "*batch k"],
    gamma: float,
) -> Dip:
    """Return both crossings of gamma, given the chance of being in the cone as a function of s = 1/σ."""

    def unstable(log_s: Tensor) -> Tensor:
        probability = enters(log_s.exp())
        return torch.where(inside, probability < gamma, probability > 1 - gamma)

    size = distances.abs()
    near = torch.where(size > 0, size, math.inf).amin(-1)
    near, far = torch.where(near < math.inf, near, 1.0), torch.where(near < math.inf, size.amax(-1), 1.0)
    bottom, top = -(1e12 * far).log(), (40 / near).log()
    # Inside, instability is greatest at s = 0; outside, where the chance of falling into the cone peaks.
    worst = bottom if bool(inside.all()) else torch.where(inside, bottom, _peak(enters, bottom, top))
    low = torch.where(unstable(worst), (-_boundary(unstable, worst, top)).exp(), math.inf)
    low = torch.where(unstable(top), 0.0, low)
    returns = unstable(worst) & ~unstable(bottom)
    if bool(returns.any()):
        return Dip(low, torch.where(returns, (-_boundary(unstable, worst, bottom)).exp(), math.inf))
    return Dip(low, torch.full_like(low, math.inf))


def _peak(function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor) -> Tensor:
    """Return where a log-concave probability of s peaks, by golden section on log s."""

    def value(log_s: Tensor) -> Tensor:
        return function(log_s.exp()).clamp_min(1e-12)  # below, rounding would hide the slope of the tail

    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = value(left), value(right)
    for _ in range(_STEPS):
        down = at_left >= at_right  # equal only where the tail was clamped: the peak lies below
        low, high = torch.where(down, low, left), torch.where(down, right, high)
        new = torch.where(down, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = value(new)
        left, right = torch.where(down, new, right), torch.where(down, left, new)
        at_left, at_right = torch.where(down, at_new, at_right), torch.where(down, at_left, at_new)
    return (low + high) / 2


def _boundary(unstable: Callable[[Tensor], Tensor], inner: Tensor, outer: Tensor) -> Tensor:
    """Return where instability, which holds at `inner` and not at `outer`, ends, by bisection."""
    for _ in range(_STEPS):
        middle = (inner + outer) / 2
        hit = unstable(middle)
        inner, outer = torch.where(hit, middle, inner), torch.where(hit, outer, middle)
    return outer


def _require(
    name: str, value: float | int | Tensor, allowed: Callable[[Tensor], Tensor], required: str
) -> Float64[Tensor, "..."]:
    number = torch.as_tensor(value, dtype=torch.float64)
    if bool(allowed(number).all()):
        return number
    raise ValueError(f"{name}: got {value}; required {required}")
