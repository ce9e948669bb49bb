r"""Orthants that fit a measured stability curve, by maximum likelihood.

The stability at distance $d$ from each of $k$ facets at right angles is $P(\sigma)=\Phi(d/\sigma)^k$
(Proposition 4.3), here for any real $k>0$. The signed roots of the binomial deviance make a least-squares
problem of it, whose minimum is that of the likelihood.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares
from scipy.special import log_ndtr, xlogy
from scipy.stats import chi2

Numbers = npt.NDArray[np.float64]

MODELS = ("half-space", "distance", "facets", "both", "nine")
"""Flat at the measured distance; flat at a fitted one; fitted facets at the measured distance; both fitted;
one facet at each measured distance. The first and the last have nothing to fit."""
FREE = {"half-space": 0, "distance": 1, "facets": 1, "both": 2, "nine": 0}


class Curve(NamedTuple):
    """Counts at levels of noise, and the measured distances.

    Attributes:
        sigma: levels of noise, pixels.
        kept: of the draws at each level, those that keep the class.
        draws: at each level.
        ties: distances of the nine ties, pixels; the least is the distance from the boundary.
    """

    sigma: Numbers
    kept: Numbers
    draws: Numbers
    ties: Numbers


def fit(curve: Curve, model: str) -> dict[str, float]:
    r"""Return the orthant of a model that fits the curve best.

    $$ D = 2\sum_j\Big(h_j\ln\frac{h_j}{n_jP(\sigma_j)} +
       (n_j-h_j)\ln\frac{n_j-h_j}{n_j(1-P(\sigma_j))}\Big) $$

    Args:
        curve: counts $h$ of $n$ at levels σ.
        model: one of `MODELS`.

    Returns:
        ``k`` and ``d`` (NaN for "nine"); ``deviance`` $D$; ``freedom``, levels less fitted numbers;
        ``chance``, that a right model has a deviance as large or larger (by $\chi^2$, for many draws).

    Raises:
        ValueError: a model that there is none of.
    """
    if model not in MODELS:
        raise ValueError(f"model: got {model!r}; required one of {', '.join(MODELS)}")

    def at(logs: Numbers) -> Numbers:
        return residuals(curve, *orthant(curve.ties, model, logs))

    start = np.zeros(FREE[model])
    best: Numbers = least_squares(at, start).x if FREE[model] else start
    distances, k = orthant(curve.ties, model, best)
    deviance, freedom = float((at(best) ** 2).sum()), len(curve.sigma) - FREE[model]
    found = {"k": k, "d": float(distances[0])} if model != "nine" else {"k": np.nan, "d": np.nan}
    return found | {
        "deviance": deviance,
        "freedom": freedom,
        "chance": float(chi2.sf(deviance, freedom)),
    }


def orthant(ties: Numbers, model: str, logs: Numbers) -> tuple[Numbers, float]:
    """Return the distances of a model's facets, and how many there are at each.

    What is fitted comes as logarithms: of the number of facets, and then of their distance over the least of
    the measured ones.
    """
    near, factors = ties.min(keepdims=True), np.exp(np.clip(logs, -20, 20)).tolist()
    fitted: dict[str, tuple[Numbers, float]] = {
        "half-space": (near, 1.0),
        "distance": (near * factors[-1:], 1.0),
        "facets": (near, factors[0] if factors else 1.0),
        "both": (near * factors[-1:], factors[0] if factors else 1.0),
        "nine": (ties, 1.0),
    }
    return fitted[model]


def log_stability(sigma: Numbers, distances: Numbers, power: float = 1.0) -> Numbers:
    r"""Return $\ln P = k\sum_i\ln\Phi(d_i/\sigma)$ at each level of noise."""
    total: Numbers = power * log_ndtr(distances[None, :] / sigma[:, None]).sum(1)
    return total


def residuals(curve: Curve, distances: Numbers, power: float) -> Numbers:
    """Return the signed roots of each level's part of the deviance."""
    log_p = log_stability(curve.sigma, distances, power)
    log_miss = np.log(-np.expm1(np.minimum(log_p, -1e-300)))
    kept, lost = curve.kept, curve.draws - curve.kept
    parts = xlogy(kept, kept / curve.draws) - kept * log_p + xlogy(lost, lost / curve.draws) - lost * log_miss
    signs = np.sign(kept / curve.draws - np.exp(log_p))
    found: Numbers = signs * np.sqrt(np.maximum(2 * parts, 0))
    return found
