"""Spectra of samples in which there is nothing to find: independent normals, their edges and their law."""

import math

import torch
from jaxtyping import Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.statistics import require_fraction

_ANGLES = 4097  # nodes of the cumulative law; its error is below 1e-7


@checked()
def marchenko_pastur(rows: int, columns: int) -> Float64[Tensor, " r"]:
    r"""Return the singular values that `rows` independent standard normal vectors have in the limit.

    With $c = n/m \le 1$ the squares over $m$ have the density
    $\sqrt{(\lambda_+ - \lambda)(\lambda - \lambda_-)} / (2\pi c\lambda)$ between
    $\lambda_\pm = (1 \pm \sqrt c)^2$. Under $\lambda = 1 + c + 2\sqrt c\cos\phi$ it becomes
    $\frac2\pi\sin^2\phi\,/\,\lambda$ on $(0, \pi)$, which is smooth. The value of rank $i$ is the quantile at
    $(i - \frac12)/r$.

    Args:
        rows: $m$, the points.
        columns: $n$, the coordinates; with more columns than rows the transpose has the same values.

    Returns:
        $r = \min(m, n)$ values, the largest first.

    Raises:
        ValueError: fewer than one row or column.

    Source: Marchenko and Pastur (1967).

    >>> [round(value, 1) for value in marchenko_pastur(400, 100)[[0, -1]].tolist()]
    [29.5, 10.3]
    """
    if min(rows, columns) < 1:
        raise ValueError(f"rows, columns: got {rows}, {columns}; required at least 1")
    m, r = max(rows, columns), min(rows, columns)
    c = r / m
    phi = torch.linspace(0, math.pi, _ANGLES, dtype=torch.float64)
    squares = 1 + c + 2 * math.sqrt(c) * phi.cos()
    inner = phi.sin() ** 2 / squares.clamp(min=1e-12)
    density = torch.where(squares > 1e-12, inner, 1.0)  # the limit at the end of c = 1
    law = torch.cat([torch.zeros(1, dtype=torch.float64), torch.cumulative_trapezoid(density, phi)])
    places = (torch.arange(r, dtype=torch.float64) + 0.5) / r
    right = torch.searchsorted(law / law[-1], places).clamp(1, _ANGLES - 1)
    low, high = law[right - 1] / law[-1], law[right] / law[-1]
    angle = phi[right - 1] + (places - low) / (high - low) * (phi[1] - phi[0])
    return (m * (1 + c + 2 * math.sqrt(c) * angle.cos()).clamp(min=0)).sqrt()


@checked()
def gaussian_edges(rows: int, columns: int, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return bounds of all singular values of independent standard normals, each at half the level.

    $$ \mathbb P[s_{\min} \le \sqrt m - \sqrt n - t] \le e^{-t^2/2}, \qquad
       \mathbb P[s_{\max} \ge \sqrt m + \sqrt n + t] \le e^{-t^2/2}. $$

    Args:
        rows: $m$.
        columns: $n \le m$.
        confidence: $1 - 2e^{-t^2/2}$.

    Returns:
        The lower bound, 0 at least, and the upper one.

    Raises:
        ValueError: more columns than rows, or a confidence outside (0, 1).

    Source: Davidson and Szarek (2001), Theorem II.13.
    """
    require_fraction("confidence", confidence)
    if not rows >= columns >= 1:
        raise ValueError(f"rows, columns: got {rows}, {columns}; required rows >= columns >= 1")
    t = deviation(confidence)
    return max(0.0, math.sqrt(rows) - math.sqrt(columns) - t), math.sqrt(rows) + math.sqrt(columns) + t


def deviation(confidence: float) -> float:
    """Return the $t$ whose two tails $e^{-t^2/2}$ leave the confidence between them."""
    return math.sqrt(2 * math.log(2 / (1 - confidence)))
