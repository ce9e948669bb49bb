"""Whether a network gives noisy images the same labels in TF32 as in single precision."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.statistics import clopper_pearson, labels_of
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import load
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.persistence.tables import generator

SIGMAS = (0.1, 0.3, 0.6)
"""Widths of noise around the test images, about those that sampling meets."""

REQUIRED = 0.998
"""Least share of equal labels with which TF32 may stand in for single precision."""


@dataclass(frozen=True)
class AgreementSpec:
    """Numbers of the comparison.

    Attributes:
        network: name of the network.
        images: test images at each width of noise.
        device: where the network runs.
        seed: of the noise.
    """

    network: str
    images: int
    device: str
    seed: int


def agree(spec: AgreementSpec, trained: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row: ``labels`` compared, ``agreement`` (share of equal ones), ``low``, ``high`` (95 %)."""
    network = load(spec.network, trained).to(spec.device)
    points = mnist("test", spec.images).points
    noise = torch.randn(points.shape, generator=generator(spec.seed))
    equal = []
    for sigma in SIGMAS:
        for batch in (points + sigma * noise).to(spec.device).split(1000):
            with single_precision(tf32=False):
                exact = labels_of(network, batch)
            with single_precision(tf32=True):
                equal.append(labels_of(network, batch) == exact)
    hits = torch.cat(equal)
    low, high = clopper_pearson(int(hits.sum()), len(hits))
    share = hits.double().mean().item()
    return pd.DataFrame({"labels": [len(hits)], "agreement": [share], "low": [low], "high": [high]})


def sufficient(compared: pd.DataFrame | None) -> bool:
    """Return whether TF32 may be used: a comparison was made, and its share reached `REQUIRED`."""
    return compared is not None and float(compared["agreement"].iloc[0]) >= REQUIRED
