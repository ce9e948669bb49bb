"""Persistence of adversaries and of natural images."""

from dataclasses import dataclass
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence.tables import generator, grouped


@dataclass(frozen=True)
class MeasureSpec:
    """Numbers of the measurement.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class.
        samples: size of the noise set of each group.
        naturals: test images drawn at random, whether or not they are classified correctly.
        seed: of the draw and of the noise.
    """

    network: str
    gamma: float
    samples: int
    naturals: int
    seed: int


def measure(spec: MeasureSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a point: ``kind``, ``image``, ``label``, ``target``, ``predicted``, ``success``,
    ``distortion``, ``sigma``, ``low``, ``high``, ``status``.

    Persistence is that of the class the network gives the point. A failed attack keeps its row with
    ``success`` False; its point is no adversary, and tables of adversaries leave it out by that column.
    """
    network = load(spec.network, trained)
    data = mnist("test")
    drawn = torch.randperm(len(data.labels), generator=generator(spec.seed + 1))[: spec.naturals]
    kernel = partial(
        persistence, network, gamma=spec.gamma, samples=spec.samples, generator=generator(spec.seed)
    )
    adversarial = pd.DataFrame(
        {name: attacked[name].numpy() for name in ("image", "label", "target", "success", "distortion")}
    ).assign(kind="adversarial", predicted=labels_of(network, attacked["points"]).numpy())
    natural = pd.DataFrame({"image": drawn.numpy(), "label": data.labels[drawn].numpy()}).assign(
        kind="natural", predicted=labels_of(network, data.points[drawn]).numpy()
    )
    rows = pd.concat([adversarial, natural], ignore_index=True)
    points = torch.cat([attacked["points"], data.points[drawn]])
    return rows.join(grouped(kernel, points, "persistence")).astype({"target": "Int64", "success": "boolean"})
