"""Lengths of Gaussian and of uniform-ball samples."""

from dataclasses import dataclass
from functools import partial

import pandas as pd

from neighborhoods.kernels.concentration import ball_points, gaussian_points
from neighborhoods.kernels.concentration import norms as norms_of
from neighborhoods.progress import bar
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
    sizes = list(zip(DIMENSIONS, (spec.low, spec.high), strict=True))
    for dimension, points in bar(sizes, description="norms"):
        samplers = {
            "ball": partial(ball_points, dimension=dimension, radius=RADIUS, generator=source),
            "gaussian": partial(
                gaussian_points, dimension=dimension, sigma=RADIUS / dimension**0.5, generator=source
            ),
        }
        for noise, sampler in samplers.items():
            lengths = norms_of(sampler, points)
            tables.append(pd.DataFrame({"dimension": dimension, "noise": noise, "norm": lengths.numpy()}))
    return pd.concat(tables, ignore_index=True)
