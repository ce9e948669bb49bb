"""Lengths of Gaussian and of uniform-ball samples."""

from dataclasses import dataclass

import pandas as pd

from neighborhoods.kernels.concentration import ball_norms, gaussian_norms
from neighborhoods.studies.persistence.tables import generator

RADIUS = 7.0
DIMENSIONS = (784, 196_608)


@dataclass(frozen=True)
class NormsSpec:
    """Numbers of the samples.

    Attributes:
        low, high: points in 784 and in 196 608 dimensions.
        seed: of the samples.
    """

    low: int
    high: int
    seed: int


def norms(spec: NormsSpec) -> pd.DataFrame:
    """Return rows ``dimension``, ``noise``, ``norm``, for a ball of radius 7 and a Gaussian of σ = 7/√n."""
    source = generator(spec.seed)
    tables = []
    for dimension, points in zip(DIMENSIONS, (spec.low, spec.high), strict=True):
        samples = {
            "ball": ball_norms(points, dimension, RADIUS, generator=source),
            "gaussian": gaussian_norms(points, dimension, RADIUS / dimension**0.5, generator=source),
        }
        for noise, lengths in samples.items():
            tables.append(pd.DataFrame({"dimension": dimension, "noise": noise, "norm": lengths.numpy()}))
    return pd.concat(tables, ignore_index=True)
