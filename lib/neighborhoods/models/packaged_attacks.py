"""The attacks of the torchattacks package behind one call that answers for every row.

The package (3.5.1, its last release) checks no range, leaves every module of a network in train mode, lets
frozen parameters gather gradients, draws from torch's global generator, and lets an image stand still where
its gradient is zero. Its CW reads 0 for the logits it masks, cannot move pixels at 0 and 1, tries one c, and
stops a batch by the sum of its losses: the kernel `carlini_wagner` takes its place. Its DeepFool overshoots
each step where the paper overshoots their sum, and then clips: on digits it creeps towards the boundary and
does not cross it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import torch
import torchattacks
from jaxtyping import Bool, Float, Int, Int8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.overrides import TorchFunctionMode

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.attacks import check_logits, check_points, lead
from neighborhoods.kernels.carlini_wagner import carlini_wagner
from neighborhoods.kernels.statistics import Classifier, Status

Method = Literal["FGSM", "BIM", "MIFGSM", "PGD", "R+FGSM", "CW", "DeepFool", "JSMA"]
SETTINGS: dict[str, dict[str, float]] = {
    "FGSM": {"epsilon": 8 / 255},
    "BIM": {"epsilon": 8 / 255, "alpha": 2 / 255, "steps": 10},
    "MIFGSM": {"epsilon": 8 / 255, "alpha": 2 / 255, "steps": 10, "decay": 1.0},
    "PGD": {"epsilon": 8 / 255, "alpha": 2 / 255, "steps": 10},
    "R+FGSM": {"epsilon": 8 / 255},
    "CW": {"margin": 0.0, "rounds": 5, "steps": 100, "rate": 1.0},
    "DeepFool": {"steps": 50, "overshoot": 0.02},
    "JSMA": {"theta": 1.0, "gamma": 0.1},
}
"""What each attack can be told, with the package's values. The draft names the package and states none."""

COUNTS = {"steps", "rounds"}
PIXELS = 4096  # JSMA holds several maps of pixels by pixels


class Outcome(NamedTuple):
    """Attacked points, one row for each point given, failures included.

    Attributes:
        points: $\\hat x$, in [0, 1].
        success: whether the target's logit exceeds every other one, or untargeted another one that of the
            label.
        status: `CONVERGED` of a success, `FAILED` otherwise, but `UNDECIDED` where the loss has no gradient
            in floating point, so that its sign could not lead anywhere.
        distortion: $\\|\\hat x - x\\|_2/\\sqrt n$ (the draft's Definition 1.8).
    """

    points: Float[Tensor, "m channels height width"]
    success: Bool[Tensor, " m"]
    status: Int8[Tensor, " m"]
    distortion: Float[Tensor, " m"]


@checked(points=1)
def attack(
    method: Method,
    classifier: Classifier,
    points: Float[Tensor, "m channels height width"],
    labels: Int[Tensor, " m"],
    *,
    targets: Int[Tensor, " m"] | None = None,
    generator: torch.Generator | None = None,
    **settings: float,
) -> Outcome:
    """Attack images by one of the package's attacks, or by the kernel that takes the place of its CW.

    Networks are attacked in evaluation mode, and handed back as they were. Rows do not influence each other,
    up to the rounding of the classifier's own batches: the random starts of PGD and R+FGSM are drawn row
    after row, so that parts of a batch, attacked in order with one generator, end where the whole batch does.

    Args:
        method: "FGSM", "BIM", "MIFGSM", "PGD", "R+FGSM" (one step of ε/2 after a random one of ε/2, as
            published), "CW", "DeepFool" (untargeted only; what has not crossed after all steps is overshot as
            published) or "JSMA" (targeted only).
        classifier: images to floating logits `(m, classes)`.
        points: $x$, in [0, 1].
        labels: the true classes $y$.
        targets: the classes $t$ to reach, none of them the label; untargeted if not given.
        generator: source of random starts.
        settings: those of the method, see `SETTINGS`; ``epsilon`` and ``alpha`` in the unit of the pixels.

    Raises:
        ValueError: an unknown setting, a count below one or another setting that is not positive,
            points outside [0, 1], targets that equal labels or that the method cannot take or do without, an
            image too large for JSMA, or logits that are not finite and floating.
        TypeError: an unknown method, or an argument of another type or shape.

    Source: Kim (2020), torchattacks; R+FGSM after Tramèr et al. (2018).

    >>> half_space = lambda x: torch.stack([0 * x[:, 0, 0, 0], x.sum((1, 2, 3)) - 1], 1)
    >>> attack("FGSM", half_space, torch.full((1, 1, 1, 2), 0.4), torch.tensor([0]), epsilon=0.25).points
    tensor([[[[0.6500, 0.6500]]]])
    """
    chosen = _settings(method, settings)
    check_points(points, labels, targets, (0.0, 1.0))
    _check_method(method, points, targets)
    origin, wanted = points.detach(), (labels if targets is None else targets).long()
    with _undisturbed(classifier), torch.enable_grad():
        check_logits(classifier(origin), wanted, differentiable=False)
        if method == "CW":
            numbers: dict[str, Any] = {name: int(v) if name in COUNTS else v for name, v in chosen.items()}
            moved = carlini_wagner(classifier, origin, labels, targets=targets, **numbers).points
        else:
            module = _Module(classifier, origin).eval()  # else the package leaves it in train mode
            moved = _run(_packaged(method, module, chosen), origin, labels, targets, generator)
        if method == "DeepFool":
            moved = _overshot(classifier, origin, moved, wanted, chosen["overshoot"])
        return _outcome(classifier, origin, moved, wanted, targeted=targets is not None)


