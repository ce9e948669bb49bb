"""What the spectrum of a sample projected to the boundary of an orthant must be, from integrals."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from scipy import integrate, stats

from neighborhoods.kernels.arguments import checked

Part = Literal["raw", "centred", "differences", "displacements"]


class OrthantSpectrum(NamedTuple):
    """Singular values that belong to the k facets of an orthant; the other directions have `others`.

    Attributes:
        repeated: deviation in the $k - 1$ directions across the diagonal of the k coordinates.
        diagonal: deviation along that diagonal.
        others: deviation in all other directions, 0 for displacements.
    """

    repeated: float
    diagonal: float
    others: float


@checked()
def orthant_spectrum(facets: int, part: Part) -> OrthantSpectrum:
    r"""Return the singular values, over the root of the degrees of freedom, that a large sample tends to.

    Independent standard normals around the apex go to the nearest point $Y$ of the boundary of
    $\{x_1, \dots, x_k \ge 0\}$: negative coordinates become zero or, where none is, the least one does. With
    $\Phi_-(z) = \Phi(-z)$

    $$ \mathbb E[Y_1] = \tfrac1{\sqrt{2\pi}} - \int_0^\infty z\varphi\Phi_-^{k-1}dz, \qquad
       \mathbb E[Y_1^2] = \tfrac12 - \int_0^\infty z^2\varphi\Phi_-^{k-1}dz, \qquad
       \mathbb E[Y_1Y_2] = \tfrac1{2\pi} - 2\int_0^\infty z\varphi^2\Phi_-^{k-2}dz , $$

    and $Z - Y$ has $\mathbb E[D_1^2] = 1 - \mathbb E[Y_1^2]$, $\mathbb E[D_1D_2] = \frac1{2\pi}$. A matrix of
    one number $a$ on its diagonal and another, $b$, elsewhere has the eigenvalues $a - b$ and
    $a + (k - 1)b$.

    Args:
        facets: $k \ge 1$.
        part: which sample: `raw`, `centred`, `differences` of pairs, or `displacements` $Z - Y$.

    Raises:
        ValueError: no facet, or another part.

    Source: ours; for large $k$ the draft's $\max(0, Z)$, of variance $\frac12 - \frac1{2\pi}$.

    >>> round(orthant_spectrum(10, "centred").repeated, 3)
    0.584
    """
    if facets < 1 or part not in get_args(Part):
        raise ValueError(f"facets, part: got {facets}, {part!r}; required 1 or more, {get_args(Part)}")
    k = facets
    mean = 1 / math.sqrt(2 * math.pi) - _inner(lambda z, q: z * stats.norm.pdf(z) * q ** (k - 1))
    square = 0.5 - _inner(lambda z, q: z * z * stats.norm.pdf(z) * q ** (k - 1))
    product = 0.0
    if k > 1:
        product = 1 / (2 * math.pi) - 2 * _inner(lambda z, q: z * stats.norm.pdf(z) ** 2 * q ** (k - 2))
    if part == "displacements":
        return _split(1 - square, 1 / (2 * math.pi), k, 0.0)
    if part == "raw":
        return _split(square, product, k, 1.0)
    factor = 2.0 if part == "differences" else 1.0
    return _split(factor * (square - mean**2), factor * (product - mean**2), k, math.sqrt(factor))


def _inner(density: Callable[[float, float], float]) -> float:
    value: float = integrate.quad(lambda z: density(z, float(stats.norm.sf(z))), 0, math.inf, epsabs=1e-12)[0]
    return value


def _split(own: float, shared: float, k: int, others: float) -> OrthantSpectrum:
    repeated, diagonal = own - shared, own + (k - 1) * shared
    return OrthantSpectrum(math.sqrt(max(0.0, repeated)), math.sqrt(max(0.0, diagonal)), others)
