"""Points of the decision boundary with all that is known of them, and two ways to reach it from elsewhere."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.boundaries import Crossing, crossing
from neighborhoods.kernels.normals import incidence, margins_of, unit
from neighborhoods.kernels.statistics import Classifier, Status, labels_of, labels_where_known


class BoundaryPoints(NamedTuple):
    """Points where segments enter the class of their end.

    Attributes:
        points: on the boundary, within the bracket of the crossing.
        first: class before the boundary: of the others the one with the largest logit there.
        second: class behind it, that of the end.
        residual: $|Z_b - Z_a| / \\|\\nabla(Z_b - Z_a)\\|$, the distance from the boundary to first order.
        normals: unit gradients of $Z_b - Z_a$, flattened, towards the second class.
        incidence: $\\alpha$ between segment and normal, in radians; 0 where there is none.
        status: CONVERGED; FAILED where the ends agree or the gradient vanishes; UNDECIDED where a third class
            leads, so that two logits agree without a boundary.
    """

    points: Float[Tensor, " m *shape"]
    first: Int[Tensor, " m"]
    second: Int[Tensor, " m"]
    residual: Float[Tensor, " m"]
    normals: Float[Tensor, "m n"]
    incidence: Float[Tensor, " m"]
    status: Int8[Tensor, " m"]


class Descent(NamedTuple):
    """Boundary points near given points.

    Attributes:
        points: $x_b$; where the descent failed, the last point.
        residual: distance from the boundary to first order.
        tilt: radians between $x - x_b$ and the normal at $x_b$: 0 where $x_b$ is the nearest point, and where
            $x$ is on the boundary.
        status: CONVERGED where the residual is within the tolerance; FAILED where a gradient vanishes or is
            not finite; UNDECIDED otherwise.
    """

    points: Float[Tensor, " m *shape"]
    residual: Float[Tensor, " m"]
    tilt: Float[Tensor, " m"]
    status: Int8[Tensor, " m"]


@checked("start", "end")
def boundary_points(
    classifier: Classifier,
    start: Float[Tensor, " m *shape"],
    end: Float[Tensor, " m *shape"],
    found: Crossing,
) -> BoundaryPoints:
    """Return the pair of classes, the residual, the normal and the angle of incidence at each crossing.

    Args:
        classifier: points to logits, differentiable.
        start: $x_0$ of the segments.
        end: $x_1$.
        found: their crossings.

    Raises:
        ValueError: a classifier that gives no logits or no gradient.

    Source: the draft, Definitions 29.3 and 30.1, corrected.
    """
    second = labels_where_known(classifier, end)[0]
    with torch.no_grad():
        others = classifier(found.points).scatter(1, second[:, None], -torch.inf)
    first = others.argmax(1)
    at = margins_of(classifier, found.points, first, second)
    normals, status = unit(at.gradient)
    way = (end - start).flatten(1)
    good = (status == int(Status.CONVERGED)) & (found.status == int(Status.CONVERGED))
    good &= way.isfinite().all(1)
    length = at.gradient.norm(dim=1)
    residual = torch.where(good, at.difference.abs() / length, 0.0)
    angle = torch.zeros_like(residual)
    angle[good] = incidence(way[good], normals[good])
    # The difference of the two logits is known up to the residual: a third one may lead by as little.
    aside = good & (at.lead < -2 * at.difference.abs() - 1e-4 * length)
    status = torch.where(
        good, torch.where(aside, int(Status.UNDECIDED), int(Status.CONVERGED)), int(Status.FAILED)
    )
    return BoundaryPoints(found.points, first, second, residual, normals, angle, status.to(torch.int8))


@checked()
def interpolated(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    parents: tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]],
    *,
    iterations: int = 30,
) -> Crossing:
    """Move points to the boundary on the way to a parent of another class.

    Points of the class of the second parent move towards the first one, all others towards the second.

    Args:
        classifier: points to logits or labels.
        points: $x$.
        parents: two points of different classes.
        iterations: halvings of each segment.

    Returns:
        The crossings; those of a third class enter the second parent's class.

    Raises:
        ValueError: parents of one class.

    Source: the draft, section 31.
    """
    classes = labels_of(classifier, torch.stack(parents))
    if bool(classes[0] == classes[1]):
        raise ValueError(f"parents: got two points of class {int(classes[0])}; required two classes")
    back = (labels_of(classifier, points) == classes[1]).reshape(-1, *[1] * (points.ndim - 1))
    ends = torch.where(back, parents[0], parents[1]).contiguous()
    return crossing(classifier, points, ends, iterations=iterations)


@checked("points", tolerance=0)
def descend(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    first: Int[Tensor, " m"],
    second: Int[Tensor, " m"],
    *,
    iterations: int = 40,
    tolerance: float = 1e-5,
) -> Descent:
    r"""Move points down the difference of two logits to the boundary nearby.

    With $\phi = Z_b - Z_a$ and $g = \nabla\phi(x_j)$, each step but the last ones goes to the foot of the
    *given* point on the linearised boundary, and the last ones straight down:

    $$ x_{j+1} = x - \frac{\phi(x_j) + \langle g, x - x_j\rangle}{\|g\|^2}\,g, \qquad
       x_{j+1} = x_j - \frac{\phi(x_j)}{\|g\|^2}\,g . $$

    A fixed point of the first rule is the foot of a perpendicular from $x$; where the rule wanders, as it may
    across the kinks of a rectifier, half steps calm it.

    Args:
        classifier: points to logits, differentiable.
        points: $x$.
        first: class $a$ of each point.
        second: class $b$.
        iterations: steps, the last quarter of them straight down.
        tolerance: greatest residual, relative to the largest coordinate of the points, at least 1.

    Raises:
        ValueError: no iterations, or a classifier that gives no logits or no gradient.

    Source: the draft, section 31; Moosavi-Dezfooli et al. (2016) for the linearised step.
    """
    if iterations < 1:
        raise ValueError(f"iterations: got {iterations}; required at least 1")
    x = points.detach().flatten(1)
    at, allowed = x.clone(), tolerance * max(1.0, float(x.abs().nan_to_num().amax()))
    for turn in range(iterations + 1):
        here = margins_of(classifier, at.reshape(points.shape), first, second)
        square = here.gradient.square().sum(1, keepdim=True)
        residual = here.difference.abs() / square[:, 0].sqrt()
        if turn == iterations:
            break
        straight = turn >= iterations - iterations // 4
        gap = here.difference if straight else here.difference + ((x - at) * here.gradient).sum(1)
        step = -(gap[:, None] / square) * here.gradient + (0 if straight else x - at)
        share = 0.5 if iterations // 4 <= turn and not straight else 1.0
        at = torch.where(step.isfinite().all(1, keepdim=True), at + share * step, at)
    return Descent(at.reshape(points.shape), *_verdict(x - at, here.gradient, residual, allowed))


def _verdict(
    back: Tensor, gradient: Tensor, residual: Tensor, allowed: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return residual, tilt and status of points that a descent has ended with."""
    good = residual.isfinite() & (gradient.norm(dim=1) > 0)
    tilt = torch.zeros_like(residual)
    apart = good & (back.norm(dim=1) > allowed)
    tilt[apart] = incidence(back[apart], gradient[apart])
    reached = torch.where(residual <= allowed, int(Status.CONVERGED), int(Status.UNDECIDED))
    status = torch.where(good, reached, int(Status.FAILED)).to(torch.int8)
    return torch.where(good, residual, 0.0), tilt, status
