"""Images of several kinds to ask a kernel about: natural, adversarial, noise, rotated, inverted."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from neighborhoods.kernels.attacks import igsm
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import SIDE
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.recorded import RecordedSpec

KINDS = ("natural", "adversarial", "confident", "noise", "rotated", "inverted")


@dataclass(frozen=True)
class QueriesSpec:
    """Numbers of the images.

    Attributes:
        run: the run whose network is attacked.
        naturals: natural test images, the first of the test set.
        sources: images of each other kind, each made from test images that no other kind uses.
        epsilon, alpha, steps: of the iterative gradient sign method, untargeted. "adversarial" stops at its
            first success, "confident" takes all steps.
        seed: of the noise.
    """

    run: RecordedSpec
    naturals: int
    sources: int
    epsilon: float
    alpha: float
    steps: int
    seed: int


def make(spec: QueriesSpec, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return one row an image.

    Returns:
        ``points`` (flat), ``natural`` (the test image it was made from), ``kind`` (place in `KINDS`),
        ``image`` (number in the test set), ``label``, and ``success``, False where an attack failed.
    """
    network = machine(spec.run, values).network
    data = mnist("test", spec.naturals + spec.sources * (len(KINDS) - 1))
    flat = Images(data.points.flatten(1).to(spec.run.dtype), data.labels)
    sizes = [spec.naturals, *[spec.sources] * (len(KINDS) - 1)]
    made = [
        _kind(kind, spec, network, Images(points, labels))
        for kind, points, labels in zip(
            KINDS, flat.points.split(sizes), flat.labels.split(sizes), strict=True
        )
    ]
    return {
        "points": torch.cat([points for points, _ in made]),
        "natural": flat.points,
        "kind": torch.arange(len(KINDS)).repeat_interleave(torch.tensor(sizes)),
        "image": torch.arange(len(flat.labels)),
        "label": flat.labels,
        "success": torch.cat([success for _, success in made]),
    }


def _kind(kind: str, spec: QueriesSpec, network: nn.Module, images: Images) -> tuple[Tensor, Tensor]:
    """Return the images of one kind, and which of them are what they should be."""
    points, labels = images
    whole = torch.ones(len(labels), dtype=torch.bool)
    if kind in ("adversarial", "confident"):
        return _attacked(kind, spec, network, images)
    if kind == "noise":
        generator = torch.Generator().manual_seed(spec.seed)
        return torch.rand(points.shape, generator=generator, dtype=points.dtype), whole
    if kind == "rotated":
        return points.view(-1, SIDE, SIDE).rot90(1, (1, 2)).flatten(1), whole
    return (1 - points if kind == "inverted" else points), whole


def _attacked(kind: str, spec: QueriesSpec, network: nn.Module, images: Images) -> tuple[Tensor, Tensor]:
    """Attack; an image that the network gets wrong already is no adversary, and counts as a failure."""
    found = igsm(
        network,
        images.points,
        images.labels,
        epsilon=spec.epsilon,
        alpha=spec.alpha,
        steps=spec.steps,
        stop="success" if kind == "adversarial" else "never",
    )
    right = network(images.points).argmax(1) == images.labels
    return found.points, found.success & right
