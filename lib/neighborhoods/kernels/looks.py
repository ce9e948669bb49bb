r"""Looks at noisy points: how many of them keep the class at some σ, and a climb to where few do.

For a half-space $\Phi^{-1}(P(\sigma))$ is linear in $1/\sigma$, and for other classes nearly so near the
crossing. All points move in lockstep, and all looks use the same pool of noise.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neighborhoods.kernels.probes import Probe

NORMAL = NormalDist()
FIRST_LOOK = 16  # samples; a look doubles them while its verdict is in doubt
HASTY, SURE = 1.5, 2.5  # standard errors from γ at which a look is decided at first, and in the end
HALVINGS = 4  # of a rung on whose ends all and none are in class: to a twenty-fifth of σ
# Weight of the origin in the fit: the line of a half-space passes through it, that of a photograph far off.
ORIGIN = 0.01


class Look(NamedTuple):
    """How many of so many samples were in class at σ."""

    sigma: Float[Tensor, " rows"]
    hits: Int[Tensor, " rows"]
    trials: Int[Tensor, " rows"]

    def of(self, chosen: Tensor) -> "Look":
        """Return the look at some of the rows."""
        return Look(self.sigma[chosen], self.hits[chosen], self.trials[chosen])


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
            ends = _narrowed(probe, rows[fell], (below.of(fell), here.of(fell)), gamma)
            line.add(rows[fell], ends[0])
            line.add(rows[fell], ends[1])
        else:
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


def _narrowed(probe: Probe, rows: Tensor, ends: tuple[Look, Look], gamma: float) -> tuple[Look, Look]:
    """Halve, with few samples, the rungs on whose ends all and none are in class: these tell no slope."""
    inside, outside = ends
    for _ in range(HALVINGS):
        blind = ((inside.hits == inside.trials) & (outside.hits == 0)).nonzero().flatten()
        if len(blind) == 0:
            break
        middle = (inside.sigma[blind] * outside.sigma[blind]).sqrt()
        found = look(probe, rows[blind], middle, gamma, errors=HASTY, most=FIRST_LOOK)
        stays = found.hits >= gamma * found.trials
        for end, moves in ((inside, stays), (outside, ~stays)):
            for column, values in zip(end, found, strict=True):
                column[blind[moves]] = values[moves]
    return inside, outside
