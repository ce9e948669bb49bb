"""Where the fraction in class falls through a level: from the rung that a scan has found, by a secant."""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neighborhoods.kernels.looks import NORMAL, Line, Look, probit
from neighborhoods.kernels.probes import Probe

NEAR = 0.25  # distance in the probit within which parts of the pool count as one look
APART, TOGETHER = 1.0, 0.1  # in the probit: looks between which P is a line, and looks that tell no slope
ROUNDS = 40  # looks of the secant before a crossing counts as undecided
RESOLUTION = 1e-3  # relative width of an enclosure at which a jump of P is accepted as its crossing


@dataclass(frozen=True)
class Window:
    """Counts of hits that are accepted, out of the whole pool, and the fraction aimed at.

    Two looks in a row on both sides of the aim are accepted, too, where they lie at most so far ``apart``.
    """

    aim: float
    least: int
    most: int
    apart: float = 0.0


class Crossing(NamedTuple):
    """The last look at each point, the slope of the probit in 1/σ, and what the looks enclose."""

    sigma: Float[Tensor, " rows"]
    hits: Int[Tensor, "rows scrambles"]
    slope: Float[Tensor, " rows"]
    inside: Float[Tensor, " rows"]
    outside: Float[Tensor, " rows"]
    found: Bool[Tensor, " rows"]


@dataclass(frozen=True)
class Search:
    """Which rows of a probe are searched, between which σ, and the line that all looks have drawn so far."""

    probe: Probe
    rows: Int[Tensor, " rows"]
    line: Line
    sigma_range: tuple[float, float]


def approach(
    search: Search, sigma: Tensor, aim: float
) -> tuple[Float[Tensor, " rows"], Int[Tensor, "rows scrambles"]]:
    r"""Look with one part of the pool after the other, each where the line drawn so far meets the aim.

    To first order in the distances of its parts, the pool counts what it would at their mean of $1/\sigma$,
    which is returned with the hits. Parts that lie far from the last one look again where that one does.
    """
    probe, rows, line, size = search.probe, search.rows, search.line, len(search.probe.pool)
    cuts = list(pairwise(sorted({0, size // 8, size // 4, size // 2, size})))
    parts, places = [], []
    for first, last in cuts:
        sigma = line.root(rows, sigma, aim).clamp(*search.sigma_range)
        parts.append(_part(search, rows, sigma, (first, last)))
        places.append(1 / sigma)
    t, slope = torch.stack(places), line.slope(rows, sigma)
    far = slope * (t - t[-1]).abs() > NEAR
    for place, cut in enumerate(cuts):
        again = far[place].nonzero().flatten()
        if len(again):
            parts[place][again] = _part(search, rows[again], sigma[again], cut)
            t[place, again] = t[-1, again]
    shares = torch.tensor([last - first for first, last in cuts]).to(sigma) / size
    return 1 / (shares @ t), torch.cat(parts, 1).view(len(rows), -1, probe.scrambles).sum(1)


def _part(search: Search, rows: Tensor, sigma: Tensor, cut: tuple[int, int]) -> Bool[Tensor, "rows samples"]:
    """Look with a part of the pool, and let the line know."""
    in_class = search.probe.hits(rows, sigma, *cut)
    hits = in_class.sum(1)
    search.line.add(rows, Look(sigma, hits, torch.full_like(hits, cut[1] - cut[0])))
    return in_class


def crossing(search: Search, start: Tensor, window: Window, hits: Tensor | None = None) -> Crossing:
    r"""Move σ until the number of hits of the whole pool lies in the window.

    Each step goes to where a line through the last two looks meets the aim, or through the last one with the
    slope fitted to all looks. The first look may have been taken: then its hits are given.
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
    todo, before = (
        torch.arange(len(start), device=start.device),
        torch.full_like(start, torch.nan).repeat(2, 1),
    )
    for turn in range(ROUNDS):
        at.hits[todo] = _whole(search, at, todo) if turn or hits is None else hits
        todo = todo[_open(search, at, before, todo, window)]
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
    size, rows = len(search.probe.pool), search.rows[todo]
    found = _part(search, rows, at.sigma[todo], (0, size))
    return found.view(len(todo), -1, search.probe.scrambles).sum(1)


def _open(
    search: Search, at: Crossing, before: Tensor, todo: Tensor, window: Window
) -> Bool[Tensor, " todo"]:
    """Note what the look says beside the one before, and return which rows must go on."""
    rows, sigma, hits = search.rows[todo], at.sigma[todo], at.hits[todo].sum(1)
    now = torch.stack([1 / sigma, probit(hits, len(search.probe.pool))])
    run, rise = now - before[:, todo]
    slope = rise / run  # the looks share their noise: what lies between them is known better than either
    told = (rise.abs() >= TOGETHER) & (slope > 0)
    at.slope[todo] = torch.where(told, slope, search.line.slope(rows, sigma))
    aim = NORMAL.inv_cdf(window.aim)
    between = told & (rise.abs() <= window.apart) & ((now[1] - aim) * (now[1] - rise - aim) < 0)
    before[:, todo] = now
    enough, few = hits >= window.least, hits <= window.most
    at.inside[todo] = torch.where(enough, sigma, at.inside[todo])
    at.outside[todo] = torch.where(few, sigma, at.outside[todo])
    at.found[todo] = enough & few | between
    at_end = torch.where(few, sigma <= search.sigma_range[0], sigma >= search.sigma_range[1])
    shut = at.outside[todo] <= at.inside[todo] * (1 + RESOLUTION)
    return ~(at.found[todo] | at_end | shut)


def _step(search: Search, at: Crossing, todo: Tensor, aim: float, *, halve: bool) -> Float[Tensor, " todo"]:
    sigma, inside, outside = at.sigma[todo], at.inside[todo], at.outside[todo]
    step = newton(sigma, at.hits[todo].sum(1), len(search.probe.pool), at.slope[todo], aim)
    step = step.clamp(sigma / 2, 2 * sigma).clamp(*search.sigma_range)
    enclosed = (inside > 0) & (outside < torch.inf)
    astray = (step <= inside) | (step >= outside)
    return torch.where(enclosed & (astray | halve), (inside * outside).sqrt(), step)
