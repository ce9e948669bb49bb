r"""How well a score tells two groups apart: the area under the receiver operating characteristic."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.statistics import require_fraction


class Separation(NamedTuple):
    """The chance that a positive scores above a negative, ties counting half, and its interval."""

    area: float
    low: float
    high: float


@checked()
def separation(positive: npt.ArrayLike, negative: npt.ArrayLike, *, confidence: float = 0.95) -> Separation:
    r"""Return the area under the receiver operating characteristic of a score, with a score interval.

    $$ \hat A = \frac1{mn}\sum_{i,j}\Big([p_i > q_j] + \tfrac12[p_i = q_j]\Big), \qquad
       (\hat A - A)^2 = z^2\,\frac{A(1 - A)}{mn}\Big(1 + \nu\frac{1 - A}{2 - A} + \nu\frac A{1 + A}\Big), $$

    $\nu = (m + n)/2 - 1$. The ends of the interval are the two roots of the second equation, which stay in
    [0, 1] and do not meet where the groups are separated perfectly.

    Args:
        positive: scores $p_1, \dots, p_m$ of the group that should score higher.
        negative: scores $q_1, \dots, q_n$ of the other, drawn independently.
        confidence: of the interval.

    Raises:
        ValueError: an empty group, a score that is NaN, or a confidence outside (0, 1).

    Source: Newcombe (2006), method 5; Hanley and McNeil (1982) for the variance.

    >>> separation([3.0, 4.0], [1.0, 3.0]).area
    0.875
    """
    require_fraction("confidence", confidence)
    above, below = (np.asarray(side, np.float64).ravel() for side in (positive, negative))
    if not (above.size and below.size) or bool(np.isnan(above).any() or np.isnan(below).any()):
        raise ValueError(
            f"positive, negative: got {above.size} and {below.size} scores; required some, none of them NaN"
        )
    area = float(stats.mannwhitneyu(above, below).statistic) / (above.size * below.size)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    low, high = (_end(area, end, above.size, below.size, z) for end in (0.0, 1.0))
    return Separation(area, low, high)


def _end(area: float, end: float, m: int, n: int, z: float) -> float:
    """Return the root between the area and 0 or 1."""
    extra = (m + n) / 2 - 1

    def excess(a: float) -> float:
        variance = a * (1 - a) * (1 + extra * (1 - a) / (2 - a) + extra * a / (1 + a)) / (m * n)
        return abs(area - a) - z * math.sqrt(variance)

    if area == end:
        return end
    return float(optimize.brentq(excess, end, min(max(area, 1e-12), 1 - 1e-12)))
