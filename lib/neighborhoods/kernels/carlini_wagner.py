"""The attack of Carlini and Wagner in the Euclidean norm: each row has its own penalty, step and best point.

The change of variables is a sine where they take a hyperbolic tangent. Most pixels of a digit are exactly 0
or 1, and there the tangent is so flat that hundreds of steps do not move them; the sine leaves both ends at a
rate that does not vanish exponentially.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.attacks import check_logits, check_mode, check_points, lead
from neighborhoods.kernels.linearised import Best, improve
from neighborhoods.kernels.statistics import Classifier

_INSET = 1e-3  # of half the box: at its faces themselves the sine has no slope
_WIDEN = 1.5  # in ln c, before both a success and a failure are known
_NEAREST = 1e-6  # least estimate of a distance, in the unit of the points
_LARGEST = 0.2  # greatest step of Adam, in the angle
_LAST = 0.01  # the last step over the first
_LATE = 0.75  # of a descent: before, it may cross the boundary only because it overshoots its minimum


class CarliniWagner(NamedTuple):
    """Nearest adversarial points met on the way, one row for each attacked point, failures included.

    Attributes:
        points: $\\hat x$; of a failure the last point tried.
        success: whether the excess of the wanted logit exceeds the margin.
        distortion: $\\|\\hat x - x\\|_2/\\sqrt n$ (the draft's Definition 1.8).
        penalty: the least $c$ whose descent ended in success, without one the last $c$; 0 for points that
            had succeeded before.
    """

    points: Float[Tensor, " m *shape"]
    success: Bool[Tensor, " m"]
    distortion: Float[Tensor, " m"]
    penalty: Float[Tensor, " m"]


@dataclass(frozen=True)
class _Task:
    """Some rows to attack: flattened points, the classes to reach (sign 1) or to leave (sign -1)."""

    classifier: Classifier
    origin: Float[Tensor, "k n"]
    shape: tuple[int, ...]
    classes: Int64[Tensor, " k"]
    sign: int
    margin: float
    box: tuple[float, float]


@checked(margin=0, rounds=1, steps=1)
def carlini_wagner(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    labels: Int[Tensor, " m"],
    *,
    targets: Int[Tensor, " m"] | None = None,
    margin: float = 0.0,
    box: tuple[float, float] = (0.0, 1.0),
    rounds: int = 5,
    steps: int = 100,
    rate: float = 1.0,
) -> CarliniWagner:
    """Attack points by minimising their squared distance plus a hinge on the logits.

    $$ \\min_w \\; \\|\\hat x - x\\|_2^2
       + c\\,\\max\\big(\\max_{k\\ne t} Z_k(\\hat x) - Z_t(\\hat x), -\\kappa\\big),
       \\qquad \\hat x = \\tfrac12(1 + \\sin w), $$

    and untargeted with $Z_y - \\max_{k\\ne y} Z_k$, by Adam with a step that falls along a cosine. Each row
    bisects for the least $\\ln c$ that ends in success, from the $c$ and with the step that suit a linear
    classifier of its gradient: rescaled logits give the same points. Rows do not influence each other, up to
    the rounding of the classifier's own batches.

    Args:
        classifier: points to floating logits `(m, classes)`, without train-time randomness.
        points: $x$, inside the box.
        labels: the true classes $y$.
        targets: the classes $t$ to reach, none of them the label; untargeted if not given.
        margin: $\\kappa$; the excess of the wanted logit has to be greater than this.
        box: least and greatest coordinate, finite.
        rounds: how many penalties are tried.
        steps: gradients for each penalty.
        rate: first step of Adam in a coordinate, over the root mean square of the changes that a linear
            classifier would need.

    Returns:
        A `CarliniWagner` whose rows are those of `points`, failures with success False.

    Raises:
        ValueError: a number outside its range, points outside the box, targets equal to labels, classes that
            the classifier does not have, logits that are not finite and floating, or a module in train mode
            that draws or averages.

    Source: the draft, equation (6), corrected; Carlini and Wagner (2017), the sine and the first c and step
    ours.

    >>> half_space = lambda x: torch.stack([0 * x[:, 0], x[:, 0] + x[:, 1] - 1], 1)
    >>> attack = carlini_wagner(half_space, torch.zeros(1, 2), torch.tensor([0]))
    >>> attack.success, attack.points.round(decimals=2)
    (tensor([True]), tensor([[0.5000, 0.5000]]))
    """
    _check(rate, box)
    check_points(points, labels, targets, box)
    check_mode(classifier)
    classes, sign = (labels, -1) if targets is None else (targets, 1)
    origin = points.detach().flatten(1)
    task = _Task(classifier, origin, points.shape[1:], classes.long(), sign, margin, box)
    start, slope = _excess(task, origin)
    best = Best(origin.clone(), start > 0, torch.zeros_like(start))
    penalty, rows = torch.zeros_like(start), (start <= 0).nonzero()[:, 0]
    if len(rows):
        some = _Task(classifier, origin[rows], task.shape, task.classes[rows], sign, margin, box)
        found, penalty[rows] = _search(some, -start[rows], slope[rows], rounds=rounds, steps=steps, rate=rate)
        for whole, part in zip(best, found, strict=True):
            whole[rows] = part
    distortion = best.length / math.sqrt(origin.shape[1])
    return CarliniWagner(best.points.unflatten(1, task.shape), best.success, distortion, penalty)


def _search(
    task: _Task, gap: Tensor, slope: Tensor, *, rounds: int, steps: int, rate: float
) -> tuple[Best, Float[Tensor, " k"]]:
    """Descend for one penalty after the other, and bisect for the least that succeeds."""
    steep = slope.norm(dim=1).clamp_min(torch.finfo(gap.dtype).tiny)
    distance = (gap / steep).clamp_min(_NEAREST)
    # of a linear classifier: r = c a / 2 is as long as the distance
    trial = (2 * distance / steep).clamp(1e-30, 1e30).log()
    width = task.box[1] - task.box[0]
    step = (rate * distance / math.sqrt(slope.shape[1]) * 2 / width).clamp_max(_LARGEST)
    low, high = torch.full_like(trial, -math.inf), torch.full_like(trial, math.inf)
    best = Best(task.origin.clone(), torch.zeros_like(gap, dtype=torch.bool), torch.zeros_like(gap))
    for _ in range(rounds):
        last = trial
        best, hit = _descend(task, best, last.exp(), step, steps)
        low, high = torch.where(hit, low, last), torch.where(hit, last, high)
        outside = torch.where(high.isinf(), last + _WIDEN, last - _WIDEN)
        trial = torch.where(high.isinf() | low.isinf(), outside, (low + high) / 2)
    return best, torch.where(high.isfinite(), high, last).exp()


def _descend(
    task: _Task, best: Best, penalty: Tensor, step: Tensor, steps: int
) -> tuple[Best, Bool[Tensor, " k"]]:
    """Minimise from the natural points; say which rows succeed late, and keep the nearest points of all."""
    middle, half = sum(task.box) / 2, (task.box[1] - task.box[0]) / 2
    start = torch.asin((task.origin - middle) / half * (1 - _INSET))
    moved = torch.zeros_like(start, requires_grad=True)  # in units of each row's step
    adam = torch.optim.Adam([moved], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps, eta_min=_LAST)
    hit = torch.zeros_like(best.success)
    for number in range(steps):
        angle = start + step[:, None] * moved.detach()
        at = middle + half * angle.sin()
        excess, slope = _excess(task, at)
        best = improve(best, at, excess > 0, task.origin)
        hit |= (excess > 0) & (number >= _LATE * (steps - 1))
        pull = 2 * (at - task.origin) - (penalty * (excess < 0))[:, None] * slope
        moved.grad = pull * half * angle.cos() * step[:, None]
        adam.step()
        schedule.step()
    return best, hit


def _excess(task: _Task, at: Tensor) -> tuple[Float[Tensor, " k"], Float[Tensor, "k n"]]:
    """Return how much more than the margin the wanted logit is ahead, and the gradient."""
    with torch.enable_grad():
        inputs = at.detach().requires_grad_()
        logits = task.classifier(inputs.unflatten(1, task.shape))
        check_logits(logits, task.classes)
        excess = task.sign * lead(logits, task.classes) - task.margin
        return excess.detach(), torch.autograd.grad(excess.sum(), inputs)[0]


def _check(rate: float, box: tuple[float, float]) -> None:
    for name, value, allowed, required in (
        ("rate", rate, 0 < rate < math.inf, "more than 0 and finite"),
        ("box", box, -math.inf < box[0] < box[1] < math.inf, "two finite ends in order"),
    ):
        if not allowed:
            raise ValueError(f"{name}: got {value!r}; required {required}")
