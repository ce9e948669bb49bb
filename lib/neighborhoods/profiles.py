"""Sizes of the experiments: one code path, only numbers differ between smoke, quick and paper."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from neighborhoods.models.networks import build


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


@dataclass(frozen=True)
class NetworksSpec:
    """Numbers of Table 1.

    Attributes:
        networks: names of the draft's networks that are computed.
        images: training images; ``epochs``, ``convolutional_epochs``: passes over them.
        gamma: share of the noise that must keep the class.
        pairs: images attacked at each network, and as many natural images beside them.
        samples, convolutional_samples: points of the noise set behind each persistence.
        margin: lead of the target's logit at the third depth.
        seed: of every random choice.
    """

    networks: tuple[str, ...]
    images: int = 60_000
    epochs: int = 21
    convolutional_epochs: int = 21
    gamma: float = 0.7
    pairs: int = 300
    samples: int = 1024
    convolutional_samples: int = 256
    margin: float = 1.0
    seed: int = 0


FULLY_CONNECTED = ("FC10-4", "FC10-2", "FC10-0", "FC100-100-10", "FC200-200-10")
NETWORKS = {
    "smoke": NetworksSpec(
        ("FC10-0", "FC100-100-10", "C-2"), 3000, 3, 3, pairs=18, samples=128, convolutional_samples=64
    ),
    "quick": NetworksSpec(
        (*FULLY_CONNECTED, "C-2", "C-4", "C-8", "C-16"), convolutional_epochs=5, convolutional_samples=128
    ),
    "paper": NetworksSpec((*FULLY_CONNECTED, *(f"C-{2**power}" for power in range(1, 10)))),
}


def networks(profile: str, **changes: Any) -> NetworksSpec:
    """Return the numbers of Table 1 for a profile, with changes, all of them checked; see `persistence`."""
    spec: NetworksSpec = _changed(NETWORKS, profile, changes)
    return spec


def persistence(profile: str, **changes: Any) -> PersistenceSpec:
    """Return the persistence chapter's numbers for a profile, with changes, all of them checked.

    Raises:
        ValueError: an unknown profile or number, or a value out of range; the message names the argument, the
            value received and the values allowed.

    Example:
        >>> persistence("quick", gamma=0.9).gamma
        0.9
    """
    spec: PersistenceSpec = _changed(PERSISTENCE, profile, changes)
    build(spec.network)
    return spec


def _changed(profiles: dict[str, Any], profile: str, changes: dict[str, Any]) -> Any:
    if profile not in profiles:
        raise ValueError(f"profile is {profile!r}; it must be one of {', '.join(map(repr, profiles))}")
    known = {field.name for field in fields(profiles[profile])}
    if unknown := set(changes) - known:
        raise ValueError(
            f"unknown argument {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}"
        )
    spec = replace(profiles[profile], **changes)
    _check(spec)
    return spec


def _check(spec: PersistenceSpec | NetworksSpec) -> None:
    for field in fields(spec):
        value = getattr(spec, field.name)
        if field.type is int and field.name != "seed" and value < 1:
            raise ValueError(f"{field.name} is {value}; it must be at least 1")
        if field.type is float and not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{field.name} is {value}; it must be finite and not negative")
    if not 0 < spec.gamma < 1:
        raise ValueError(f"gamma is {spec.gamma}; it must lie in (0, 1)")
    for name in ("sigma_max", "epsilon", "alpha", "margin"):
        if getattr(spec, name, 1.0) <= 0:
            raise ValueError(f"{name} is {getattr(spec, name)}; it must be greater than 0")
