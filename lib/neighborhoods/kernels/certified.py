"""The upward scan whose verdicts hold together: exact binomial intervals at every look."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.estimates import Columns, ladder
from neighborhoods.kernels.probes import Probe
from neighborhoods.kernels.statistics import Status, clopper_pearson, require_fraction

RATIO = 1.2  # of neighbouring rungs
FIRST = 32  # samples of the first look at a rung; each further look doubles them


def certified_scan(
    probe: Probe, gamma: float, confidence: float, sigma_range: tuple[float, float]
) -> Columns:
    r"""Climb the ladder of σ until a point is certified unstable.

    Each of the $J$ rungs is looked at up to $K$ times with the first 32, 64, … draws of the pool. A look's
    Clopper-Pearson interval has confidence $1 - \alpha / JK$, so all of them hold together with confidence
    $1 - \alpha$, however often the pool is used.

    Certified: $P \ge \gamma$ at each rung up to `low`, and $P < \gamma$ at `high`: $\sigma^*$ is smaller.
    Not certified: what happens between two rungs; `certificate_radius` says how far around a rung the
    verdict reaches. `sigma` is the geometric middle, as good as the ladder is fine.
    """
    rungs, counts = ladder(sigma_range, RATIO), _counts(len(probe.pool))
    looks = _looks(counts, gamma, 1 - (1 - confidence) / (len(rungs) * len(counts)))
    low = torch.zeros(len(probe.centres), dtype=torch.float64, device=probe.centres.device)
    high = torch.full_like(low, torch.inf)
    unbroken = torch.ones_like(low, dtype=torch.bool)
    rows = torch.arange(len(low), device=low.device)
    for sigma in rungs:
        verdict = _verdict(probe, rows, sigma, looks)
        unbroken[rows] &= verdict > 0
        low[rows[unbroken[rows]]] = sigma
        high[rows[verdict < 0]] = sigma
        rows = rows[verdict >= 0]
        if len(rows) == 0:
            break
    return _summary(low, high, unbroken)


@checked(dimension=1)
def certificate_radius(
    probability: Float[Tensor, " rungs"], gamma: float, dimension: int
) -> Float[Tensor, " rungs"]:
    r"""Return how far in $\ln\sigma$ a certified $P(\sigma_j) \ge p_j$ keeps the point stable.

    $\arcsin\sqrt P$ is $\sqrt{n/2}$-Lipschitz in $\ln\sigma$, because
    $dP / d\ln\sigma = \mathrm{Cov}(1_S, |\varepsilon|^2)$; hence $P \ge \gamma$ for
    $$ |\ln \sigma / \sigma_j| \le \frac{\arcsin\sqrt{p_j} - \arcsin\sqrt\gamma}{\sqrt{n / 2}}. $$

    Args:
        probability: lower bounds $p_j$.
        gamma: γ.
        dimension: $n$ of the Gaussian noise; behind a linear layer, the rank of its weight.

    Returns:
        The radii; 0 where $p_j \le \gamma$.

    Raises:
        ValueError: γ outside (0, 1), or a dimension below 1.

    Source: ours.

    >>> certificate_radius(torch.tensor([0.7, 1.0]), 0.7, 2)
    tensor([0.0000, 0.5796])
    """
    require_fraction("gamma", gamma)
    reach = torch.asin(probability.clamp(0, 1).sqrt()) - math.asin(math.sqrt(gamma))
    return reach.clamp(min=0) / math.sqrt(dimension / 2)


def _counts(size: int) -> list[int]:
    counts = [min(FIRST, size)]
    while counts[-1] < size:
        counts.append(min(2 * counts[-1], size))
    return counts


def _looks(counts: list[int], gamma: float, confidence: float) -> list[tuple[int, int, int]]:
    """Return for each look its draws, the least hits that certify "stable" and the most for "unstable"."""
    looks = []
    for count in counts:
        below, above = clopper_pearson(np.arange(count + 1), count, confidence)
        looks.append((count, int((below < gamma).sum()), int((above < gamma).sum()) - 1))
    return looks


def _verdict(
    probe: Probe, rows: Tensor, sigma: float, looks: list[tuple[int, int, int]]
) -> Int[Tensor, " rows"]:
    """Return 1 for certified stable, -1 for certified unstable, 0 where the whole pool cannot tell."""
    verdict, hits, first = torch.zeros_like(rows), torch.zeros_like(rows), 0
    open_ = torch.arange(len(rows), device=rows.device)
    for last, least, most in looks:
        sigmas = torch.full_like(open_, sigma, dtype=torch.float64)
        hits[open_] += probe.hits(rows[open_], sigmas, first, last).sum(1)
        verdict[open_] = (hits[open_] >= least).long() - (hits[open_] <= most).long()
        open_, first = open_[verdict[open_] == 0], last
        if len(open_) == 0:
            break
    return verdict


def _summary(low: Tensor, high: Tensor, unbroken: Tensor) -> Columns:
    middle = torch.where(high == torch.inf, torch.inf, (low * high.clamp(max=1e300)).sqrt())
    status = torch.where(high < torch.inf, Status.CONVERGED, Status.UNDECIDED)
    return middle, low, high, torch.where(unbroken, Status.CENSORED, status)
