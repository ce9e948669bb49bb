"""Naive transcriptions of the draft's formulas: slow, obvious, and independent of the kernels they check."""

# --- wedges, attacks, boundaries ---

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from scipy import integrate, stats
from torch import Tensor
from torch.nn.functional import cross_entropy


def wedge_stability_by_quadrature(point: Tensor, angles: Tensor, sigma: float) -> float:
    """Integrate over the first coordinate with scipy, in pieces around every step of the integrand."""
    x, slopes = point.numpy(), np.tan(angles.numpy())
    low, high = max(-x[0] / sigma, -12.0), 12.0
    steep = [
        (x[i + 1] / t - x[0]) / sigma + j / t for i, t in enumerate(slopes) if t for j in (-8, -3, 0, 3, 8)
    ]
    cuts = [low, *sorted(z for z in [*steep, *range(-12, 12)] if low < z < high), high]

    def density(z: float) -> float:
        others = (x[1 : len(slopes) + 1] - (x[0] + sigma * z) * slopes) / sigma
        return float(stats.norm.pdf(z) * np.prod(stats.norm.cdf(others)))

    pieces = pairwise(cuts)
    return sum(integrate.fixed_quad(np.vectorize(density), a, b, n=24)[0] for a, b in pieces if b > a)


def first_crossing(
    stability: Callable[[float], float], gamma: float, sigmas: np.ndarray
) -> tuple[float, float]:
    """Walk up a grid: the last stable level before an unstable one, and the first stable one after it."""
    stable = [stability(float(s)) >= gamma for s in sigmas]
    if all(stable):
        return math.inf, math.inf
    first = stable.index(False)
    after = [s for s, good in zip(sigmas[first:], stable[first:], strict=True) if good]
    return float(sigmas[max(first - 1, 0)]), float(after[0]) if after else math.inf


def igsm_of_one(
    classifier: Callable[[Tensor], Tensor],
    point: Tensor,
    label: int,
    *,
    epsilon: float,
    alpha: float,
    steps: int,
    target: int | None = None,
    stop: str = "success",
) -> tuple[Tensor, bool, int]:
    """Attack one point with the cross-entropy of the draft's (5), signs corrected."""
    x, taken = point.clone(), 0

    def reached() -> bool:
        found = int(classifier(x[None]).argmax())
        return found != label if target is None else found == target

    while taken < steps and not (stop == "success" and reached()):
        inputs = x.clone()[None].requires_grad_()
        wanted = torch.tensor([label if target is None else target])
        gradient = torch.autograd.grad(cross_entropy(classifier(inputs), wanted), inputs)[0][0]
        x = x + alpha * gradient.sign() if target is None else x - alpha * gradient.sign()
        x = torch.minimum(torch.maximum(x, point - epsilon), point + epsilon).clamp(0, 1)
        taken += 1
    return x, reached(), taken


def crossing_of_one(label: Callable[[Tensor], int], start: Tensor, end: Tensor, iterations: int) -> float:
    """Bisect one segment for a point where the class of its end begins."""
    near, far = 0.0, 1.0
    for _ in range(iterations):
        middle = (near + far) / 2
        if label(start + middle * (end - start)) == label(end):
            far = middle
        else:
            near = middle
    return (near + far) / 2
