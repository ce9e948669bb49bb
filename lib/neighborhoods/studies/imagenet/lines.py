"""Persistence, at several levels, along the line from a photograph to its adversary."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.levels import persistence_levels
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.imagenet.adversaries import Aim, pairs
from neighborhoods.studies.imagenet.measure import SIGMA_MOST
from neighborhoods.studies.imagenet.subjects import network
from neighborhoods.studies.persistence.chords import chords
from neighborhoods.studies.persistence.tables import frame, generator


@dataclass(frozen=True)
class LineSpec:
    """A line and the measurement on it.

    Attributes:
        aim: an attack with one target.
        places: how many points, in equal steps from the photograph to the adversary.
        gammas: shares of the noise that must keep the class.
        samples: points of the Sobol noise.
        sigma_least: where the search for a persistence starts.
    """

    aim: Aim
    places: int
    gammas: tuple[float, ...]
    samples: int
    sigma_least: float


@single_precision(tf32=False)
def measure(spec: LineSpec, attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row for each γ and point.

    Columns: ``place`` in [0, 1], ``class``, ``distance`` along the line from where it enters the adversary's
    class, negative before it, ``gamma``, and `tables.frame`'s columns.

    Raises:
        ValueError: the attack does not reach its target.
    """
    found, of = pairs(spec.aim, attacked), spec.aim.subject
    if not bool(found.success.all()):
        raise ValueError(
            f"images: {spec.aim.method} does not lead photograph {spec.aim.image} to class "
            f"{spec.aim.targets[0]}; required is one that it does, to draw the line between them"
        )
    ends = found.natural, found.points
    chord = chords(network(of).network, *ends)
    places = torch.linspace(0, 1, spec.places, device=of.device)
    points = torch.lerp(*ends, places[:, None, None, None])
    length = (ends[1] - ends[0]).norm()
    rows = pd.DataFrame(
        {
            "place": places.cpu().numpy(),
            "class": torch.cat([labels_of(network(of).network, point[None]) for point in points])
            .cpu()
            .numpy(),
            "distance": ((places - chord.crossing.fraction) * length).cpu().numpy(),
        }
    )
    levels = persistence_levels(
        network(of).network,
        points,
        spec.gammas,
        samples=spec.samples,
        sigma_range=(spec.sigma_least, SIGMA_MOST),
        generator=generator(of.seed, of.device),
    )
    parts = [
        rows.assign(gamma=gamma).join(frame(level)) for gamma, level in zip(spec.gammas, levels, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)
