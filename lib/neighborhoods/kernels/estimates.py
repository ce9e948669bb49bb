r"""Persistence from a pool of noise: the crossing of γ, and the interval that suits the pool."""

import math

import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from neighborhoods.kernels.crossings import (
    APART,
    RESOLUTION,
    Crossing,
    Search,
    Window,
    approach,
    crossing,
    newton,
)
from neighborhoods.kernels.looks import Line, scan
from neighborhoods.kernels.probes import Probe
from neighborhoods.kernels.statistics import Status, order_statistic_ranks

SLACK = 1.5  # standard errors from γ at which the last look may be, its distance being extrapolated

Ends = tuple[Float[Tensor, " rows"], Float[Tensor, " rows"]]
Columns = tuple[Tensor, Tensor, Tensor, Tensor]


def ladder(sigma_range: tuple[float, float], ratio: float) -> list[float]:
    """Return σ from one end of the range to the other in equal ratios, at most the given one."""
    least, most = sigma_range
    steps = max(1, math.ceil(math.log(most / least) / math.log(ratio) - 1e-9))
    return [least * (most / least) ** (step / steps) for step in range(steps + 1)]


def estimate(probe: Probe, gamma: float, confidence: float, sigma_range: tuple[float, float]) -> Columns:
    """Return σ, low, high and status: the first rung below γ, the crossing beside it, and its interval."""
    rungs = ladder(sigma_range, 2.0)
    line = Line(len(probe.centres), probe.centres.device)
    rung = scan(probe, gamma, rungs, line)
    censored = rung == len(rungs)
    sigma = torch.where(censored, torch.inf, 0.0).double()
    low = torch.where(censored, sigma_range[1], 0.0).double()
    high = torch.where(censored, torch.inf, sigma_range[0]).double()
    status = torch.where(censored, Status.CENSORED, Status.CONVERGED)
    rows = ((rung > 0) & ~censored).nonzero().flatten()
    if len(rows) > 0:
        unstable = torch.tensor(rungs, dtype=torch.float64, device=rows.device)[rung[rows]]
        search = Search(probe, rows, line, sigma_range)
        start, hits = approach(search, unstable, gamma)
        at = crossing(search, start, _around(gamma, len(probe.pool)), hits)
        sigma[rows], status[rows] = _settle(at, gamma, len(probe.pool))
        ends = _binomial if probe.scrambles == 1 else _student
        low[rows], high[rows] = ends(search, at, gamma, confidence)
    return sigma, low.minimum(sigma), high.maximum(sigma), status


def _around(gamma: float, size: int) -> Window:
    slack = max(1.0, SLACK * math.sqrt(gamma * (1 - gamma) * size))
    return Window(gamma, math.ceil(gamma * size - slack), math.floor(gamma * size + slack), APART)


def _settle(at: Crossing, gamma: float, size: int) -> tuple[Tensor, Tensor]:
    """Go the rest of the way along the line; where looks only enclose a jump of P, take its middle."""
    extrapolated = newton(at.sigma, at.hits.sum(1), size, at.slope, gamma)
    jump = at.outside <= at.inside * (1 + RESOLUTION)
    sigma = torch.where(at.found, extrapolated, torch.where(at.inside > 0, at.inside, 0.0))
    endless = ~at.found & (at.outside == torch.inf)
    status = torch.where(endless, Status.CENSORED, Status.UNDECIDED)
    status = torch.where(at.found | jump | (at.inside == 0), Status.CONVERGED, status)
    return torch.where(endless, torch.inf, sigma), status


def _student(search: Search, at: Crossing, gamma: float, confidence: float) -> Ends:
    r"""Return the ends of Student's interval over the scrambles, carried from $P$ to σ along the line.

    The fraction of a scramble of $m$ points is known to $1 / m$ at best, hence the added $1 / 12 m^2$.
    """
    probe = search.probe
    each = len(probe.pool) // probe.scrambles
    variance = (at.hits.double() / each).var(1) + 1 / (12 * each**2)
    reach = (
        float(stats.t.ppf((1 + confidence) / 2, probe.scrambles - 1)) * (variance / probe.scrambles).sqrt()
    )
    levels = (gamma + reach).clamp(max=1 - 1e-6), (gamma - reach).clamp(min=1e-6)
    low, high = (newton(at.sigma, at.hits.sum(1), len(probe.pool), at.slope, level) for level in levels)
    return torch.where(at.found, low, at.inside), torch.where(at.found, high, at.outside)


def _binomial(search: Search, at: Crossing, gamma: float, confidence: float) -> Ends:
    r"""Return σ at which so many, or so few, are in class that a binomial of probability γ excludes it.

    Exact where no ray re-enters its class: then these are the order statistics $\tau_{(l)}, \tau_{(u)}$ of
    the exits of the rays, moved outwards by at most a few ranks.
    """
    size = len(search.probe.pool)
    lower, upper = order_statistic_ranks(size, 1 - gamma, confidence)
    spare = math.ceil(math.sqrt(gamma * (1 - gamma) * size) / 3)
    least, most = size - lower + 1, size - upper
    low, high = torch.zeros_like(at.sigma), torch.full_like(at.sigma, torch.inf)
    if lower > 0:
        window = Window((least + min(spare, lower - 1) / 2 - 0.25) / size, least, least + spare)
        low = crossing(search, newton(at.sigma, at.hits.sum(1), size, at.slope, window.aim), window).inside
    if upper <= size:
        window = Window((most - min(spare, most) / 2 + 0.25) / size, most - spare, most)
        high = crossing(search, newton(at.sigma, at.hits.sum(1), size, at.slope, window.aim), window).outside
    return low, high
