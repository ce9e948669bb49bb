"""How often random lines through a boundary point change class, by distance."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Generator, Tensor

from neighborhoods.kernels.rays import class_changes
from neighborhoods.models.networks import load
from neighborhoods.progress import bar
from neighborhoods.studies.boundary_spectra.sites import KINDS


@dataclass(frozen=True)
class BallsSpec:
    """Numbers of the lines.

    Attributes:
        network: name of the network.
        lines: through each boundary point, in independent directions.
        reach: how far they are followed on both sides; ``steps``: labels on each side.
        seed: of the directions.
    """

    network: str
    lines: int
    reach: float
    steps: int
    seed: int


def count(spec: BallsSpec, trained: dict[str, Tensor], sites: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a site and distance: ``kind``, ``site``, ``distance``, ``changes`` (mean over lines),
    ``once``: share of the lines that change class once up to there, as all lines do at a plane.
    """
    network = load(spec.network, trained)
    generator = Generator().manual_seed(spec.seed)
    distances = torch.linspace(0, spec.reach, spec.steps + 1)[1:]
    parts = []
    for site in bar(range(len(sites["point"])), description=f"lines, {spec.network}"):
        point = sites["point"][site].expand(spec.lines, *sites["point"].shape[1:]).contiguous()
        directions = torch.randn(point.shape, generator=generator)
        directions /= directions.flatten(1).norm(dim=1).reshape(-1, *[1] * (point.ndim - 1))
        changes = class_changes(network, point, directions, distances).double()
        columns = {"changes": changes.mean(0).numpy(), "once": (changes == 1).double().mean(0).numpy()}
        kind = KINDS[int(sites["kind"][site])]
        parts.append(pd.DataFrame({"kind": kind, "site": site, "distance": distances.numpy()} | columns))
    return pd.concat(parts, ignore_index=True)
