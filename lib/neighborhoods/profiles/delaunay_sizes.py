"""Sizes of the chapter on Delaunay boundaries."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class DelaunaySpec:
    """Numbers of the Delaunay chapter.

    Attributes:
        networks: names of networks of Table 1 whose boundaries are crossed.
        sites, hidden, steps: labelled points in the plane; width of the two hidden layers trained on them,
            and steps of training.
        samples: numbers of sites at which convergence is measured.
        replicates: independent repetitions behind each interval, at least two.
        cloud: points of a cloud whose Delaunay edges are examined; ``dimensions``: of the clouds.
        programmes: pairs of a cloud decided by linear programmes, beyond dimension 5.
        images: training images that are sites, from the start of MNIST; ``pairs``: of them examined.
        seed: of every random choice.
    """

    networks: tuple[str, ...] = ("FC200-200-10", "C-4")
    sites: int = 200
    hidden: int = 64
    steps: int = 1000
    samples: tuple[int, ...] = (250, 1000, 4000, 16_000)
    replicates: int = 10
    cloud: int = 300
    dimensions: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 40)
    programmes: int = 20
    images: int = 60_000
    pairs: int = 500
    seed: int = 0


DELAUNAY = {
    "smoke": DelaunaySpec(
        ("FC100-100-10", "C-2"),
        steps=200,
        samples=(250, 1000),
        replicates=3,
        cloud=60,
        dimensions=(2, 3, 6),
        programmes=8,
        images=3000,
        pairs=60,
    ),
    "quick": DelaunaySpec(),
    "paper": DelaunaySpec(
        samples=(250, 1000, 4000, 16_000, 64_000), replicates=30, programmes=200, pairs=5000
    ),
}


def delaunay(profile: str, **changes: Any) -> DelaunaySpec:
    """Return the Delaunay chapter's numbers for a profile, with changes, all of them checked.

    Raises:
        ValueError: an unknown profile or number, or a value out of range; see `persistence`.
    """
    spec = changed(DELAUNAY, profile, changes)
    if spec.replicates < 2:
        raise ValueError(f"replicates is {spec.replicates}; it must be at least 2, for an interval")
    if spec.images < spec.cloud * spec.replicates:
        needed = f"{spec.cloud} x {spec.replicates}, so that the clouds are of different images"
        raise ValueError(f"images is {spec.images}; it must be at least {needed}")
    return spec
