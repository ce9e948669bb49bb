r"""Orthants and wedges that fit a measured stability curve, by maximum likelihood.

The stability at distance $d$ from each of $k$ facets at right angles is $P(\sigma)=\Phi(d/\sigma)^k$
(Proposition 4.3), here for any real $k>0$; in a wedge all facets but the first lean by an angle $\theta$. The
signed roots of the binomial deviance make a least-squares problem of it, whose minimum is that of the
likelihood.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import least_squares
from scipy.special import log_ndtr, xlogy
from scipy.stats import chi2

from neighborhoods.kernels.wedges import STEEPEST, centreline_point, wedge_stability

Numbers = npt.NDArray[np.float64]

FREE = {"half-space": 0, "distance": 1, "facets": 1, "both": 2, "wedge": 2, "skewed": 3, "nine": 0}
"""Models and how many numbers each has to fit: flat at the measured distance; flat at a fitted one; fitted
facets at the measured distance; both fitted; two facets with fitted angle and distance; the number of facets,
the angle and the distance fitted; one facet at each measured distance."""
MODELS = tuple(FREE)
COUNTS = {"wedge": (2,), "skewed": range(2, 10)}
"""How many facets a leaning model may have: at most one for each other class."""
LARGEST = 20.0
"""Logarithm beyond which no factor is looked for."""
ROUNDING = 1e-14
"""A wedge's stability below this is rounding, see `wedge_stability`."""


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


class Shape(NamedTuple):
    """An orthant with so many facets at each distance, or a wedge with all of its facets at one.

    Attributes:
        distances: of the facets, pixels.
        facets: how many at each distance, any positive number, but a whole one for a wedge.
        theta: by how much all facets but the first lean, radians; 0 for right angles.
    """

    distances: Numbers
    facets: float = 1.0
    theta: float = 0.0


def fit(curve: Curve, model: str) -> dict[str, float]:
    r"""Return the shape of a model that fits the curve best.

    $$ D = 2\sum_j\Big(h_j\ln\frac{h_j}{n_jP(\sigma_j)} +
       (n_j-h_j)\ln\frac{n_j-h_j}{n_j(1-P(\sigma_j))}\Big) $$

    Args:
        curve: counts $h$ of $n$ at levels σ.
        model: one of `MODELS`.

    Returns:
        ``k`` and ``d`` (NaN for "nine"); ``theta`` in radians; ``deviance`` $D$; ``freedom``, levels less
        fitted numbers; ``chance``, that a right model has a deviance as large or larger (by $\chi^2$, for
        many draws).

    Raises:
        ValueError: a model that there is none of.
    """
    if model not in MODELS:
        raise ValueError(f"model: got {model!r}; required one of {', '.join(MODELS)}")

    fits = [_least(curve, model, count) for count in COUNTS.get(model, (1,))]
    deviance, found = min(fits, key=lambda fit: fit[0])
    freedom, one = len(curve.sigma) - FREE[model], model != "nine"
    return {
        "k": found.facets if one else np.nan,
        "d": float(found.distances[0]) if one else np.nan,
        "theta": found.theta,
        "deviance": deviance,
        "freedom": freedom,
        "chance": float(chi2.sf(deviance, freedom)),
    }


def _least(curve: Curve, model: str, count: int) -> tuple[float, Shape]:
    """Return the least deviance and its shape, of a wedge among those with so many facets."""

    def at(numbers: Numbers) -> Numbers:
        return residuals(curve, _shape(curve.ties, model, count, numbers))

    most = np.array([STEEPEST, LARGEST] if model in COUNTS else [LARGEST] * FREE[model])
    best: Numbers = least_squares(at, 0 * most, bounds=(-most, most)).x if len(most) else most
    return float((at(best) ** 2).sum()), _shape(curve.ties, model, count, best)


def _shape(ties: Numbers, model: str, count: int, numbers: Numbers) -> Shape:
    """Return a model's shape from what is fitted.

    The last number is the logarithm of the distance over the least of the measured ones, where that is
    fitted; the first one is a wedge's angle, or the logarithm of an orthant's number of facets.
    """
    near, factors = ties.min(keepdims=True), np.exp(numbers).tolist()
    if model in COUNTS:
        return Shape(near * factors[1], float(count), float(numbers[0]))
    distances = {"distance": near * factors[-1:], "both": near * factors[-1:], "nine": ties}.get(model, near)
    return Shape(distances, factors[0] if model in ("facets", "both") else 1.0)


def log_stability(sigma: Numbers, shape: Shape) -> Numbers:
    r"""Return $\ln P$ at each level of noise: $k\sum_i\ln\Phi(d_i/\sigma)$, or that of the wedge."""
    if shape.theta:
        angles = torch.full((int(shape.facets) - 1,), shape.theta, dtype=torch.float64)
        point = centreline_point(float(shape.distances[0]), angles)
        within: Numbers = wedge_stability(point, angles, torch.tensor(sigma)).numpy()
        return np.log(np.maximum(within, ROUNDING))
    total: Numbers = shape.facets * log_ndtr(shape.distances[None, :] / sigma[:, None]).sum(1)
    return total


def residuals(curve: Curve, shape: Shape) -> Numbers:
    """Return the signed roots of each level's part of the deviance."""
    log_p = log_stability(curve.sigma, shape)
    log_miss = np.log(-np.expm1(np.minimum(log_p, -1e-300)))
    kept, lost = curve.kept, curve.draws - curve.kept
    parts = xlogy(kept, kept / curve.draws) - kept * log_p + xlogy(lost, lost / curve.draws) - lost * log_miss
    signs = np.sign(kept / curve.draws - np.exp(log_p))
    found: Numbers = signs * np.sqrt(np.maximum(2 * parts, 0))
    return found
