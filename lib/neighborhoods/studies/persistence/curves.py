"""Class frequencies around a natural image and its adversaries as the noise grows."""

from dataclasses import dataclass
from functools import partial

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.attacks import igsm
from neighborhoods.kernels.persistence import class_frequencies
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.studies.persistence.adversaries import every_other_class, sources
from neighborhoods.studies.persistence.tables import generator

DIGIT = 1


@dataclass(frozen=True)
class CurveSpec:
    """Numbers of the curves.

    Attributes:
        network: name of the network.
        sigma_max, sigmas: the grid, ``sigmas`` equal steps that end at ``sigma_max`` and leave out zero.
        samples: noise vectors, the same at every σ.
        epsilon, alpha, steps: of the attack.
        seed: of the image and of the noise.
    """

    network: str
    sigma_max: float
    sigmas: int
    samples: int
    epsilon: float
    alpha: float
    steps: int
    seed: int


def curve(spec: CurveSpec, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Count classes around a 1 and around its adversary for each other class.

    Returns:
        ``points`` (the natural image, then the adversaries), ``success``, ``targets`` (the digit itself
        first),
        ``image`` (its number in the test set), ``sigmas``, and ``counts``, points × σ × classes.
    """
    network = load(spec.network, trained)
    natural, labels, numbers = sources(network, 10_000, spec.seed)
    first = labels == DIGIT
    image, label, number = (values[first][:1] for values in (natural, labels, numbers))
    row, targets = every_other_class(label)
    attack = partial(igsm, epsilon=spec.epsilon, alpha=spec.alpha, steps=spec.steps)
    result = attack(network, image[row], label[row], targets=targets)
    points = torch.cat([image, result.points])
    sigmas = torch.linspace(0, spec.sigma_max, spec.sigmas + 1)[1:]
    counts = class_frequencies(
        network, points, sigmas, samples=spec.samples, classes=CLASSES, generator=generator(spec.seed)
    )
    return {
        "points": points,
        "success": torch.cat([torch.ones(1, dtype=torch.bool), result.success]),
        "targets": torch.cat([label, targets]),
        "image": number,
        "sigmas": sigmas,
        "counts": counts,
    }


def tidy(curves: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``target``, ``sigma``, ``class``, ``share`` of the curves, for figures."""
    shares = curves["counts"] / curves["counts"].sum(-1, keepdim=True)
    index = pd.MultiIndex.from_product(
        [curves["targets"].tolist(), curves["sigmas"].tolist(), range(CLASSES)],
        names=["target", "sigma", "class"],
    )
    return pd.DataFrame({"share": shares.flatten().numpy()}, index=index).reset_index()
