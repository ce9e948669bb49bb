"""Newton steps towards the nearest point of a class: linearise its rivals, step, and keep what is shorter."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.attacks import check_logits
from neighborhoods.kernels.halfspaces import least_step
from neighborhoods.kernels.statistics import Classifier

_SETTLED = 1e-4  # relative gain of a linearisation below which a row is left alone
_SHARES = (1.0, 0.5, 0.25)  # of the way to the linearised solution
_NEAR, _LOOKS = (
    0.03,
    6,
)  # of a step's length: where a refined step looks for the boundary, by so many halvings


@dataclass(frozen=True)
class Goal:
    """Which class each row shall reach, and from where.

    Attributes:
        classifier: points `(m, *shape)` to logits.
        origin: the natural points, flattened to `(m, n)`.
        shape: of one point.
        targets: the wanted classes.
        margin: by which the target's logit has to exceed every other.
        box: least and greatest coordinate.
    """

    classifier: Classifier
    origin: Float[Tensor, "m n"]
    shape: tuple[int, ...]
    targets: Int64[Tensor, " m"]
    margin: float
    box: tuple[float, float]


class Best(NamedTuple):
    """The shortest successful points so far; of a row without success the last one tried."""

    points: Float[Tensor, "m n"]
    success: Bool[Tensor, " m"]
    length: Float[Tensor, " m"]


def logits_at(
    goal: Goal, points: Float[Tensor, "k n"], rows: Int64[Tensor, " k"]
) -> Float[Tensor, "k classes"]:
    """Return the logits of flattened points; the error names what a classifier lacks."""
    logits = goal.classifier(points.unflatten(1, goal.shape))
    check_logits(logits, goal.targets[rows], differentiable=points.requires_grad)
    return logits


@torch.no_grad()
def excess(goal: Goal, points: Float[Tensor, "k n"], rows: Int64[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Return by how much the target's logit exceeds the largest other one plus the margin."""
    logits, index = logits_at(goal, points, rows), goal.targets[rows, None]
    return logits.gather(1, index)[:, 0] - logits.scatter(1, index, -math.inf).amax(1) - goal.margin


def improve(best: Best, points: Tensor, success: Tensor, origin: Tensor) -> Best:
    """Put in the points that succeed and are shorter, or that replace a failure."""
    length = (points - origin).norm(dim=1)
    better = torch.where(best.success, success & (length < best.length), True)
    return Best(
        torch.where(better[:, None], points, best.points),
        best.success | success,
        torch.where(better, length, best.length),
    )


@checked(rivals=1, steps=0)
def refine(goal: Goal, best: Best, *, rivals: int, steps: int) -> tuple[Best, Int64[Tensor, " m"]]:
    """Shorten steps by successive linearisation of the target's excess over its nearest rivals.

    $$ \\hat x' = x + \\arg\\min_r \\{\\tfrac12\\|r\\|^2 : e_k(\\hat x) + \\nabla e_k(\\hat x)^T
       (x + r - \\hat x) \\ge 0, \\; x + r \\in [0,1]^n \\}, \\qquad e_k = Z_t - Z_k - \\kappa, $$

    of the way to which the first of 1, 1/2 and 1/4 is gone whose point, moved to the boundary along its own
    direction from $x$, is nearer than $\\hat x$. Whole steps alone stop at the kinks of rectified networks.

    Args:
        goal: what to reach.
        best: the points to start from, overwritten.
        rivals: how many classes of largest logit are linearised.
        steps: greatest number of linearisations for a row.

    Returns:
        The shortest successful points, never longer than those given, and the number of gradients taken.

    Source: ours; DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016) with a target and a box.
    """
    gradients = torch.zeros_like(goal.targets)
    rows = (~best.success | (best.length > 0)).nonzero()[:, 0]
    for _ in range(steps):
        if not len(rows):
            break
        at, origin = best.points[rows], goal.origin[rows]
        values, slopes = linearise(goal, at, rows, rivals)
        gradients[rows] += 1 + slopes.shape[1]
        offsets = (slopes @ (at - origin)[:, :, None])[:, :, 0] - values
        found = least_step(slopes, offsets, goal.box[0] - origin, goal.box[1] - origin)
        succeeded, length = best.success[rows], best.length[rows]
        _approach(goal, best, rows, origin + found.step)
        going = torch.where(succeeded, length - best.length[rows] > _SETTLED * length, found.solved)
        rows = rows[going]
    return best, gradients


def _approach(goal: Goal, best: Best, rows: Tensor, wanted: Tensor) -> None:
    """Go a part of the way to the points wanted, the less the longer it does not help; overwrite `best`."""
    for share in _SHARES:
        old, origin = Best(*(part[rows] for part in best)), goal.origin[rows]
        step = old.points + share * (wanted - old.points) - origin
        stretch = _bracket(goal, rows, step, (1 - _NEAR, 1 + _NEAR), _LOOKS)[1]
        points = (origin + stretch[:, None] * step).clamp(*goal.box)
        new = improve(old, points, excess(goal, points, rows) > 0, origin)
        for whole, part in zip(best, new, strict=True):
            whole[rows] = part
        left = old.success & (new.length >= old.length)
        rows, wanted = rows[left], wanted[left]
        if not len(rows):
            break


def pull_back(goal: Goal, best: Best, *, halvings: int) -> Best:
    """Put each success just beyond the boundary along its own direction, by bisection.

    It ends one bracket's width beyond the far end, so that rounding in another batch costs no success.
    """
    rows = best.success.nonzero()[:, 0]
    points, length = best.points.clone(), best.length.clone()
    step = points[rows] - goal.origin[rows]
    near, far = _bracket(goal, rows, step, (0.0, 1.0), halvings)
    points[rows] = (goal.origin[rows] + (2 * far - near)[:, None] * step).clamp(*goal.box)
    length[rows] = (points[rows] - goal.origin[rows]).norm(dim=1)
    return Best(points, best.success, length)


def _bracket(
    goal: Goal, rows: Tensor, step: Tensor, ends: tuple[float, float], halvings: int
) -> tuple[Float[Tensor, " k"], Float[Tensor, " k"]]:
    """Bisect for the least multiple of each step that succeeds, as the far end is taken to do."""
    near, far = (torch.full_like(step[:, 0], end) for end in ends)
    origin = goal.origin[rows]
    for _ in range(halvings):
        middle = (near + far) / 2
        inside = excess(goal, (origin + middle[:, None] * step).clamp(*goal.box), rows) > 0
        near, far = torch.where(inside, near, middle), torch.where(inside, middle, far)
    return near, far


def linearise(
    goal: Goal, points: Tensor, rows: Tensor, rivals: int
) -> tuple[Float[Tensor, "k rivals"], Float[Tensor, "k rivals n"]]:
    """Return the target's excess over its nearest rivals, and its gradients."""
    with torch.enable_grad():
        inputs = points.detach().requires_grad_()
        logits, index = logits_at(goal, inputs, rows), goal.targets[rows, None]
        others = logits.scatter(1, index, -math.inf)
        nearest = others.topk(min(rivals, logits.shape[1] - 1), dim=1).indices
        values = logits.gather(1, index) - logits.gather(1, nearest) - goal.margin
        slopes = [torch.autograd.grad(v.sum(), inputs, retain_graph=True)[0] for v in values.unbind(1)]
    return values.detach(), torch.stack(slopes, 1)
