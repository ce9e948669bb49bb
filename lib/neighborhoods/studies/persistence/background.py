"""Which class takes over from the adversarial class as the noise grows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.persistence import class_frequencies
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.progress import bar
from neighborhoods.studies.persistence.tables import GROUP, generator

SIGMAS = 40
SAMPLES = 200


@dataclass(frozen=True)
class BackgroundSpec:
    """Numbers of the count.

    Attributes:
        network: name of the network.
        sigma_max: end of the σ grid.
        studied: successful adversaries counted.
        seed: of the noise.
    """

    network: str
    sigma_max: float
    studied: int
    seed: int


def overtake(spec: BackgroundSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``pair``, ``sigma``, ``leader``: the most frequent class as target, original or
    background."""
    network = load(spec.network, trained)
    chosen = attacked["success"].nonzero().squeeze(1)[: spec.studied]
    sigmas = torch.linspace(0, spec.sigma_max, SIGMAS + 1)[1:]
    source = generator(spec.seed)
    counts = [
        class_frequencies(network, group, sigmas, samples=SAMPLES, classes=CLASSES, generator=source)
        for group in bar(attacked["points"][chosen].split(GROUP), description="leading classes")
    ]
    leader = torch.cat(counts).argmax(-1)
    target, label = attacked["target"][chosen, None], attacked["label"][chosen, None]
    kind = np.select(
        [(leader == target).numpy(), (leader == label).numpy()], ["target", "original"], "background"
    )
    index = pd.MultiIndex.from_product([chosen.tolist(), sigmas.tolist()], names=["pair", "sigma"])
    return pd.DataFrame(
        {"leader": kind.flatten(), "class": leader.flatten().numpy()}, index=index
    ).reset_index()
