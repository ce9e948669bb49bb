"""How far the norms of Gaussian points and of uniform points of a ball stray from their typical radius.

The draft's bound for the Gaussian forgets the standard deviation and fails for large ones; the bounds here
hold in every dimension, and beside them stand exact probabilities and samplers that need little memory.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked

Numbers = float | Float[Tensor, "*#batch"]

_COORDINATES = 2**20  # drawn at a time: 4 MB stay near the processor


class Tails(NamedTuple):
    """The probabilities that a norm is too small and too large."""

    below: Float64[Tensor, "*batch"]
    above: Float64[Tensor, "*batch"]


@checked()
def annulus_bound(dimension: int, sigma: Numbers, epsilon: Numbers) -> Float64[Tensor, "..."]:
    """Return a lower bound on the probability that a Gaussian point lies in the annulus of half-width ε.

    $$ \\mathbb P\\big[|\\|x\\| - \\sigma\\sqrt n| \\le \\varepsilon\\big]
       \\ge 1 - 2e^{-c\\varepsilon^2/\\sigma^2}, \\qquad
       c = \\tfrac32 - \\ln 2 \\ \\text{ if } \\varepsilon \\le \\sigma\\sqrt n, \\text{ else } \\tfrac12. $$

    It is Chernoff's bound on $\\chi^2_n$. If $u = \\varepsilon/\\sigma\\sqrt n$, the upper tail has exponent
    $h(u)\\varepsilon^2/\\sigma^2$, where $h(u) = (u + u^2/2 - \\ln(1 + u))/u^2$ falls from 1 at $u = 0$
    through $\\frac32 - \\ln 2$ at $u = 1$ to $\\frac12$; the exponent of the lower tail is never less.

    Args:
        dimension: $n$, number of coordinates.
        sigma: standard deviation of each coordinate.
        epsilon: half-width of the annulus, in the unit of sigma; broadcast against it.

    Raises:
        ValueError: a dimension below 1, a sigma that is not positive or a negative epsilon.

    Source: the draft, Proposition 10.1, equation (8), corrected.
    """
    _require_dimension(dimension)
    s, e = _require("sigma", sigma, 0.0, strict=True), _require("epsilon", epsilon, 0.0)
    exponent = torch.where(e <= s * math.sqrt(dimension), 1.5 - math.log(2), 0.5)
    return 1 - 2 * torch.exp(-exponent * (e / s) ** 2)


@checked()
def printed_annulus_bound(epsilon: Numbers) -> Float64[Tensor, "..."]:
    """Return the bound that the draft prints, $1 - 2e^{-\\varepsilon^2/16}$, which is false for large σ.

    Args:
        epsilon: half-width of the annulus.

    Raises:
        ValueError: a negative epsilon.

    Source: the draft, Proposition 10.1, equation (8), as printed; use `annulus_bound` instead.
    """
    return 1 - 2 * torch.exp(-(_require("epsilon", epsilon, 0.0) ** 2) / 16)


@checked()
def annulus_tails(dimension: int, sigma: Numbers, epsilon: Numbers) -> Tails:
    """Return the exact probabilities that a Gaussian point lies inside or beyond the annulus of half-width ε.

    $\\|x\\|^2/\\sigma^2 \\sim \\chi^2_n$, so both are incomplete gamma functions, accurate also where tiny.

    Args:
        dimension: $n$, number of coordinates.
        sigma: standard deviation of each coordinate.
        epsilon: half-width of the annulus around $\\sigma\\sqrt n$; broadcast against sigma.

    Raises:
        ValueError: a dimension below 1, a sigma that is not positive or a negative epsilon.

    Source: ours, the exact left side of the draft's equation (8).
    """
    _require_dimension(dimension)
    s, e = _require("sigma", sigma, 0.0, strict=True), _require("epsilon", epsilon, 0.0)
    half = torch.full_like(e / s, dimension / 2)
    low, high = (math.sqrt(dimension) - e / s).clamp_min(0), math.sqrt(dimension) + e / s
    return Tails(torch.special.gammainc(half, low**2 / 2), torch.special.gammaincc(half, high**2 / 2))


@checked()
def annulus_probability(dimension: int, sigma: Numbers, epsilon: Numbers) -> Float64[Tensor, "..."]:
    """Return the exact chance of the annulus, $\\mathbb P[|\\|x\\| - \\sigma\\sqrt n| \\le \\varepsilon]$.

    Args:
        dimension: $n$, number of coordinates.
        sigma: standard deviation of each coordinate.
        epsilon: half-width of the annulus around $\\sigma\\sqrt n$; broadcast against sigma.

    Raises:
        ValueError: a dimension below 1, a sigma that is not positive or a negative epsilon.

    Source: ours, the exact left side of the draft's equation (8).

    >>> annulus_probability(784, 10.0, 8.0) < printed_annulus_bound(8.0)
    tensor(True)
    """
    below, above = annulus_tails(dimension, sigma, epsilon)
    return 1 - (below + above)


@checked()
def shell_bound(dimension: int, radius: Numbers, delta: Numbers) -> Float64[Tensor, "..."]:
    """Return the bound on the share of a ball within δ of its sphere: $1 - e^{-\\delta n/r}$.

    Args:
        dimension: $n$, number of coordinates.
        radius: $r > 0$, of the ball.
        delta: $0 \\le \\delta \\le r$, thickness of the shell.

    Raises:
        ValueError: a dimension below 1, a radius that is not positive, a delta outside [0, radius].

    Source: the draft, Proposition 10.1, equation (9).
    """
    share = _require_share(dimension, radius, delta)
    return -torch.expm1(-share * dimension)


@checked()
def shell_probability(dimension: int, radius: Numbers, delta: Numbers) -> Float64[Tensor, "..."]:
    """Return the share of a ball within δ of its sphere: $1 - (1 - \\delta/r)^n$.

    Args:
        dimension: $n$, number of coordinates.
        radius: $r > 0$, of the ball.
        delta: $0 \\le \\delta \\le r$, thickness of the shell.

    Raises:
        ValueError: a dimension below 1, a radius that is not positive, a delta outside [0, radius].

    Source: ours, the exact left side of the draft's equation (9).

    >>> shell_probability(2, 1.0, 0.5)
    tensor(0.7500, dtype=torch.float64)
    """
    share = _require_share(dimension, radius, delta)
    return -torch.expm1(dimension * torch.log1p(-share))


@checked(count=0)
def gaussian_points(
    count: int, dimension: int, sigma: float, *, generator: torch.Generator | None = None
) -> Float[Tensor, "{count} {dimension}"]:
    """Draw points of $N(0, \\sigma^2I)$, on the generator's device.

    Args:
        count: number of points.
        dimension: $n$, number of coordinates.
        sigma: standard deviation of each coordinate.
        generator: source of randomness; torch's own if not given.

    Raises:
        ValueError: a dimension below 1 or a sigma that is not positive.

    Source: the draft, Figure 19, which needs $\\sigma = 7/\\sqrt n$ rather than the printed $7\\sqrt n$.
    """
    _require_dimension(dimension)
    _require("sigma", sigma, 0.0, strict=True)
    device = "cpu" if generator is None else generator.device
    return torch.randn(count, dimension, generator=generator, device=device).mul_(sigma)


@checked(count=0)
def ball_points(
    count: int, dimension: int, radius: float, *, generator: torch.Generator | None = None
) -> Float64[Tensor, "{count} {dimension}"]:
    """Draw uniform points $rU^{1/n}g/\\|g\\|$ of the ball $B_r(0)$, with Gaussian $g$.

    They are float64: their norms spread over $r/n$, where float32 has few values left if $n$ is large.

    Args:
        count: number of points.
        dimension: $n$, number of coordinates.
        radius: $r > 0$.
        generator: source of randomness, on whose device they are; torch's own if not given.

    Raises:
        ValueError: a dimension below 1 or a radius that is not positive.

    Source: the draft, Figure 19; the method is Muller's (1959).
    """
    _require("radius", radius, 0.0, strict=True)
    points = gaussian_points(count, dimension, 1.0, generator=generator)
    uniform = torch.rand(count, 1, generator=generator, device=points.device, dtype=torch.float64)
    length = torch.linalg.vector_norm(points, dim=1, keepdim=True, dtype=torch.float64)
    scale: Tensor = radius * uniform.pow(1 / dimension) / length
    return points * scale


@checked()
def norms(sampler: Callable[[int], Float[Tensor, "chunk n"]], count: int) -> Float64[Tensor, " {count}"]:
    """Return the norms of many sampled points, of which about a million coordinates exist at a time.

    Args:
        sampler: number of points to that many points, such as a `partial` of `ball_points`.
        count: number of norms.

    Raises:
        ValueError: a count below 1.

    Source: ours, for the draft's Figure 19.
    """
    if count < 1:
        raise ValueError(f"count: got {count}; required at least 1")
    first = sampler(1)
    chunk = max(1, _COORDINATES // first.shape[1])
    sizes = [min(chunk, count - start) for start in range(1, count, chunk)]
    lengths = [torch.linalg.vector_norm(sampler(size), dim=1, dtype=torch.float64) for size in sizes]
    return torch.cat([torch.linalg.vector_norm(first, dim=1, dtype=torch.float64), *lengths])


def _require_dimension(dimension: int) -> None:
    if dimension < 1:
        raise ValueError(f"dimension: got {dimension}; required at least 1")


def _require(name: str, value: Numbers, least: float, *, strict: bool = False) -> Float64[Tensor, "..."]:
    number = torch.as_tensor(value, dtype=torch.float64)
    if bool(((number > least) if strict else (number >= least)).all()):
        return number
    raise ValueError(f"{name}: got {value}; required {'greater than' if strict else 'at least'} {least}")


def _require_share(dimension: int, radius: Numbers, delta: Numbers) -> Float64[Tensor, "..."]:
    _require_dimension(dimension)
    share = _require("delta", delta, 0.0) / _require("radius", radius, 0.0, strict=True)
    if bool((share <= 1).all()):
        return share
    raise ValueError(f"delta: got {delta}; required at most the radius, {radius}")
