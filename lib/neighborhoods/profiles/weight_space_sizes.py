"""Sizes of the chapter on the space of weights."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class WeightSpaceSpec:
    """Numbers of the chapter.

    Attributes:
        network: widths of the network that is trained; ``examples``, ``steps``, ``rate``: its training.
        batch: examples a step of the run with minibatches.
        runs: initial parameters, for each activation.
        kept: states kept of a run beside the first, at equal numbers of steps.
        visited: of these, how many gradients are taken around; ``draws``: random directions from each of
            them at each distance.
        nearest, farthest: distances from the path over the length of its chord; ``distances``: how many.
        sizes: step sizes, in equal ratios from ``smallest`` to ``largest``.
        unseen: test images on which accuracy is taken.
        attacked: test images attacked at each position; ``gamma``, ``samples``: of their persistence.
        largest_dimension: of pairs of random directions, from 2 in powers of 2; ``pairs``: at each dimension.
        image_pairs: pairs of test images; ``positions``: points on the arc between them.
        angles, radii: of parameters around the start, as the study `population` has them.
        seed: of every random choice.
    """

    network: str = "784-32-10"
    examples: int = 1000
    steps: int = 200
    rate: float = 0.3
    batch: int = 50
    runs: int = 5
    kept: int = 40
    visited: int = 5
    draws: int = 2
    nearest: float = 0.001
    farthest: float = 100.0
    distances: int = 11
    sizes: int = 10
    smallest: float = 1e-6
    largest: float = 1.0
    unseen: int = 2000
    attacked: int = 36
    gamma: float = 0.7
    samples: int = 640
    largest_dimension: int = 16384
    pairs: int = 500
    image_pairs: int = 300
    positions: int = 31
    angles: int = 7
    radii: int = 7
    seed: int = 0


WEIGHT_SPACE = {
    "smoke": WeightSpaceSpec(
        network="784-8-10",
        examples=200,
        steps=40,
        batch=20,
        runs=2,
        kept=8,
        visited=2,
        draws=1,
        distances=4,
        sizes=4,
        unseen=200,
        attacked=6,
        samples=160,
        largest_dimension=64,
        pairs=100,
        image_pairs=20,
        positions=7,
        angles=3,
        radii=3,
    ),
    "quick": WeightSpaceSpec(),
    "paper": WeightSpaceSpec(
        network="784-128-10",
        examples=10_000,
        steps=1000,
        batch=100,
        runs=10,
        draws=5,
        distances=21,
        sizes=15,
        unseen=10_000,
        attacked=200,
        pairs=2000,
        image_pairs=2000,
        angles=13,
        radii=13,
    ),
}


def weight_space(profile: str, **changes: Any) -> WeightSpaceSpec:
    """Return the chapter's numbers for a profile, with changes, all of them checked; see `persistence`."""
    return changed(WEIGHT_SPACE, profile, changes)
