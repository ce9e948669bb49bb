"""The nearest point of a wanted class: L-BFGS with its own penalty for each image, then Newton steps."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor

from neighborhoods.kernels.arguments import checked, require_inside
from neighborhoods.kernels.attacks import check_mode
from neighborhoods.kernels.boundaries import overshoot
from neighborhoods.kernels.lbfgs import Minimum, Objective, minimise
from neighborhoods.kernels.linearised import (
    Best,
    Goal,
    excess,
    improve,
    linearise,
    logits_at,
    pull_back,
    refine,
)
from neighborhoods.kernels.statistics import Classifier

_UNKNOWN = math.nan  # an end of a penalty's bracket that no round has reached
_RESERVE, _GROW, _SHRINK = 0.7, 1.0, 1.5  # in ln c
_HALVINGS = 16
_SPREAD, _NEARER = 6.0, 0.2  # of a restart: noise over the root mean square of the best step; in ln c


class MinimumDistortion(NamedTuple):
    """Nearest adversarial points found, one row for each attacked point, failures included.

    Attributes:
        points: $\\hat x = x + r$; of a failure the last point tried.
        success: whether the target's logit exceeds the largest other one by more than the margin.
        distortion: $\\|r\\|_2/\\sqrt n$ (the draft's Definition 1.8).
        overshoot: distance from the target's boundary to $\\hat x$ along $r$, in the unit of the points, by
            bisection; 0 for failures and for points that had the target's class already.
        penalty: the greatest $c$ whose minimiser reached the target; of a failure the last $c$.
        evaluations: gradients of the loss or of a logit.
    """

    points: Float[Tensor, " m *shape"]
    success: Bool[Tensor, " m"]
    distortion: Float[Tensor, " m"]
    overshoot: Float[Tensor, " m"]
    penalty: Float[Tensor, " m"]
    evaluations: Int64[Tensor, " m"]


class Search(NamedTuple):
    """What the rounds know of each row's penalty, as ln c, and the logit's excess that it leads to.

    Attributes:
        trial: the ln c to try next.
        reached: the greatest ln c that succeeded, NaN before.
        above: the excess there.
        missed: the least ln c, above `reached`, that failed, NaN before.
        below: the excess there.
    """

    trial: Float[Tensor, " m"]
    reached: Float[Tensor, " m"]
    above: Float[Tensor, " m"]
    missed: Float[Tensor, " m"]
    below: Float[Tensor, " m"]


@checked(margin=0, rounds=1, refinements=0, rivals=1, iterations=0, memory=1, decrease=0, starts=1)
def minimum_distortion(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    targets: Int[Tensor, " m"],
    *,
    margin: float = 0.0,
    box: tuple[float, float] = (0.0, 1.0),
    rounds: int = 4,
    refinements: int = 2,
    rivals: int = 9,
    iterations: int = 60,
    memory: int = 3,
    decrease: float = 1e-3,
    starts: int = 1,
    generator: torch.Generator | None = None,
) -> MinimumDistortion:
    """Move each point into its target class by as short a step as can be found.

    $$ \\min_r\\; \\tfrac c2\\|r\\|_2^2 + L(x + r, t) \\quad\\text{with } x + r \\in [0, 1]^n, $$

    by L-BFGS for a few $c$ per row, the greatest $c$ that reaches the target being sought by bracketing. L is
    the cross-entropy whose target logit is lowered by the margin. With $\\|r\\|$ for $\\tfrac12\\|r\\|^2$ the
    stationary points are the same, at the penalty $c\\|r\\|$, but the objective has no gradient at $r = 0$.
    The last steps linearise the logits of the nearest rivals and take the shortest step beyond all of their
    boundaries, which is exact for linear classifiers. A step counts only if it succeeds and is shorter.
    Rows do not influence each other, up to the rounding of the classifier's own batches.

    Args:
        classifier: points to floating logits `(m, classes)`, without train-time randomness.
        points: $x$, inside the box.
        targets: the classes $t$ to reach.
        margin: the target's logit has to exceed every other one by more than this.
        box: least and greatest allowed coordinate.
        rounds: how many penalties are tried.
        refinements: greatest number of linearisations; 0 leaves the penalised minimum.
        rivals: how many of the classes with the largest logits are linearised.
        iterations: L-BFGS steps for each penalty at most.
        memory: curvature pairs for each row.
        decrease: relative decrease of the objective at which L-BFGS ends.
        starts: how often all of this is done; all but the first time from noise around $x$, for the last
            penalty alone. Each may find another, nearer valley.
        generator: source of that noise.

    Returns:
        A `MinimumDistortion` whose rows are those of `points`, failures with success False.

    Raises:
        ValueError: a number outside its range, points outside the box, classes that the classifier does not
            have, logits that are not finite and floating, or a module in train mode that draws or averages.

    Source: Szegedy et al. (2013), section 4.1; the draft, section 1.4.2.

    >>> half_space = lambda x: torch.stack([0 * x[:, 0], x[:, 0] + x[:, 1] - 1], 1)
    >>> attack = minimum_distortion(half_space, torch.zeros(1, 2), torch.tensor([1]))
    >>> attack.success, attack.points.round(decimals=2)
    (tensor([True]), tensor([[0.5000, 0.5000]]))
    """
    require_inside("points", points, box)
    check_mode(classifier)
    goal = Goal(classifier, points.detach().flatten(1), points.shape[1:], targets.long(), margin, box)
    descent = partial(
        minimise, box=box, memory=memory, iterations=iterations, tolerance=0.0, decrease=decrease
    )
    best, penalty, evaluations = _penalised(goal, descent, rounds)
    best, gradients = refine(goal, best, rivals=rivals, steps=refinements)
    best = pull_back(goal, best, halvings=_HALVINGS)
    for _ in range(starts - 1):
        other, more = _restart(goal, descent, best, penalty, generator)
        other, again = refine(goal, other, rivals=rivals, steps=refinements)
        other = pull_back(goal, other, halvings=_HALVINGS)
        best, gradients = improve(best, other.points, other.success, goal.origin), gradients + more + again
    adversarial = best.points.unflatten(1, goal.shape)
    beyond = overshoot(classifier, points.detach(), adversarial, iterations=_HALVINGS).distance
    distortion = best.length / math.sqrt(goal.origin.shape[1])
    beyond = torch.where(best.success, beyond, 0.0)
    return MinimumDistortion(adversarial, best.success, distortion, beyond, penalty, evaluations + gradients)


def next_penalty(search: Search, log_penalty: Tensor, excess: Tensor) -> Search:
    """Narrow the brackets of ln c by the last excess, and choose the next ln c.

    Between a success and a failure it is where the line through both is 0, but at least a tenth of it
    from either end; before a failure $c$ grows and before a success it shrinks, by fixed factors.
    """
    hit = excess > 0
    reached, above = torch.where(hit, log_penalty, search.reached), torch.where(hit, excess, search.above)
    missed, below = torch.where(hit, search.missed, log_penalty), torch.where(hit, search.below, excess)
    share = (above / (above - below)).clamp(0.1, 0.9)
    trial = torch.where(missed.isnan(), reached + _GROW, missed - _SHRINK)
    trial = torch.where(reached.isnan() | missed.isnan(), trial, reached + share * (missed - reached))
    return Search(trial, reached, above, missed, below)


def _penalised(
    goal: Goal, descent: Callable[[Objective, Tensor], Minimum], rounds: int
) -> tuple[Best, Float[Tensor, " m"], Int64[Tensor, " m"]]:
    """Minimise for one penalty after the other, each from the last minimum; keep the shortest success."""
    rows = torch.arange(len(goal.origin), device=goal.origin.device)
    start = excess(goal, goal.origin, rows)
    best = Best(goal.origin.clone(), start > 0, torch.zeros_like(start))
    evaluations = torch.ones_like(rows)
    # in-place writes below: each part needs its own memory
    search = Search(_first_penalty(goal, start), *(torch.full_like(start, _UNKNOWN) for _ in range(4)))
    rows, at = rows[start <= 0], goal.origin[start <= 0]
    penalty = search.trial.exp()
    for _ in range(rounds if len(rows) else 0):
        now = Search(*(part[rows] for part in search))
        found = descent(_objective(goal, rows, now.trial.exp()), at)
        at, evaluations[rows] = found.points, evaluations[rows] + found.evaluations
        gained = excess(goal, at, rows)
        new = improve(Best(*(part[rows] for part in best)), at, gained > 0, goal.origin[rows])
        narrowed = next_penalty(now, now.trial, gained)
        penalty[rows] = torch.where(narrowed.reached.isnan(), now.trial, narrowed.reached).exp()
        for whole, part in zip((*best, *search), (*new, *narrowed), strict=True):
            whole[rows] = part
    return best, penalty, evaluations


def _restart(
    goal: Goal,
    descent: Callable[[Objective, Tensor], Minimum],
    best: Best,
    penalty: Tensor,
    generator: torch.Generator | None,
) -> tuple[Best, Int64[Tensor, " m"]]:
    """Minimise from noise around the natural points, a little nearer to success than the last penalty was."""
    rows = torch.arange(len(goal.origin), device=goal.origin.device)
    device = goal.origin.device if generator is None else generator.device
    noise = torch.randn(goal.origin.shape, generator=generator, dtype=goal.origin.dtype, device=device).to(
        goal.origin.device
    )
    spread = _SPREAD * best.length / math.sqrt(goal.origin.shape[1])
    start = (goal.origin + spread[:, None] * noise).clamp(*goal.box)
    found = descent(_objective(goal, rows, penalty * math.exp(-_NEARER)), start)
    success = excess(goal, found.points, rows) > 0
    length = (found.points - goal.origin).norm(dim=1)
    return Best(found.points.clone(), success, length), found.evaluations


def _first_penalty(goal: Goal, start: Float[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Return the ln c whose minimiser is about on the boundary were the loss's gap linear, less a reserve.

    At the boundary the weight of the gap's gradient a is 1/2, so that c |r| = |a|/2 where |r| = -e/|a|.
    """
    rows = torch.arange(len(start), device=start.device)
    slopes = linearise(goal, goal.origin, rows, 1)[1]
    steep = slopes[:, 0].square().sum(1)
    return (steep.clamp_min(1e-12) / (2 * (-start).clamp_min(1e-6))).log() - _RESERVE


def _objective(goal: Goal, rows: Int64[Tensor, " k"], penalty: Float[Tensor, " k"]) -> Objective:
    """Return half the squared distance plus the loss over c, on the scale of the distance."""

    def objective(points: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        mine = rows[which]
        with torch.enable_grad():
            inputs = points.detach().requires_grad_()
            logits, index = logits_at(goal, inputs, mine), goal.targets[mine, None]
            lowered = logits.scatter_add(1, index, logits.new_full(index.shape, -goal.margin))
            loss = (lowered.logsumexp(1) - lowered.gather(1, index)[:, 0]) / penalty[which]
            slope = torch.autograd.grad(loss.sum(), inputs)[0]
        step = points - goal.origin[mine]
        return step.square().sum(1) / 2 + loss.detach(), step + slope

    return objective
