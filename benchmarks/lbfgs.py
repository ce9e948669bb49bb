"""The batched minimum-distortion attack against a loop over pairs of image and target with SciPy's L-BFGS-B.

The loop minimises the same objective from the same starts, by the same rule for c, to the same relative
decrease, and ends with the same bisection; it computes the network and its gradient in float32 and keeps its
own numbers in float64, as SciPy does. Ours adds its linearised steps.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from scipy.optimize import minimize
from torch import Tensor, nn

ROUNDS, DECREASE, REFINEMENTS, RIVALS = 4, 1e-2, 2, 4
HALVINGS, RESERVE, GROW, SHRINK = 16, 0.7, 1.0, 1.5


@dataclass(frozen=True)
class Outcome:
    """Seconds per pair, and what they bought."""

    seconds: float
    success: float
    distortion: float
    evaluations: float


def duels(
    network: nn.Module, images: Tensor, labels: Tensor, repetitions: int
) -> list[tuple[Outcome, Outcome]]:
    """Run ours and the loop in turn on the same pairs, with other images in each repetition."""
    batched(network, *pairs(images[:10], labels[:10]))
    parts = [pairs(x, y) for x, y in zip(images.chunk(repetitions), labels.chunk(repetitions), strict=True)]
    return [(batched(network, *part), looped(network, *part)) for part in parts]


def pairs(images: Tensor, labels: Tensor, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Return each image once for each class that is not its own, and these classes."""
    targets = torch.arange(classes).expand(len(images), classes)
    return images.repeat_interleave(classes - 1, 0), targets[targets != labels[:, None]]


def batched(network: nn.Module, points: Tensor, targets: Tensor) -> Outcome:
    start = time.perf_counter()
    found = minimum_distortion(
        network, points, targets, rounds=ROUNDS, decrease=DECREASE, refinements=REFINEMENTS, rivals=RIVALS
    )
    seconds = (time.perf_counter() - start) / len(points)
    reached = found.success
    return Outcome(
        seconds,
        float(reached.double().mean()),
        float(found.distortion[reached].mean()),
        float(found.evaluations.double().mean()),
    )


def looped(network: nn.Module, points: Tensor, targets: Tensor, decrease: float = DECREASE) -> Outcome:
    start = time.perf_counter()
    results = [
        attack_one(network, point[None], int(target), decrease)
        for point, target in zip(points, targets, strict=True)
    ]
    seconds = (time.perf_counter() - start) / len(points)
    reached = [length for length, _ in results if length < math.inf]
    size = math.sqrt(points[0].numel())
    evaluations = sum(count for _, count in results) / len(results)
    return Outcome(seconds, len(reached) / len(results), sum(reached) / len(reached) / size, evaluations)


def attack_one(network: nn.Module, point: Tensor, target: int, decrease: float) -> tuple[float, int]:
    """Return the length of the shortest successful step, infinite without one, and the gradients taken."""
    if excess(network, point, target) > 0:
        return 0.0, 1
    origin, objective = point.double().numpy().ravel(), objective_of(network, point, target)
    trial, at, count = first_penalty(network, point, target), origin, 1
    best, reached, missed = (math.inf, origin), None, None
    for _ in range(ROUNDS):
        found = minimize(
            objective, at, args=(math.exp(trial),), jac=True, method="L-BFGS-B",
            bounds=[(0, 1)] * len(origin),
            options={"ftol": decrease, "gtol": 0.0, "maxcor": 3, "maxiter": 60},
        )  # fmt: skip
        at, count = found.x, count + found.nfev
        gained = excess(network, torch.from_numpy(at.astype(np.float32)).view_as(point), target)
        if gained > 0:
            best = min(best, (float(np.linalg.norm(at - origin)), at), key=lambda pair: pair[0])
            reached = (trial, gained)
        else:
            missed = (trial, gained)
        trial = next_trial(reached, missed)
    return pulled_back(network, point, target, best), count


def objective_of(network: nn.Module, point: Tensor, target: int) -> Callable[..., tuple[float, np.ndarray]]:
    origin, goal = point.double().numpy().ravel(), torch.tensor([target])

    def objective(x: np.ndarray, c: float) -> tuple[float, np.ndarray]:
        inputs = torch.from_numpy(x.astype(np.float32)).view_as(point).requires_grad_()
        loss = nn.functional.cross_entropy(network(inputs), goal)
        slope = torch.autograd.grad(loss, inputs)[0].numpy().ravel()
        return float(((x - origin) ** 2).sum() / 2 + loss.item() / c), x - origin + slope / c

    return objective


def next_trial(reached: tuple[float, float] | None, missed: tuple[float, float] | None) -> float:
    if reached is None:
        return missed[0] - SHRINK
    if missed is None:
        return reached[0] + GROW
    share = min(max(reached[1] / (reached[1] - missed[1]), 0.1), 0.9)
    return reached[0] + share * (missed[0] - reached[0])


def first_penalty(network: nn.Module, point: Tensor, target: int) -> float:
    inputs = point.clone().requires_grad_()
    logits = network(inputs)[0]
    rival = max((k for k in range(len(logits)) if k != target), key=lambda k: logits[k].item())
    gap = logits[target] - logits[rival]
    steep = torch.autograd.grad(gap, inputs)[0].square().sum()
    return math.log(float(steep) / (-2 * gap.item())) - RESERVE


@torch.no_grad()
def excess(network: nn.Module, point: Tensor, target: int) -> float:
    logits = network(point)[0]
    own = float(logits[target])
    logits[target] = -math.inf
    return own - float(logits.max())


def pulled_back(network: nn.Module, point: Tensor, target: int, best: tuple[float, np.ndarray]) -> float:
    length, at = best
    if length == math.inf:
        return length
    step, near, far = torch.from_numpy(at.astype(np.float32)).view_as(point) - point, 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (near, middle) if excess(network, point + middle * step, target) > 0 else (middle, far)
    return far * length
