"""Sign-gradient attacks with every setting explicit: radius, step, number of steps and when to stop.

The draft's formulas (4) and (5) pass the image where the loss wants a class, and always ascend. Here an
untargeted attack ascends the loss of the true class and a targeted one descends the loss of its target. Both
follow the gradient's sign of the gap $g_c = \\ln\\sum_{j\\ne c}e^{Z_j} - Z_c$, that of the cross-entropy
$\\ln(1 + e^{g_c})$ but does not drown in rounding where the network is confident.
"""

import math
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from neighborhoods.kernels.arguments import checked, require_inside
from neighborhoods.kernels.statistics import Classifier


class Attack(NamedTuple):
    """Adversarial points, one row for each attacked point, failures included.

    Attributes:
        points: $\\hat x$, the attacked points.
        success: whether the excess of the wanted logit exceeds the margin: for an untargeted attack of the
            largest other logit over the true one, for a targeted one of the target's over the largest other.
        steps: number of steps taken; 0 for a point that needed none.
        distortion: $\\|\\hat x - x\\|_2/\\sqrt n$ (the draft's Definition 1.8).
    """

    points: Float[Tensor, " m *shape"]
    success: Bool[Tensor, " m"]
    steps: Int64[Tensor, " m"]
    distortion: Float[Tensor, " m"]


@checked()
def fgsm(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    labels: Int[Tensor, " m"],
    *,
    epsilon: float,
    targets: Int[Tensor, " m"] | None = None,
    box: tuple[float, float] = (0.0, 1.0),
) -> Attack:
    """Attack points by one step of the fast gradient sign method.

    $$ \\hat x = {\\rm Clip}\\{x + \\epsilon\\,{\\rm sign}\\nabla_x L(P_w(x), y)\\}, \\qquad
       \\hat x = {\\rm Clip}\\{x - \\epsilon\\,{\\rm sign}\\nabla_x L(P_w(x), t)\\} \\text{ (targeted)}. $$

    Args:
        classifier: points to floating logits `(m, classes)`, without train-time randomness.
        points: $x$, inside the box.
        labels: the true classes $y$.
        epsilon: radius of the L∞ ball and length of the step, in the unit of the points.
        targets: the classes $t$ to reach; untargeted if not given.
        box: least and greatest allowed coordinate; infinite values are allowed.

    Raises:
        ValueError: see `igsm`.

    Source: the draft, equation (4), corrected; Goodfellow, Shlens and Szegedy (2014).
    """
    return igsm(
        classifier,
        points,
        labels,
        targets=targets,
        epsilon=epsilon,
        alpha=epsilon,
        steps=1,
        stop="never",
        box=box,
    )


@checked(epsilon=0, alpha=0, steps=1, margin=0)
def igsm(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    labels: Int[Tensor, " m"],
    *,
    epsilon: float,
    alpha: float,
    steps: int,
    targets: Int[Tensor, " m"] | None = None,
    stop: Literal["success", "never"] = "success",
    margin: float = 0.0,
    box: tuple[float, float] = (0.0, 1.0),
) -> Attack:
    """Attack points by the iterative gradient sign method.

    $$ x_{m+1} = {\\rm Clip}_{x,\\epsilon}\\{x_m + \\alpha\\,{\\rm sign}\\nabla_x L(P_w(x_m), y)\\}, \\qquad
       x_{m+1} = {\\rm Clip}_{x,\\epsilon}\\{x_m - \\alpha\\,{\\rm sign}\\nabla_x L(P_w(x_m), t)\\}
       \\text{ (targeted)}, $$

    where Clip projects on the L∞ ball of radius $\\epsilon$ around $x$ and on the box. Rows do not influence
    each other, up to the rounding of the classifier's own batches. Gradients of parameters stay untouched.

    Args:
        classifier: points to floating logits `(m, classes)`, without train-time randomness.
        points: $x$, inside the box.
        labels: the true classes $y$.
        epsilon: radius of the L∞ ball, in the unit of the points.
        alpha: length of a step in each coordinate, in the unit of the points.
        steps: greatest number of steps.
        targets: the classes $t$ to reach, none of them the label; untargeted if not given.
        stop: "success" freezes each point at its first success, before a step or after any; "never" takes all
            steps, so that a point may succeed and fail again.
        margin: the excess of logits that counts as success has to be greater than this.
        box: least and greatest allowed coordinate; infinite values are allowed.

    Returns:
        An `Attack` whose rows are those of `points`, failures with success False.

    Raises:
        ValueError: a number or word outside its range, points outside the box, targets equal to labels,
            classes that the classifier does not have, logits that are not finite and floating, or a module
            with dropout or batch normalisation in train mode.

    Source: the draft, equation (5), corrected; Kurakin, Goodfellow and Bengio (2016).

    >>> logits = lambda x: torch.stack([x.sum(1), -x.sum(1)], 1)
    >>> x, y = torch.tensor([[0.7, 0.6]]), torch.tensor([0])
    >>> attack = igsm(lambda x: logits(x - 0.5), x, y, epsilon=0.5, alpha=0.1, steps=9)
    >>> attack.success, attack.steps, attack.points
    (tensor([True]), tensor([2]), tensor([[0.5000, 0.4000]]))
    """
    if stop not in ("success", "never"):
        raise ValueError(f'stop: got {stop!r}; required "success" or "never"')
    check_points(points, labels, targets, box)
    check_mode(classifier)
    classes, sign = (labels.long(), 1) if targets is None else (targets.long(), -1)
    origin = points.detach()
    current, active = origin.clone(), torch.arange(len(points), device=points.device)
    taken = torch.zeros_like(active)
    for _ in range(steps):
        if not len(active):
            break
        excess, gradient = _gap(classifier, current[active], classes[active])
        going = sign * excess <= margin if stop == "success" else torch.ones_like(excess, dtype=torch.bool)
        active = active[going]
        moved = current[active] + sign * alpha * gradient[going].sign()
        near = torch.clamp(moved, origin[active] - epsilon, origin[active] + epsilon)
        current[active] = near.clamp(*box)
        taken[active] += 1
    success = torch.ones_like(taken, dtype=torch.bool)  # of the points that stopped on the way
    if len(active):
        success[active] = sign * _gap(classifier, current[active], classes[active])[0] > margin
    change = (current - origin).flatten(1)
    return Attack(current, success, taken, change.norm(dim=1) / math.sqrt(change.shape[1]))


