"""Where a segment enters the class of its end, and how far beyond that boundary the end lies."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.lines import Lines, on_lines
from neighborhoods.kernels.statistics import Classifier, Status, labels_where_known


class Crossing(NamedTuple):
    """Points where segments enter the class of their end, one row for each segment.

    Attributes:
        points: $x_b = x_0 + t(x_1 - x_0)$, the middle of the last bracket; the end where the ends agree.
        fraction: $t$ in (0, 1); 1 where there is none.
        width: of the bracket of $t$, whose far side has the class of the end and whose near side has not.
        status: CONVERGED, or FAILED where the ends agree or the classifier's answers are not finite.
    """

    points: Float[Tensor, " m *shape"]
    fraction: Float[Tensor, " m"]
    width: Float[Tensor, " m"]
    status: Int8[Tensor, " m"]


class Overshoot(NamedTuple):
    """How far adversarial points lie beyond the boundary that their attack crossed, along the attack.

    Attributes:
        distance: $(1 - t)\\|\\hat x - x\\|_2$; 0 where there is no crossing.
        low: least value that the bracket of the crossing allows.
        high: greatest value that the bracket of the crossing allows.
        status: CONVERGED, or FAILED where both points have the same class.
    """

    distance: Float[Tensor, " m"]
    low: Float[Tensor, " m"]
    high: Float[Tensor, " m"]
    status: Int8[Tensor, " m"]


@checked("start", "end")
def crossing(
    classifier: Classifier,
    start: Float[Tensor, " m *shape"],
    end: Float[Tensor, " m *shape"],
    *,
    iterations: int = 30,
) -> Crossing:
    """Bisect all segments in lockstep for a point where the class of the end begins.

    $$ t:\\quad C(x_0 + t'(x_1 - x_0)) = C(x_1) \\text{ just beyond } t \\text{ and not just before}. $$

    Each middle is compared with the class of the *end*: whatever other classes the segment passes, the
    bracket keeps a point of the end's class on its far side and of another on its near side. Where the end's
    class is entered once, that is the crossing nearest to the end; where it is entered, left and entered
    again, it is one of them. A linear first layer is applied twice in all, see `on_lines`.

    Args:
        classifier: points to logits or labels.
        start: $x_0$, such as natural points.
        end: $x_1$, such as adversarial points.
        iterations: halvings; the width is $2^{-\\rm iterations}$ but not below the resolution of the dtype.

    Returns:
        A `Crossing`; it is entered in the direction from start to end.

    Raises:
        ValueError: shapes that differ, or fewer than one iteration.

    Source: ours.

    >>> half_space = lambda x: (x[:, 0] > 0.25).long()
    >>> crossing(half_space, torch.zeros(1, 2), torch.ones(1, 2)).fraction
    tensor([0.2500])
    """
    _check(start, end, iterations)
    (goal, known), step = labels_where_known(classifier, end), end - start
    lines = on_lines(classifier, start, step)
    near = torch.zeros(len(start), dtype=start.dtype, device=start.device)
    far, agree = torch.ones_like(near), labels_where_known(lines, near)[0] == goal
    for _ in range(iterations):
        middle = (near + far) / 2
        arrived = labels_where_known(lines, middle)[0] == goal
        near, far = torch.where(arrived, near, middle), torch.where(arrived, middle, far)
    none = agree | ~(known & _finite(lines, near) & _finite(lines, far))
    fraction = torch.where(none, 1.0, (near + far) / 2)
    status = torch.where(none, int(Status.FAILED), int(Status.CONVERGED)).to(torch.int8)
    return Crossing(start + _column(fraction, step) * step, fraction, far - near, status)


@checked("natural", "adversarial")
def overshoot(
    classifier: Classifier,
    natural: Float[Tensor, " m *shape"],
    adversarial: Float[Tensor, " m *shape"],
    *,
    iterations: int = 30,
) -> Overshoot:
    """Return how far adversarial points lie beyond the boundary, along the direction of the attack.

    $$ d = (1 - t)\\,\\|\\hat x - x\\|_2, $$

    with the $t$ of `crossing`. It bounds the distance from the boundary from above; a flat boundary met at
    the angle $\\alpha$ from its normal is $d\\cos\\alpha$ away.

    Args:
        classifier: points to logits or labels.
        natural: $x$, the points before the attack.
        adversarial: $\\hat x$, the points after it.
        iterations: halvings of the segment.

    Raises:
        ValueError: shapes that differ, or fewer than one iteration.

    Source: ours; the draft does not say where its attacks stop.

    >>> half_space = lambda x: (x[:, 0] > 0.25).long()
    >>> overshoot(half_space, torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])).distance
    tensor([0.7500])
    """
    return beyond(crossing(classifier, natural, adversarial, iterations=iterations), natural, adversarial)


def beyond(
    found: Crossing,
    start: Float[Tensor, " m *shape"],
    end: Float[Tensor, " m *shape"],
) -> Overshoot:
    """Return how far the ends lie beyond crossings already found, see `overshoot`.

    Args:
        found: the crossings of the segments.
        start: $x_0$, the starts given to `crossing`.
        end: $x_1$, the ends given to `crossing`.

    Raises:
        ValueError: shapes that differ.
    """
    _check(start, end, 1)
    length = _length(end - start)
    share, half = 1 - found.fraction, found.width / 2
    half = torch.where(found.status == int(Status.FAILED), 0.0, half)
    return Overshoot(share * length, (share - half) * length, (share + half) * length, found.status)


@checked()
def along(
    found: Crossing,
    start: Float[Tensor, " m *shape"],
    end: Float[Tensor, " m *shape"],
    distance: float | Float[Tensor, " m"],
) -> Float[Tensor, " m *shape"]:
    """Return points at a signed distance from the crossings, positive towards the end.

    $$ x_b + d\\,v, \\qquad v = (x_1 - x_0)/\\|x_1 - x_0\\|_2 . $$

    Points at $d$ and $-d$ lie equally deep on both sides: a comparison of their persistence is free of
    overshoot. Other boundaries may lie near; ask `labels_of` for the class that each point really has.

    Args:
        found: the crossings of the segments, all of them converged.
        start: $x_0$, the starts given to `crossing`.
        end: $x_1$, the ends given to `crossing`.
        distance: $d$, in the unit of the points, one number or one for each segment.

    Raises:
        ValueError: shapes that differ, or a segment without a crossing.

    Source: ours, for comparisons at matched distance.
    """
    _check(start, end, 1)
    failed = int((found.status == int(Status.FAILED)).sum())
    if failed:
        raise ValueError(f"found: got {failed} segments without a crossing; required all CONVERGED")
    step = end - start
    share = torch.as_tensor(distance, dtype=step.dtype, device=step.device) / _length(step)
    return found.points + _column(share, step) * step


def _check(start: Tensor, end: Tensor, iterations: int) -> None:
    if start.shape != end.shape:
        raise ValueError(f"end: got shape {tuple(end.shape)}; required that of start, {tuple(start.shape)}")
    if iterations < 1:
        raise ValueError(f"iterations: got {iterations}; required at least 1")


@torch.no_grad()
def _finite(lines: Lines, places: Tensor) -> Bool[Tensor, " m"]:
    answers = lines(places)
    width = answers.shape[1:].numel()  # 1 for labels; -1 would be ambiguous for no rows
    return answers.reshape(len(places), width).isfinite().all(1)


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def _length(step: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(step.flatten(1), dim=1)
    return length
