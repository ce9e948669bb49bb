"""Stability (Definition 4.1) and persistence (Definition 4.2) of points under any classifier."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int, Int8
from torch import Generator, Tensor

from neighborhoods.kernels.noise import Noise, unit_noise
from neighborhoods.kernels.statistics import (
    Classifier,
    Status,
    clopper_pearson,
    labels_of,
    order_statistic_ranks,
    require_fraction,
)

CHUNK = 256  # samples a forward pass: larger batches spend their time on page faults


class Stability(NamedTuple):
    """Fraction of the noisy points in the class of their centre, with its exact interval."""

    probability: Float[Tensor, " points"]
    low: Float[Tensor, " points"]
    high: Float[Tensor, " points"]


class Persistence(NamedTuple):
    """The largest σ up to which a point is stable, its interval, and a `Status` code."""

    sigma: Float[Tensor, " points"]
    low: Float[Tensor, " points"]
    high: Float[Tensor, " points"]
    status: Int8[Tensor, " points"]


def stability(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    sigma: float | Float[Tensor, " points"],
    *,
    samples: int = 1000,
    confidence: float = 0.95,
    labels: Int[Tensor, " points"] | None = None,
    noise: Noise = "gaussian",
    generator: Generator | None = None,
) -> Stability:
    r"""Estimate $P(\sigma) = \mathbb P[C(x + \sigma\varepsilon) = C(x)]$ for each point."""
    require_fraction("confidence", confidence)
    sigmas = _sigmas(sigma, points)
    pool = unit_noise(noise, samples, points[0], generator=generator)
    own = labels_of(classifier, points) if labels is None else labels
    hits = torch.stack(
        [_hits(classifier, x, s, pool, c) for x, s, c in zip(points, sigmas, own, strict=True)]
    )
    low, high = clopper_pearson(hits.cpu().numpy(), samples, confidence)
    return Stability(
        hits.to(points) / samples, torch.as_tensor(low).to(points), torch.as_tensor(high).to(points)
    )


def class_frequencies(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    sigmas: Float[Tensor, " sigmas"],
    *,
    samples: int = 1000,
    classes: int = 10,
    noise: Noise = "gaussian",
    generator: Generator | None = None,
) -> Int[Tensor, "points sigmas classes"]:
    r"""Count the classes of $x + \sigma\varepsilon_i$ over a grid of σ, with one set of noise for all."""
    pool = unit_noise(noise, samples, points[0], generator=generator)
    rows = [
        torch.stack([torch.bincount(_labels(classifier, x, s, pool), minlength=classes) for s in sigmas])
        for x in points
    ]
    return torch.stack(rows)


def persistence(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    gamma: float = 0.7,
    *,
    samples: int = 1024,
    sigma_range: tuple[float, float] = (1e-3, 1e2),
    method: Literal["fast", "certified"] = "fast",
    confidence: float = 0.95,
    labels: Int[Tensor, " points"] | None = None,
    noise: Noise = "gaussian",
    generator: Generator | None = None,
) -> Persistence:
    r"""Measure the γ-persistence $\sigma^* = \max\{s : P(\sigma) \ge \gamma\ \forall \sigma < s\}$."""
    require_fraction("gamma", gamma)
    if method == "certified":
        raise NotImplementedError('method: got "certified"; it is being written')
    pool = unit_noise(noise, samples, points[0], generator=generator)
    own = labels_of(classifier, points) if labels is None else labels
    lower, upper = order_statistic_ranks(samples, 1 - gamma, confidence)
    # At least k in class: k = N - rank + 1 holds up to the rank-th exit of a ray.
    needed = [samples - rank + 1 for rank in (lower, -int(-(1 - gamma) * samples // 1), upper)]
    rows = []
    for x, c in zip(points, own, strict=True):

        def count(s: float, x: Tensor = x, c: Tensor = c) -> int:
            return int(_hits(classifier, x, torch.tensor(s), pool, c))

        low, sigma, high = (_first_crossing(count, k, sigma_range) for k in needed)
        if int(labels_of(classifier, x[None])[0]) != int(c):
            sigma, low, high = 0.0, 0.0, 0.0
        rows.append((sigma, low, high, Status.CENSORED if sigma == float("inf") else Status.CONVERGED))
    columns = torch.tensor(rows, dtype=torch.float64, device=points.device)
    sigma, low, high = columns[:, :3].to(points.dtype).T
    return Persistence(sigma, low, high, columns[:, 3].to(torch.int8))


def _first_crossing(
    count: Callable[[float], int], needed: int, sigma_range: tuple[float, float], factor: float = 1.3
) -> float:
    previous, sigma = 0.0, sigma_range[0]
    while count(sigma) >= needed:
        if sigma >= sigma_range[1]:
            return float("inf")
        previous, sigma = sigma, min(sigma * factor, sigma_range[1])
    if previous == 0:
        return 0.0
    for _ in range(16):
        middle = math.sqrt(previous * sigma)
        previous, sigma = (middle, sigma) if count(middle) >= needed else (previous, middle)
    return math.sqrt(previous * sigma)


def _labels(classifier: Classifier, x: Tensor, sigma: Tensor, pool: Tensor) -> Tensor:
    return torch.cat([labels_of(classifier, x + sigma * part) for part in torch.split(pool, CHUNK)])


def _hits(classifier: Classifier, x: Tensor, sigma: Tensor, pool: Tensor, label: Tensor) -> Tensor:
    return (_labels(classifier, x, sigma, pool) == label).sum()


def _sigmas(sigma: float | Tensor, points: Tensor) -> Tensor:
    sigmas = torch.as_tensor(sigma, dtype=points.dtype, device=points.device).expand(len(points))
    if not bool((sigmas > 0).all()):
        raise ValueError(f"sigma: got {sigma}; required positive values")
    return sigmas
