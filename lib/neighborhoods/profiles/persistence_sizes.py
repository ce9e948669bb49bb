"""Sizes of the chapter on persistence."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.models.networks import build
from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class PersistenceSpec:
    """Numbers of the persistence chapter.

    Attributes:
        network: name understood by `networks.build`; ``train_images``, ``epochs``, ``penalty``: how it is
            trained.
        gamma: share of the noise that must keep the class.
        epsilon, alpha, steps: bound, step and number of steps of the iterative gradient sign method, pixels
            in [0, 1].
        sources: natural images attacked, each towards the 9 other classes; ``naturals``: natural images
            compared.
        samples: noise vectors at each σ of a frequency curve; ``sigmas``, ``sigma_max``: its grid in (0,
            sigma_max).
        persistence_samples: points of the noise set behind each persistence.
        studied: adversaries in the studies that repeat the measurement (γ, balls, background class,
            overshoot).
        gaussian_norms, ball_norms: points whose norms are taken, at 784 and at 196 608 dimensions.
        seed: of every random choice.
    """

    network: str = "FC100-20-10"
    train_images: int = 60_000
    epochs: int = 21
    penalty: float = 1e-7
    gamma: float = 0.7
    epsilon: float = 0.25
    alpha: float = 0.01
    steps: int = 100
    sources: int = 200
    naturals: int = 1800
    samples: int = 1000
    sigmas: int = 100
    sigma_max: float = 1.6
    persistence_samples: int = 1024
    studied: int = 900
    low_norms: int = 100_000
    high_norms: int = 5_000
    seed: int = 0


PERSISTENCE = {
    "smoke": PersistenceSpec(
        train_images=6000,
        epochs=3,
        sources=8,
        naturals=72,
        sigmas=20,
        samples=200,
        persistence_samples=256,
        studied=36,
        low_norms=2000,
        high_norms=20,
    ),
    "quick": PersistenceSpec(),
    "paper": PersistenceSpec(persistence_samples=8192, studied=1800),
}


def persistence(profile: str, **changes: Any) -> PersistenceSpec:
    """Return the persistence chapter's numbers for a profile, with changes, all of them checked.

    Raises:
        ValueError: an unknown profile or number, or a value out of range; the message names the argument, the
            value received and the values allowed.

    Example:
        >>> persistence("quick", gamma=0.9).gamma
        0.9
    """
    spec = changed(PERSISTENCE, profile, changes)
    build(spec.network)
    return spec
