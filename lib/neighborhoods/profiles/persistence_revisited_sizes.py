"""Sizes of the chapter that looks at persistence again."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class PersistenceRevisitedSpec:
    """Numbers of the chapter.

    Attributes:
        network: name of the network in Table 1.
        gamma: share of the noise that must keep the class, above one half: a flat boundary has no persistence
            at a lower level.
        images: test images, each with two adversaries and a partner.
        epsilon, alpha, steps: of the iterative gradient sign method, pixels in [0, 1].
        samples: points of the noise set behind each persistence.
        segments: segments of each kind on both sides of whose crossing persistence is measured;
            ``followed``: those on which it is measured from end to end, at ``places`` points each.
        curved: points of each kind whose stability curve is measured, at ``levels`` of noise with
            ``draws`` each.
        seed: of every random choice.
    """

    network: str = "FC200-200-10"
    gamma: float = 0.7
    images: int = 300
    epsilon: float = 0.25
    alpha: float = 0.01
    steps: int = 100
    samples: int = 1024
    segments: int = 80
    followed: int = 40
    places: int = 17
    curved: int = 80
    levels: int = 8
    draws: int = 1000
    seed: int = 0


PERSISTENCE_REVISITED = {
    "smoke": PersistenceRevisitedSpec(
        network="FC100-100-10", images=24, samples=128, segments=10, followed=6, places=9, curved=6, draws=200
    ),
    "quick": PersistenceRevisitedSpec(),
    "paper": PersistenceRevisitedSpec(
        images=2000, samples=8192, segments=400, followed=200, places=33, curved=400, draws=4000
    ),
}


def persistence_revisited(profile: str, **changes: Any) -> PersistenceRevisitedSpec:
    """Return the numbers of the chapter for a profile, with changes; see `persistence`.

    Raises:
        ValueError: as for `persistence`, or a level γ of one half or less.
    """
    spec = changed(PERSISTENCE_REVISITED, profile, changes)
    if spec.gamma <= 0.5:
        raise ValueError(f"gamma is {spec.gamma}; it must be greater than 0.5")
    return spec
