r"""Where the fraction in class first falls through a level: an upward scan, then a secant.

For a half-space $\Phi^{-1}(P(\sigma))$ is linear in $1/\sigma$, and for other classes nearly so near the
crossing. All points move in lockstep, and all looks use the same pool of noise.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neighborhoods.kernels.probes import Probe

NORMAL = NormalDist()
FIRST_LOOK = 16  # samples; a look doubles them while its verdict is in doubt
HASTY, SURE = 1.5, 2.5  # standard errors from γ at which a look is decided at first, and in the end
NEAR = 0.25  # distance in the probit within which parts of the pool count as one look
ROUNDS = 40  # looks of the secant before a crossing counts as undecided
RESOLUTION = 1e-3  # relative width of an enclosure at which a jump of P is accepted as its crossing
ORIGIN = (
    0.1  # weight of the origin in the fit, through which the line of a half-space passes; a shell's does not
)


class Look(NamedTuple):
    """How many of so many samples were in class at σ."""

    sigma: Float[Tensor, " rows"]
    hits: Int[Tensor, " rows"]
    trials: Int[Tensor, " rows"]

    def of(self, chosen: Tensor) -> "Look":
        """Return the look at some of the rows."""
        return Look(self.sigma[chosen], self.hits[chosen], self.trials[chosen])


@dataclass(frozen=True)
class Window:
    """Counts of hits that are accepted, out of the whole pool, and the fraction aimed at."""

    aim: float
    least: int
    most: int


class Crossing(NamedTuple):
    """The last look at each point, the slope of the probit in 1/σ, and what the looks enclose."""

    sigma: Float[Tensor, " rows"]
    hits: Int[Tensor, "rows scrambles"]
    slope: Float[Tensor, " rows"]
    inside: Float[Tensor, " rows"]
    outside: Float[Tensor, " rows"]
    found: Bool[Tensor, " rows"]


class Line:
    r"""Weighted least squares of $u = \Phi^{-1}(P)$ against $t = 1/\sigma$, a line for each row."""

    def __init__(self, rows: int, device: torch.device) -> None:
        """Begin with the origin alone, through which the line of a half-space passes."""
        self.sums = torch.zeros((5, rows), dtype=torch.float64, device=device)
        self.sums[0] = ORIGIN

    def add(self, rows: Tensor, look: Look) -> None:
        """Take a look at each row into account, by its binomial variance."""
        t, u = 1 / look.sigma, probit(look.hits, look.trials)
        p = torch.special.ndtr(u)
        weight = look.trials * torch.exp(-u * u) / (2 * math.pi * p * (1 - p))
        self.sums[:, rows] += weight * torch.stack([torch.ones_like(t), t, u, t * t, t * u])

    def slope(self, rows: Tensor, sigma: Tensor) -> Tensor:
        """Return the slope, kept positive: P falls, if slowly."""
        w, wt, wu, wtt, wtu = self.sums[:, rows]
        fitted = (w * wtu - wt * wu) / (w * wtt - wt * wt)
        positive: Tensor = fitted.nan_to_num(0.0).maximum(0.1 * sigma)
        return positive

    def root(self, rows: Tensor, sigma: Tensor, aim: float) -> Tensor:
        """Return the σ at which the line of each row passes through the level, at most twice off `sigma`."""
        w, wt, wu, _, _ = self.sums[:, rows]
        slope = self.slope(rows, sigma)
        t = (NORMAL.inv_cdf(aim) - (wu - slope * wt) / w) / slope
        return torch.where(t > 0, 1 / t, torch.inf).clamp(sigma / 2, 2 * sigma)


@dataclass(frozen=True)
class Search:
    """Which rows of a probe are searched, between which σ, and the line that all looks have drawn so far."""

    probe: Probe
    rows: Int[Tensor, " rows"]
    line: Line
    sigma_range: tuple[float, float]


def probit(hits: Tensor, trials: Tensor | int) -> Tensor:
    r"""Return $\Phi^{-1}(h / n)$, with half a hit added at 0 and taken off at $n$ to keep it finite."""
    count = torch.as_tensor(trials, device=hits.device).double()
    quantile: Tensor = torch.special.ndtri(hits.double().clamp(min=0.5).minimum(count - 0.5) / count)
    return quantile


def look(probe: Probe, rows: Tensor, sigma: Tensor, gamma: float, *, errors: float, most: int) -> Look:
    """Count hits at σ with as many samples as it takes to tell the fraction from γ by so many errors."""
    hits, trials = torch.zeros_like(rows), torch.zeros_like(rows)
    open_, first, last = torch.arange(len(rows), device=rows.device), 0, FIRST_LOOK
    while len(open_) > 0 and first < most:
        last = min(last, most)
        hits[open_] += probe.hits(rows[open_], sigma[open_], first, last).sum(1)
        trials[open_] = last
        doubt = errors * math.sqrt(gamma * (1 - gamma) * last)
        open_ = open_[(hits[open_] - gamma * last).abs() <= doubt]
        first, last = last, 2 * last
    return Look(sigma, hits, trials)


def scan(probe: Probe, gamma: float, ladder: list[float], line: Line) -> Int[Tensor, " points"]:
    """Climb the ladder of σ; return the first rung below γ, or the number of rungs where none is.

    A rung passed in doubt, with the next one passed, too, may be a dip: it is settled by the whole pool.
    """
    rows = torch.arange(len(probe.centres), device=probe.centres.device)
    rung, below = torch.full_like(rows, len(ladder)), None
    quarter = max(FIRST_LOOK, len(probe.pool) // 4)
    for step, sigma in enumerate(ladder):
        here = look(
            probe, rows, torch.full_like(rows, sigma, dtype=torch.float64), gamma, errors=HASTY, most=quarter
        )
        fell = here.hits < gamma * here.trials
        rung[rows[fell]] = step
        if below is not None:
            dipped = ~fell & _dips(probe, rows, below, ~fell, gamma)
            rung[rows[dipped]] = step - 1
            fell |= dipped
            line.add(rows[fell], below.of(fell))
        line.add(rows[fell], here.of(fell))
        rows, below = rows[~fell], here.of(~fell)
        if len(rows) == 0:
            break
    return rung


def _dips(probe: Probe, rows: Tensor, below: Look, passed: Tensor, gamma: float) -> Bool[Tensor, " rows"]:
    spread = (gamma * (1 - gamma) * below.trials).sqrt()
    doubt = (passed & (below.hits - gamma * below.trials <= SURE * spread)).nonzero().flatten()
    settled = look(probe, rows[doubt], below.sigma[doubt], gamma, errors=SURE, most=len(probe.pool))
    dips = torch.zeros_like(passed)
    dips[doubt] = settled.hits < gamma * settled.trials
    return dips


def approach(
    search: Search, sigma: Tensor, aim: float
) -> tuple[Float[Tensor, " rows"], Int[Tensor, "rows scrambles"]]:
    r"""Look with one part of the pool after the other, each where the line drawn so far meets the aim.

    To first order in the distances of its parts, the pool counts what it would at their mean of $1/\sigma$,
    which is returned with the hits. Where parts lie farther apart, the whole pool looks again.
    """
    probe, rows, line, size = search.probe, search.rows, search.line, len(search.probe.pool)
    cuts = sorted({0, size // 8, size // 4, size // 2, size})
    parts, places = [], []
    for first, last in pairwise(cuts):
        sigma = line.root(rows, sigma, aim).clamp(*search.sigma_range)
        parts.append(probe.hits(rows, sigma, first, last))
        hits = parts[-1].sum(1)
        line.add(rows, Look(sigma, hits, torch.full_like(hits, last - first)))
        places.append(1 / sigma)
    t, shares = torch.stack(places), torch.tensor(cuts).diff().to(sigma) / size
    mean = shares @ t
    far = (line.slope(rows, sigma) * (t - mean)).abs().amax(0) > NEAR
    sigma, in_class = torch.where(far, sigma, 1 / mean), torch.cat(parts, 1)
    if far.any():
        in_class[far] = probe.hits(rows[far], sigma[far], 0, size)
    return sigma, in_class.view(len(rows), -1, probe.scrambles).sum(1)


def crossing(search: Search, start: Tensor, window: Window, hits: Tensor | None = None) -> Crossing:
    r"""Move σ until the number of hits of the whole pool lies in the window.

    Each step goes to where a line through the last look, with the slope fitted to all looks, meets the aim.
    The first look may have been taken: then its hits are given.
    The looks enclose the crossing; a step that would leave the enclosure, and every third step, halves it.
    Where the window cannot be met, `found` is false and the enclosure is (0, σ), (σ, ∞) or a jump of $P$.
    """
    at = Crossing(
        sigma=start.clamp(*search.sigma_range),
        hits=torch.zeros((len(start), search.probe.scrambles), dtype=torch.int64, device=start.device),
        slope=torch.zeros_like(start),
        inside=torch.zeros_like(start),
        outside=torch.full_like(start, torch.inf),
        found=torch.zeros_like(start, dtype=torch.bool),
    )
    todo = torch.arange(len(start), device=start.device)
    for turn in range(ROUNDS):
        at.hits[todo] = _whole(search, at, todo) if turn or hits is None else hits
        todo = todo[_open(search, at, todo, window)]
        if len(todo) == 0:
            break
        at.sigma[todo] = _step(search, at, todo, window.aim, halve=turn % 3 == 2)
    return at


def newton(sigma: Tensor, hits: Tensor, size: int, slope: Tensor, aim: float | Tensor) -> Tensor:
    r"""Return the σ at which the probit, linear in $1/\sigma$ with this slope, reaches the aim."""
    level = torch.special.ndtri(torch.as_tensor(aim, dtype=sigma.dtype, device=sigma.device))
    t = 1 / sigma + (level - probit(hits, size)) / slope
    return torch.where(t > 0, 1 / t, torch.inf)


def _whole(search: Search, at: Crossing, todo: Tensor) -> Int[Tensor, "todo scrambles"]:
    """Look with the whole pool, and let the line know."""
    probe, rows, sigma, size = search.probe, search.rows[todo], at.sigma[todo], len(search.probe.pool)
    found = probe.hits(rows, sigma, 0, size).view(len(todo), -1, probe.scrambles).sum(1)
    hits = found.sum(1)
    search.line.add(rows, Look(sigma, hits, torch.full_like(hits, size)))
    return found


def _open(search: Search, at: Crossing, todo: Tensor, window: Window) -> Bool[Tensor, " todo"]:
    """Note what the look says, and return which rows must go on."""
    rows, sigma, hits = search.rows[todo], at.sigma[todo], at.hits[todo].sum(1)
    at.slope[todo] = search.line.slope(rows, sigma)
    enough, few = hits >= window.least, hits <= window.most
    at.inside[todo] = torch.where(enough, sigma, at.inside[todo])
    at.outside[todo] = torch.where(few, sigma, at.outside[todo])
    at.found[todo] = enough & few
    at_end = torch.where(few, sigma <= search.sigma_range[0], sigma >= search.sigma_range[1])
    shut = at.outside[todo] <= at.inside[todo] * (1 + RESOLUTION)
    return ~(enough & few | at_end | shut)


def _step(search: Search, at: Crossing, todo: Tensor, aim: float, *, halve: bool) -> Float[Tensor, " todo"]:
    sigma, inside, outside = at.sigma[todo], at.inside[todo], at.outside[todo]
    step = newton(sigma, at.hits[todo].sum(1), len(search.probe.pool), at.slope[todo], aim)
    step = step.clamp(sigma / 2, 2 * sigma).clamp(*search.sigma_range)
    enclosed = (inside > 0) & (outside < torch.inf)
    astray = (step <= inside) | (step >= outside)
    return torch.where(enclosed & (astray | halve), (inside * outside).sqrt(), step)