def _settings(method: str, given: Mapping[str, float]) -> dict[str, float]:
    if unknown := set(given) - set(SETTINGS[method]):
        known = ", ".join(SETTINGS[method])
        raise ValueError(f"settings: got {', '.join(sorted(unknown))}; {method} knows {known}")
    for name, value in given.items():
        whole = name not in COUNTS or (value >= 1 and value == int(value))
        if name != "margin" and not (0 < value < float("inf") and whole):
            required = "a whole number, at least 1" if name in COUNTS else "more than 0 and finite"
            raise ValueError(f"{name}: got {value!r}; required {required}")
    return SETTINGS[method] | dict(given)


def _check_method(method: str, points: Tensor, targets: Tensor | None) -> None:
    if method == "JSMA" and targets is None:
        raise ValueError("targets: got None; JSMA requires the classes to reach")
    if method == "DeepFool" and targets is not None:
        raise ValueError(f"targets: got {targets.tolist()}; DeepFool is untargeted and requires None")
    if method == "JSMA" and points[0].numel() > PIXELS:
        raise ValueError(f"points: got {points[0].numel()} values an image; JSMA requires at most {PIXELS}")


class _Module(nn.Module):
    """Any classifier as the module that the package wants; it asks the first parameter for the device."""

    def __init__(self, classifier: Classifier, points: Tensor) -> None:
        super().__init__()
        self.device = nn.Parameter(points.new_zeros(0), requires_grad=False)
        self.classifier = classifier

    def forward(self, points: Tensor) -> Tensor:
        """Return the logits."""
        return self.classifier(points)


@contextmanager
def _undisturbed(classifier: Classifier) -> Iterator[None]:
    """Evaluate, without gradients of parameters, and leave each module and parameter as it was."""
    modules = list(classifier.modules()) if isinstance(classifier, nn.Module) else []
    parameters = list(classifier.parameters()) if isinstance(classifier, nn.Module) else []
    before = [(module, module.training) for module in modules]
    wanted = [(parameter, parameter.requires_grad) for parameter in parameters]
    try:
        for module in modules:
            module.training = False
        for parameter in parameters:
            parameter.requires_grad_(False)
        yield
    finally:
        for module, training in before:
            module.training = training
        for parameter, flag in wanted:
            parameter.requires_grad_(flag)


def _packaged(method: str, module: nn.Module, chosen: Mapping[str, Any]) -> torchattacks.attack.Attack:
    """Return the package's attack with its own words for the settings."""
    words = {"epsilon": "eps"}
    named = {words.get(name, name): value for name, value in chosen.items()}
    if "steps" in named:
        named["steps"] = int(named["steps"])
    if method == "R+FGSM":  # as published: the two steps together are as long as the radius
        return torchattacks.RFGSM(module, alpha=named["eps"] / 2, steps=1, **named)
    return getattr(torchattacks, method)(module, **named)


def _run(
    packaged: torchattacks.attack.Attack,
    points: Tensor,
    labels: Tensor,
    targets: Tensor | None,
    generator: torch.Generator | None,
) -> Tensor:
    if targets is not None:
        packaged.set_mode_targeted_by_label(quiet=True)
    with _RowsOfNoise(generator):
        moved: Tensor = packaged(points, (labels if targets is None else targets).long())
    return moved.detach()


class _RowsOfNoise(TorchFunctionMode):
    """Draw what the package wants of the global generator from ours, one row after the other."""

    def __init__(self, generator: torch.Generator | None) -> None:
        super().__init__()
        self.generator = generator

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Take the place of the two functions that draw; all others stay as they are."""
        if func is torch.Tensor.uniform_:
            low, high = args[1:]
            return args[0].copy_(self._draw(torch.rand, args[0]) * (high - low) + low)
        if func is torch.randn_like:
            return self._draw(torch.randn, args[0])
        return func(*args, **(kwargs or {}))

    def _draw(self, draw: Any, like: Tensor) -> Tensor:
        device = like.device if self.generator is None else self.generator.device
        options = {"generator": self.generator, "dtype": like.dtype, "device": device}
        return torch.stack([draw(row.shape, **options) for row in like]).to(like.device)


def _overshot(
    classifier: Classifier, origin: Tensor, moved: Tensor, labels: Tensor, overshoot: float
) -> Tensor:
    """Lengthen the whole change of the rows that have not crossed, as the paper does."""
    with torch.no_grad():
        left = lead(classifier(moved), labels) >= 0
    longer = (origin + (1 + overshoot) * (moved - origin)).clamp(0, 1)
    return torch.where(left[:, None, None, None], longer, moved)


def _outcome(
    classifier: Classifier, origin: Tensor, moved: Tensor, wanted: Tensor, *, targeted: bool
) -> Outcome:
    with torch.no_grad():
        logits = classifier(moved)
    check_logits(logits, wanted, differentiable=False)
    success = (lead(logits, wanted) if targeted else -lead(logits, wanted)) > 0
    status = torch.where(success, Status.CONVERGED, Status.FAILED).to(torch.int8)
    for start in (origin, moved):
        left = (status == Status.FAILED).nonzero()[:, 0]
        if len(left):
            inputs = start[left].requires_grad_()
            loss = cross_entropy(classifier(inputs), wanted[left], reduction="sum")
            still = ~torch.autograd.grad(loss, inputs)[0].flatten(1).any(1)
            status[left[still]] = Status.UNDECIDED
    distortion = (moved - origin).flatten(1).square().mean(1).sqrt()
    return Outcome(moved, success, status, distortion)
