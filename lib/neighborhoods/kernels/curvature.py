"""The radius of curvature of a boundary and the radius up to which it is flat, from growing samples."""

import math
from statistics import NormalDist
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.flatness import Flatness
from neighborhoods.kernels.statistics import Status, require_fraction


class CurvatureRadius(NamedTuple):
    """Radius of the sphere whose curvature has the same mean square.

    Attributes:
        value: $R$; infinite where no curvature was seen.
        low: end of its interval.
        high: the other end, infinite where no curvature was seen.
        slope: of $\\ln\\rho$ in $\\ln r$, 1 for a smooth boundary; 1 where fewer than two radii tell.
        status: CONVERGED; UNDECIDED where the slope is not 1; CENSORED where no curvature was seen.
    """

    value: Float64[Tensor, ""]
    low: Float64[Tensor, ""]
    high: Float64[Tensor, ""]
    slope: Float64[Tensor, ""]
    status: Int8[Tensor, ""]


class PlanarityRadius(NamedTuple):
    """The patch radius at which a boundary stops being flat.

    Attributes:
        value: $r$ at which $\\rho$ first reaches the level; infinite where it never does, 0 where it is
            there at the least radius.
        low: where the upper end of the interval of $\\rho$ reaches it.
        high: where the lower end does.
        status: CONVERGED, or CENSORED where that lies beyond the radii, up or down.
    """

    value: Float64[Tensor, ""]
    low: Float64[Tensor, ""]
    high: Float64[Tensor, ""]
    status: Int8[Tensor, ""]


@checked("flat", radii=1, coordinates=2)
def curvature_radius(
    flat: Flatness,
    radii: Float[Tensor, " radii"],
    coordinates: int,
    *,
    error: float | Float[Tensor, " radii"] = 0.0,
    confidence: float = 0.95,
) -> CurvatureRadius:
    r"""Return the radius of curvature from the slope of the flatness in the radius of the samples.

    $$ R = \frac{\sqrt{n - 1}}{\|II\|_F} = \sqrt{\frac{n - 1}2}\,\frac r{\rho(r)} , $$

    as the mean over the radii of $\ln(r/\rho)$ with weights from the intervals of $\rho$, widened where the
    radii disagree by more than those say. Radii at which the positions' error alone gives a third of $\rho$
    do not count.

    Args:
        flat: of samples at growing radii, intervals at the same confidence.
        radii: $r$, deviation of the samples in each direction of the tangent plane.
        coordinates: $n$.
        error: standard deviation of the positions across the boundary, one or one for each radius.
        confidence: that of the intervals of `flat`.

    Raises:
        ValueError: radii that are not positive or not as many as those of `flat`, or a confidence outside
            (0, 1).

    Source: ours.
    """
    require_fraction("confidence", confidence)
    r = radii.double()
    _require_radii(flat, r)
    scale, reach = math.sqrt((coordinates - 1) / 2), NormalDist().inv_cdf((1 + confidence) / 2)
    floor = 3 * torch.as_tensor(error, dtype=r.dtype, device=r.device) / r + 1e-7  # of a spectrum
    seen = flat.ratio > floor
    if not bool(seen.any()):
        least = scale * (r / floor).amax()
        return CurvatureRadius(*_four(math.inf, float(least), math.inf, 0.0), _status(Status.CENSORED))
    x, y = r[seen].log(), flat.ratio[seen].log()
    spread = (flat.high[seen] / flat.low[seen]).log() / (2 * reach)
    weight = 1 / spread.square().clamp(min=1e-12)
    centre = (weight * (x - y)).sum() / weight.sum()
    strain = (weight * (x - y - centre).square()).sum() / max(1, len(x) - 1)
    half = float(reach * (strain.clamp(min=1) / weight.sum()).sqrt())
    slope, doubt = _slope(x, y, weight)
    value = scale * float(centre.exp())
    straight = abs(slope - 1) <= max(reach * doubt, 0.05)
    numbers = _four(value, value * math.exp(-half), value * math.exp(half), slope)
    return CurvatureRadius(*numbers, _status(Status.CONVERGED if straight else Status.UNDECIDED))


@checked("flat", radii=1)
def planarity_radius(flat: Flatness, radii: Float[Tensor, " radii"], level: float = 0.1) -> PlanarityRadius:
    r"""Return the radius at which the flatness first reaches a level, by interpolation in logarithms.

    Args:
        flat: of samples at growing radii.
        radii: their deviations, growing.
        level: of $\rho$.

    Raises:
        ValueError: radii that do not grow or are not as many as those of `flat`, or a level that is not
            positive.

    Source: ours.
    """
    r = radii.double()
    _require_radii(flat, r)
    if not bool((r[1:] > r[:-1]).all()):
        raise ValueError(f"radii: got {radii.tolist()}; required growing ones")
    if level <= 0:
        raise ValueError(f"level: got {level}; required greater than 0")
    value, low, high = (_reaches(curve, r, level) for curve in (flat.ratio, flat.high, flat.low))
    missed = Status.FAILED if math.isnan(value) else Status.CENSORED
    status = _status(Status.CONVERGED if 0 < value < math.inf else missed)
    ends = _four(value, min(low, float(r[-1])), max(high, float(r[0])), 0.0)
    return PlanarityRadius(*ends[:3], status)


def _require_radii(flat: Flatness, radii: Tensor) -> None:
    if radii.shape != flat.ratio.shape or not bool((radii > 0).all()):
        wanted = f"positive ones of shape {tuple(flat.ratio.shape)}, that of flat"
        raise ValueError(f"radii: got {radii.tolist()}; required {wanted}")


def _reaches(curve: Tensor, radii: Tensor, level: float) -> float:
    above = curve >= level
    if not bool(above.any()):
        return math.inf
    j = int(above.int().argmax())
    if j == 0:
        return 0.0
    low, high = curve[j - 1].clamp(min=1e-12).log(), curve[j].log()
    share = (math.log(level) - low) / (high - low)
    return float((radii[j - 1].log() * (1 - share) + radii[j].log() * share).exp())


def _slope(x: Tensor, y: Tensor, weight: Tensor) -> tuple[float, float]:
    """Return the slope of a line and its standard error; 1, and endless doubt, of a single point."""
    if len(x) < 2:
        return 1.0, math.inf
    middle = (weight * x).sum() / weight.sum()
    leverage = (weight * (x - middle).square()).sum()
    slope = (weight * (x - middle) * y).sum() / leverage
    rest = y - (weight * y).sum() / weight.sum() - slope * (x - middle)
    strain = (weight * rest.square()).sum() / max(1, len(x) - 2)
    return float(slope), float((strain.clamp(min=1) / leverage).sqrt())


def _four(*values: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    first, second, third, fourth = torch.tensor(values, dtype=torch.float64)
    return first, second, third, fourth


def _status(status: Status) -> Tensor:
    return torch.tensor(int(status), dtype=torch.int8)