def _gap(
    classifier: Classifier, points: Tensor, classes: Int64[Tensor, " m"]
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m *shape"]]:
    """Return the excess of the largest other logit over that of the class, and the gradient of the gap."""
    with torch.enable_grad():
        inputs = points.detach().requires_grad_()
        logits = classifier(inputs)
        check_logits(logits, classes)
        own = logits.gather(1, classes[:, None])[:, 0]
        others = logits.scatter(1, classes[:, None], -math.inf)
        gradient = torch.autograd.grad((others.logsumexp(1) - own).sum(), inputs)[0]
    return -lead(logits, classes).detach(), gradient


def lead(logits: Float[Tensor, "m classes"], classes: Int64[Tensor, " m"]) -> Float[Tensor, " m"]:
    """Return by how much the logit of each row's class exceeds the largest other one."""
    own = logits.gather(1, classes[:, None])[:, 0]
    return own - logits.scatter(1, classes[:, None], -math.inf).amax(1)


def check_points(points: Tensor, labels: Tensor, targets: Tensor | None, box: tuple[float, float]) -> None:
    """Raise a ValueError for points outside the box, labels below 0, or targets that are the labels."""
    require_inside("points", points, box)
    if bool((labels < 0).any()):
        raise ValueError(f"labels: got {int(labels.min())}; required classes, 0 or more")
    if targets is not None and bool((targets == labels).any()):
        row = int((targets == labels).nonzero()[0])
        raise ValueError(f"targets: got {int(targets[row])} in row {row}; required other classes than labels")


def check_mode(classifier: Classifier) -> None:
    """Raise a ValueError for a module that draws, or averages over its batch, as it is in train mode."""
    modules = classifier.modules() if isinstance(classifier, nn.Module) else ()
    for module in modules:
        if module.training and isinstance(module, _DropoutNd | _BatchNorm):
            raise ValueError(f"classifier: got {module} in train mode; required evaluation mode, call eval()")


def check_logits(logits: Tensor, classes: Tensor, *, differentiable: bool = True) -> None:
    """Raise a ValueError for outputs that an attack on these classes, one for each row, cannot use."""
    if not logits.is_floating_point() or logits.ndim != 2 or len(logits) != len(classes):
        raise ValueError(
            f"classifier: got {logits.dtype} of shape {tuple(logits.shape)} for {len(classes)} points; "
            f"required floating logits ({len(classes)}, classes)"
        )
    if (differentiable and not logits.requires_grad) or not bool(logits.isfinite().all()):
        raise ValueError("classifier: got logits that are not finite or not differentiable; required both")
    if logits.shape[1] < 2 or not bool(((classes >= 0) & (classes < logits.shape[1])).all()):
        found = classes.unique().tolist()
        raise ValueError(f"labels, targets: got {found}; required some of {logits.shape[1]} >= 2 classes")
