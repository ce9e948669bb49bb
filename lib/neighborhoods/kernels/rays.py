"""Rays from points: where they first leave the class of their origin, and how often the class changes."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.lines import on_lines
from neighborhoods.kernels.statistics import Classifier, Status, labels_of, labels_where_known


class Exit(NamedTuple):
    """Where rays first leave the class of their origin, on a grid of steps.

    Attributes:
        points: the middle of the last bracket; the end of the ray where it never leaves.
        distance: from the origin, in lengths of the direction; infinite where the ray never leaves.
        low: near end of the bracket, of the origin's class; the limit where the ray never leaves.
        high: far end of the bracket, of another class; infinite where the ray never leaves.
        status: CONVERGED; CENSORED where the ray never leaves within the limit; FAILED where the origin or
            the direction is not finite.
    """

    points: Float[Tensor, " m *shape"]
    distance: Float[Tensor, " m"]
    low: Float[Tensor, " m"]
    high: Float[Tensor, " m"]
    status: Int8[Tensor, " m"]


@checked("start", "directions")
def first_exit(
    classifier: Classifier,
    start: Float[Tensor, " m *shape"],
    directions: Float[Tensor, " m *shape"],
    limit: float,
    *,
    steps: int = 64,
    iterations: int = 24,
) -> Exit:
    r"""Walk along rays until the class changes, then halve the last step.

    $$ \tau = \min\{t \in (0, T] : C(x + tv) \ne C(x)\} $$

    up to visits of other classes that are shorter than a step $T/\text{steps}$ and escape the walk.

    Args:
        classifier: points to logits or labels.
        start: $x$.
        directions: $v$; distances are in units of its length.
        limit: $T$.
        steps: of the walk.
        iterations: halvings.

    Raises:
        ValueError: shapes that differ, a limit that is not positive, or no steps or iterations.

    Source: ours.
    """
    _check(limit, steps, iterations)
    lines = on_lines(classifier, start, directions)
    own, known = labels_where_known(lines, torch.zeros(len(start), dtype=start.dtype, device=start.device))
    low, high = torch.zeros_like(own, dtype=start.dtype), torch.full_like(own, torch.inf, dtype=start.dtype)
    for step in range(1, steps + 1):
        place = torch.full_like(low, limit * step / steps)
        here, sure = labels_where_known(lines, place)
        left, known = (here != own) & (high == torch.inf), known & (sure | (high < torch.inf))
        high = torch.where(left, place, high)
        low = torch.where(high == torch.inf, place, low)
        if bool((high < torch.inf).all()):
            break
    inside = high < torch.inf
    for _ in range(iterations):
        middle = torch.where(inside, (low + high) / 2, low)
        here, sure = labels_where_known(lines, middle)
        left, known = here != own, known & sure
        low, high = torch.where(left, low, middle), torch.where(left & inside, middle, high)
    finite = (start.flatten(1).isfinite() & directions.flatten(1).isfinite()).all(1)
    status = torch.where(inside, int(Status.CONVERGED), int(Status.CENSORED))
    status = torch.where(finite & known, status, int(Status.FAILED)).to(torch.int8)
    distance = (low + high) / 2
    reach = torch.where(inside, distance, limit).reshape(-1, *[1] * (start.ndim - 1))
    return Exit(start + reach * directions, distance, low, high, status)


@checked(distances=1)
def class_changes(
    classifier: Classifier,
    start: Float[Tensor, " m *shape"],
    directions: Float[Tensor, " m *shape"],
    distances: Float[Tensor, " steps"],
) -> Int[Tensor, "m steps"]:
    r"""Count how often the class changes on a line, from its middle to each distance on both sides.

    $$ N_i(t_j) = \sum_{k < j} [C(x_i + t_{k+1}v_i) \ne C(x_i + t_kv_i)]
                + [C(x_i - t_{k+1}v_i) \ne C(x_i - t_kv_i)] + [C(x_i + t_0v_i) \ne C(x_i - t_0v_i)] . $$

    For a plane through $x$ it is 1 on every line that is not in the plane, whatever the distance.

    Args:
        classifier: points to logits or labels.
        start: $x$, on the boundary.
        directions: $v$.
        distances: $0 < t_0 < t_1 < \dots$; visits shorter than their steps escape the count.

    Raises:
        ValueError: shapes that differ, or distances that are not positive and growing.

    Source: ours.
    """
    t = distances.to(start)
    if not bool((t > 0).all()) or not bool((t[1:] > t[:-1]).all()):
        raise ValueError(f"distances: got {distances.tolist()}; required positive and growing")
    lines = on_lines(classifier, start, directions)
    ahead, behind = (
        torch.stack([labels_of(lines, (sign * place).expand(len(start))) for place in t], 1)
        for sign in (1, -1)
    )
    middle = (ahead[:, :1] != behind[:, :1]).long()
    steps = (ahead[:, 1:] != ahead[:, :-1]).long() + (behind[:, 1:] != behind[:, :-1]).long()
    return torch.cat([middle, steps], 1).cumsum(1)


def _check(limit: float, steps: int, iterations: int) -> None:
    if not 0 < limit < float("inf"):
        raise ValueError(f"limit: got {limit}; required finite and greater than 0")
    if steps < 1 or iterations < 1:
        raise ValueError(f"steps, iterations: got {steps}, {iterations}; required at least 1")
