"""How many directions a local sample lacks: a count of small singular values with an interval."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int8, Int64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.null_spectra import deviation, marchenko_pastur
from neighborhoods.kernels.spectra import Spectrum
from neighborhoods.kernels.statistics import Status, require_fraction


class Dropped(NamedTuple):
    """Directions in which a sample spreads less than in the others; the dimension is $n$ minus their number.

    Attributes:
        value: $\\hat k$; inside the interval.
        low: fewer are excluded: so small a value does not come from a sample without gaps.
        high: more are excluded: so large a value does not come from a direction below the cut.
        status: CONVERGED where the interval is one number, otherwise UNDECIDED.
    """

    value: Int64[Tensor, "*batch"]
    low: Int64[Tensor, "*batch"]
    high: Int64[Tensor, "*batch"]
    status: Int8[Tensor, "*batch"]


@checked()
def dropped_directions(
    spectrum: Spectrum,
    *,
    cut: float = 0.25,
    scale: float | Float[Tensor, "*#batch"] | None = None,
    confidence: float = 0.95,
) -> Dropped:
    r"""Count the directions whose standard deviation is at most `cut` of that of the others.

    Let $k$ be their number, $\sigma$ the deviation of the others, $s_{(1)} \le s_{(2)} \le \dots$ the
    singular values, $m$ the degrees of freedom and $t = \sqrt{2\ln(2/\alpha)}$. Leaving out the $k$ columns
    lowers no value of the rest (Cauchy), and the $k$ columns alone have none above their own norm, so that

    $$ s_{(k+1)} \ge \sigma(\sqrt m - \sqrt{n - k} - t), \qquad
       s_{(k)} \le \mathrm{cut}\,\sigma\,(\sqrt m + \sqrt k + t), $$

    each with probability $1 - \alpha/2$ for normal rows. `low` is the least $k$ that the first inequality
    allows, `high` the greatest that the second one does. A sample too small to decide has a wide interval.

    Args:
        spectrum: of a sample around one point, of at least as many degrees of freedom as coordinates.
        cut: in (0, 1).
        scale: $\sigma$; by default the median value over that of independent normals, right where fewer
            than half of the directions are dropped.
        confidence: $1 - \alpha$ of the interval.

    Raises:
        ValueError: too few rows, a cut or a confidence outside (0, 1).

    Source: ours; Davidson and Szarek (2001) for the inequalities.
    """
    require_fraction("cut", cut)
    require_fraction("confidence", confidence)
    rising, m = spectrum.values.flip(-1), spectrum.degrees
    n = spectrum.vectors.shape[-1]
    if m < n:
        raise ValueError(f"spectrum: got {m} degrees of freedom; required at least {n}, one a coordinate")
    size = _scale(rising, m, scale)
    k, t = torch.arange(n + 1, dtype=torch.float64, device=rising.device), deviation(confidence)
    least = size * (math.sqrt(m) - (n - k[:-1]).sqrt() - t)
    most = cut * size * (math.sqrt(m) + k[1:].sqrt() + t)
    allowed = torch.cat([rising >= least, torch.ones_like(rising[..., :1], dtype=torch.bool)], -1)
    low = allowed.int().argmax(-1)
    high = ((rising <= most) * k[1:].long()).amax(-1).maximum(low)
    between = (least[..., :1].clamp(min=0) * most[..., :1]).sqrt()
    count = (rising < between).sum(-1).maximum(low).minimum(high)
    status = torch.where(low == high, int(Status.CONVERGED), int(Status.UNDECIDED)).to(torch.int8)
    return Dropped(count, low, high, status)


def _scale(rising: Tensor, degrees: int, scale: float | Tensor | None) -> Tensor:
    if scale is None:
        middle = rising.shape[-1] // 2
        return rising[..., middle, None] / marchenko_pastur(degrees, rising.shape[-1]).flip(0)[middle]
    return torch.as_tensor(scale, dtype=rising.dtype, device=rising.device)[..., None]
