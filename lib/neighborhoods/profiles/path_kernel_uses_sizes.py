"""Sizes of the chapter on what a path kernel is good for."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class PathKernelUsesSpec:
    """Numbers of the chapter.

    Attributes:
        network: widths of the recorded network; ``examples``, ``steps``, ``rate``: its training.
        stride: steps of the run that one step of the summed kernel stands for; ``nodes``: of its quadrature.
        naturals: natural test images; ``sources``: images of each other kind.
        epsilon, alpha, attack_steps: bound, step and number of steps of the iterative gradient sign method.
        noise: variance of the observation noise over the mean prior variance.
        carried: images of each kind whose attribution is taken.
        groups, group, singles: random groups left out and their size, and single examples left out.
        watched: images of each kind whose outputs are compared after retraining.
        differences, bases: of the design that shifts pairs of images; ``blocks``: of natural pairs.
        hull_points, vertices: test images projected, and training images that span the hull.
        approximated, approximated_examples, approximated_steps: run whose kernel is approximated, at
            ``approximated_points`` test images.
        cnn: convolutional network; ``cnn_images``, ``cnn_epochs``: its training; ``cnn_seeds``: how many.
        positions, probed: positions between start and end, and images evaluated at each.
        seed: of every random choice.
    """

    network: str = "784-128-10"
    examples: int = 1000
    steps: int = 150
    rate: float = 0.2
    stride: int = 5
    nodes: int = 2
    naturals: int = 600
    sources: int = 300
    epsilon: float = 0.25
    alpha: float = 0.01
    attack_steps: int = 50
    noise: float = 0.01
    carried: int = 60
    groups: int = 16
    group: int = 50
    singles: int = 16
    watched: int = 40
    differences: int = 60
    bases: int = 30
    blocks: int = 12
    hull_points: int = 300
    vertices: int = 1000
    approximated: str = "784-32-10"
    approximated_examples: int = 200
    approximated_steps: int = 30
    approximated_points: int = 20
    cnn: str = "C-4"
    cnn_images: int = 6000
    cnn_epochs: int = 4
    cnn_seeds: int = 3
    positions: int = 21
    probed: int = 1000
    seed: int = 0


PATH_KERNEL_USES = {
    "smoke": PathKernelUsesSpec(
        network="784-16-10",
        examples=200,
        steps=20,
        naturals=60,
        sources=20,
        attack_steps=10,
        carried=8,
        groups=5,
        group=20,
        singles=4,
        watched=5,
        differences=8,
        bases=6,
        blocks=3,
        hull_points=20,
        vertices=100,
        approximated="784-8-10",
        approximated_examples=40,
        approximated_steps=12,
        approximated_points=5,
        cnn="C-2",
        cnn_images=300,
        cnn_epochs=2,
        cnn_seeds=2,
        positions=5,
        probed=60,
    ),
    "quick": PathKernelUsesSpec(),
    "paper": PathKernelUsesSpec(
        examples=10_000,
        steps=500,
        naturals=2000,
        sources=1000,
        carried=300,
        groups=100,
        group=500,
        singles=100,
        watched=100,
        hull_points=1000,
        vertices=5000,
        cnn="C-32",
        cnn_images=60_000,
        cnn_epochs=21,
        probed=10_000,
    ),
}


def path_kernel_uses(profile: str, **changes: Any) -> PathKernelUsesSpec:
    """Return the chapter's numbers for a profile, with changes, all of them checked; see `persistence`."""
    return changed(PATH_KERNEL_USES, profile, changes)
