"""Persistence at equal distances on both sides of the boundary between an image and its adversary."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from torch import Tensor

from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence.chords import chords
from neighborhoods.studies.persistence.tables import generator, grouped

DISTANCES = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class MatchedSpec:
    """Numbers of the comparison.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class.
        samples: size of the noise set of each group.
        studied: successful adversaries whose chords are followed.
        seed: of the noise.
    """

    network: str
    gamma: float
    samples: int
    studied: int
    seed: int


def match(spec: MatchedSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``pair``, ``image``, ``side``, ``distance``, ``cosine``, ``keeps``, ``sigma``, ``low``,
    ``high``, ``status``.

    A point at distance d beyond the boundary stands on the adversarial side, its mirror image at distance d
    before it on the natural side. ``keeps`` says whether the point still has the class that its side has at
    the boundary; where it does not, another boundary lies nearer and the row is no part of the comparison.
    """
    network = load(spec.network, trained)
    chosen = attacked["success"].nonzero().squeeze(1)[: spec.studied]
    chord = chords(network, attacked["natural"][chosen], attacked["points"][chosen])
    sides = {"adversarial": (1, attacked["target"][chosen]), "natural": (-1, chord.before)}
    tables = []
    for side, (sign, labels) in sides.items():
        for distance in DISTANCES:
            points = chord.at(sign * distance)
            rows = pd.DataFrame(
                {
                    "pair": chosen.numpy(),
                    "image": attacked["image"][chosen].numpy(),
                    "side": side,
                    "distance": distance,
                    "cosine": chord.cosine.numpy(),
                    "keeps": (labels_of(network, points) == labels).numpy(),
                }
            )
            kernel = partial(
                persistence, network, gamma=spec.gamma, samples=spec.samples, generator=generator(spec.seed)
            )
            tables.append(rows.join(grouped(kernel, points, f"{side} side, distance {distance}")))
    return pd.concat(tables, ignore_index=True)


def contrast(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return for each distance the persistence of the adversarial side over that of the natural side.

    Columns: ``distance``, ``kept`` (share of pairs in which both points have the class of their side),
    ``quotient`` (median over images of the median over an image's pairs), ``low`` and ``high`` (95 %
    bootstrap interval over images, since the nine pairs of an image are no independent draws).
    """
    index = ["distance", "image", "pair"]
    kept = table.groupby(index)["keeps"].all()
    sigma = table.pivot_table(index=index, columns="side", values="sigma")
    quotients = (sigma["adversarial"] / sigma["natural"])[kept]
    shares = kept.groupby("distance").mean()
    images = quotients.groupby(["distance", "image"]).median()
    rows = []
    for distance, values in images.groupby("distance"):
        interval = bootstrap(
            (values.to_numpy(),), np.median, method="percentile", rng=np.random.default_rng(seed)
        ).confidence_interval
        rows.append((distance, shares[distance], values.median(), interval.low, interval.high))
    return pd.DataFrame(rows, columns=["distance", "kept", "quotient", "low", "high"])
