"""Class frequencies around a photograph and around an adversary of it, as the noise grows."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.persistence import class_frequencies
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.imagenet.adversaries import Aim, pairs
from neighborhoods.studies.imagenet.subjects import network
from neighborhoods.studies.persistence.tables import generator

KINDS = ("natural", "adversarial")


@dataclass(frozen=True)
class CurveSpec:
    """What is looked at and how closely.

    Attributes:
        aim: an attack with one target.
        kinds: around which of the two.
        sigma_max, sigmas: the grid, sigma_max (k / sigmas)² for k = 1, 2, …, dense where classes change.
        draws: noise vectors, the same at every σ.
    """

    aim: Aim
    kinds: tuple[str, ...]
    sigma_max: float
    sigmas: int
    draws: int


@single_precision(tf32=False)
def curve(spec: CurveSpec, attacked: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``points`` (of each kind), ``success``, ``sigmas``, and ``counts``, kinds × σ × classes."""
    found = pairs(spec.aim, attacked)
    both = dict(zip(KINDS, (found.natural, found.points), strict=True))
    points = torch.cat([both[kind] for kind in spec.kinds])
    sigmas = spec.sigma_max * (torch.arange(1, spec.sigmas + 1) / spec.sigmas) ** 2
    of = spec.aim.subject
    counts = class_frequencies(
        network(of).network,
        points,
        sigmas.to(points),
        samples=spec.draws,
        classes=len(network(of).classes),
        generator=generator(of.seed, of.device),
    )
    return {"points": points, "success": found.success, "sigmas": sigmas, "counts": counts}


def tidy(curves: dict[str, Tensor], kind: int, *, least: float = 0.0) -> pd.DataFrame:
    """Return rows ``sigma``, ``class``, ``share`` around one kind.

    Classes that have no more than the least share at any σ are left out.
    """
    counts = curves["counts"][kind]
    every = counts / counts.sum(1, keepdim=True)
    seen = (every.amax(0) > least).nonzero()[:, 0]
    shares = every[:, seen]
    index = pd.MultiIndex.from_product([curves["sigmas"].tolist(), seen.tolist()], names=["sigma", "class"])
    return pd.DataFrame({"share": shares.flatten().numpy()}, index=index).reset_index()
