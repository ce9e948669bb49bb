"""Sizes of Table 1."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed


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
        device: where networks are trained, attacked and measured, "cpu" or "cuda".
        tf32: whether convolutional networks may be trained and measured in TF32 on a CUDA device.
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
    device: str = "cpu"
    tf32: bool = False


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
    return changed(NETWORKS, profile, changes)
