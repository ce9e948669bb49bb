"""Sizes of the chapter on networks at random and networks made robust."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


@dataclass(frozen=True)
class RobustNetworksSpec:
    """Numbers of the chapter.

    Attributes:
        random_widths, random_depths: of the networks with random parameters; ``random_networks``: of each.
        images, epochs, batch, rate: of the training of all networks.
        dropped: share of the hidden units that dropout leaves out.
        dropout_widths: of the two hidden layers of the networks with dropout.
        pairs: pairs of test images; ``masks``: on the segment of each pair; ``places``: on a segment.
        network: that is defended; ``seeds``: how many of each.
        penalty, components, entanglement, radius, deviation: strengths of the defences.
        measured: test images, right for every network; ``nearest``: target classes of each that are attacked.
        gamma, samples: of the persistence.
        seed: of every random choice.
    """

    random_widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    random_depths: tuple[int, ...] = (1, 2)
    random_networks: int = 1000
    images: int = 6000
    epochs: int = 10
    batch: int = 200
    rate: float = 2e-3
    dropped: float = 0.5
    dropout_widths: tuple[int, ...] = (30, 100, 300)
    pairs: int = 60
    masks: int = 300
    places: int = 31
    network: str = "FC100-100-10"
    seeds: int = 3
    penalty: float = 80.0
    components: int = 30
    entanglement: float = 0.1
    radius: float = 1.5
    deviation: float = 0.3
    measured: int = 80
    nearest: int = 3
    gamma: float = 0.7
    samples: int = 640
    seed: int = 0


ROBUST_NETWORKS = {
    "smoke": RobustNetworksSpec(
        random_widths=(4, 16),
        random_networks=100,
        images=2000,
        epochs=6,
        batch=100,
        rate=5e-3,
        dropout_widths=(10, 30),
        pairs=8,
        masks=40,
        places=11,
        network="FC40-10",
        seeds=2,
        measured=12,
        samples=128,
    ),
    "quick": RobustNetworksSpec(),
    "paper": RobustNetworksSpec(
        random_widths=(8, 16, 32, 64, 128, 256, 512),
        random_depths=(1, 2, 3),
        random_networks=4000,
        images=60_000,
        epochs=20,
        dropout_widths=(30, 100, 300, 1000),
        pairs=200,
        masks=1000,
        places=101,
        seeds=10,
        measured=1000,
        nearest=9,
        samples=1280,
    ),
}


def robust_networks(profile: str, **changes: Any) -> RobustNetworksSpec:
    """Return the chapter's numbers for a profile, with changes, all of them checked; see `persistence`."""
    return changed(ROBUST_NETWORKS, profile, changes)
