"""Adversaries of MNIST images by the iterative gradient sign method, towards every other class."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor, nn

from neighborhoods.kernels.attacks import igsm
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import CLASSES, load


@dataclass(frozen=True)
class AttackSpec:
    """Numbers of the attack.

    Attributes:
        network: name of the network attacked.
        sources: test images attacked, drawn among those classified correctly.
        epsilon, alpha, steps: radius of the L∞ ball, step and greatest number of steps, pixels in [0, 1].
            Each image stops at the first step that reaches its target class.
        seed: of the draw.
    """

    network: str
    sources: int
    epsilon: float
    alpha: float
    steps: int
    seed: int


def attack(spec: AttackSpec, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Attack each source towards its nine other classes.

    Returns:
        One row an adversary, failures among them: ``natural`` and ``points`` (the image before and after),
        ``image`` (its number in the test set), ``label``, ``target``, ``success``, ``steps``, ``distortion``.
    """
    network = load(spec.network, trained)
    natural, labels, numbers = sources(network, spec.sources, spec.seed)
    row, targets = every_other_class(labels)
    result = igsm(
        network,
        natural[row],
        labels[row],
        targets=targets,
        epsilon=spec.epsilon,
        alpha=spec.alpha,
        steps=spec.steps,
    )
    origin = {"natural": natural[row], "image": numbers[row], "label": labels[row], "target": targets}
    return origin | {name: value.contiguous() for name, value in result._asdict().items()}


def sources(network: nn.Module, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return correctly classified test images in random order, their labels and their numbers."""
    data: Images = mnist("test")
    order = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(seed))
    device = next(network.parameters()).device
    predicted = torch.cat(
        [labels_of(network, data.points[part].to(device)).cpu() for part in order.split(1000)]
    )
    chosen = order[predicted == data.labels[order]][:count]
    return data.points[chosen], data.labels[chosen], chosen


def every_other_class(labels: Int[Tensor, " images"]) -> tuple[Tensor, Tensor]:
    """Return for each image nine rows, and in each a target class that is not its label."""
    rows = torch.arange(len(labels)).repeat_interleave(CLASSES)
    targets = torch.arange(CLASSES).repeat(len(labels))
    other = targets != labels[rows]
    return rows[other], targets[other]
