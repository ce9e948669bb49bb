"""Persistence as every part of the chapter measures it."""

from dataclasses import dataclass
from functools import partial

import pandas as pd
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.persistence import persistence
from neighborhoods.studies.persistence.tables import generator, grouped

SIGMAS = (1e-5, 1e2)


@dataclass(frozen=True)
class MeasureSpec:
    """Numbers of the measurement.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class.
        samples: size of the noise set of each group of points.
        seed: of the noise.
    """

    network: str
    gamma: float
    samples: int
    seed: int


def measure(spec: MeasureSpec, network: nn.Module, points: Float[Tensor, " m *shape"]) -> pd.DataFrame:
    """Return ``sigma``, ``low``, ``high``, ``status`` of points, each group with noise of its own."""
    kernel = partial(
        persistence,
        network,
        gamma=spec.gamma,
        samples=spec.samples,
        sigma_range=SIGMAS,
        generator=generator(spec.seed),
    )
    return grouped(kernel, points, "persistence")
