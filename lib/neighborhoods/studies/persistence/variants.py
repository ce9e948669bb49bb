"""Does the finding depend on γ, or on the noise being Gaussian?"""

from dataclasses import dataclass
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.noise import Noise
from neighborhoods.kernels.persistence import persistence
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence.tables import generator, grouped

GAMMAS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 0.95)
NOISES: dict[str, tuple[Noise, int]] = {
    "gaussian": ("gaussian", 0),
    "ball": ("ball", 0),
    "gaussian again": ("gaussian", 1),
}
"""Law and change of seed; the third shows by how much two noise sets of one law differ."""


@dataclass(frozen=True)
class VariantSpec:
    """Numbers of the variants.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class, where it does not vary.
        samples: size of the noise set of each group.
        studied: successful adversaries measured, and their natural images beside them.
        seed: of the noise.
    """

    network: str
    gamma: float
    samples: int
    studied: int
    seed: int


def gammas(spec: VariantSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``pair``, ``kind``, ``gamma``, ``sigma``, ``low``, ``high``, ``status``."""
    network = load(spec.network, trained)
    points, rows = pairs(spec.studied, attacked)
    tables = []
    for gamma in GAMMAS:
        source = generator(spec.seed)  # the same noise for every γ
        kernel = partial(persistence, network, gamma=gamma, samples=spec.samples, generator=source)
        table = grouped(kernel, points, f"persistence, γ = {gamma}")
        tables.append(rows.assign(gamma=gamma).join(table))
    return pd.concat(tables, ignore_index=True)


def balls(spec: VariantSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``pair``, ``kind``, ``noise``, ``sigma``, ``low``, ``high``, ``status``."""
    network = load(spec.network, trained)
    points, rows = pairs(spec.studied, attacked)
    tables = []
    for name, (noise, other) in NOISES.items():
        kernel = partial(
            persistence,
            network,
            gamma=spec.gamma,
            samples=spec.samples,
            noise=noise,
            generator=generator(spec.seed + other),
        )
        table = grouped(kernel, points, f"persistence, {name} noise")
        tables.append(rows.assign(noise=name).join(table))
    return pd.concat(tables, ignore_index=True)


def pairs(count: int, attacked: dict[str, Tensor]) -> tuple[Tensor, pd.DataFrame]:
    """Return the first successful adversaries followed by their natural images, and rows that name them."""
    chosen = attacked["success"].nonzero().squeeze(1)[:count]
    points = torch.cat([attacked["points"][chosen], attacked["natural"][chosen]])
    kinds = ["adversarial"] * len(chosen) + ["natural"] * len(chosen)
    return points, pd.DataFrame({"pair": chosen.repeat(2).numpy(), "kind": kinds})
