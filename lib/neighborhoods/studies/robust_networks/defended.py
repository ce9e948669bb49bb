"""How far the boundaries of defended networks are: for the nearest adversary of an image, and for noise."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import pandas as pd
import torch
from torch import Generator, Tensor, nn

from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.normals import incidence, margins
from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.defences import DefenceSpec, principal_components
from neighborhoods.models.networks import load
from neighborhoods.progress import bar
from neighborhoods.studies.rivals import nearest_classes


@dataclass(frozen=True)
class DefendedSpec:
    """Numbers of the comparison.

    Attributes:
        trainings: of the networks, in the order of their parents.
        images: test images that every network gets right.
        nearest: how many target classes of each image are attacked, those nearest by linearisation.
        components: principal components of the training images, in whose span a part of each step lies.
        gamma: level of the persistence.
        samples: of its noise.
        seed: of the noise.
    """

    trainings: tuple[DefenceSpec, ...]
    images: int
    nearest: int
    components: int
    gamma: float
    samples: int
    seed: int


def accuracies(spec: DefendedSpec, *trained: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a network: ``defence``, ``seed``, ``right`` of ``count`` test images."""
    data = mnist("test")
    networks = [load(one.network, found) for one, found in zip(spec.trainings, trained, strict=True)]
    right = [int((labels_of(network, data.points) == data.labels).sum()) for network in networks]
    rows = [
        {"defence": one.defence, "seed": one.seed, "right": count, "count": len(data.labels)}
        for one, count in zip(spec.trainings, right, strict=True)
    ]
    return pd.DataFrame(rows)


def measured(spec: DefendedSpec, *trained: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row a network and image: ``defence``, ``seed``, ``image``; ``distance`` $\|r\|_2$ to the
    nearest adversary found, and its ``success``; ``incidence`` of $r$ on the boundary in degrees, NaN without
    success or a normal; ``inside``, the share of $\|r\|^2$ in the span of the principal components;
    ``persistence`` and its ``status``; ``quotient`` of the persistence and that of a half-space at the same
    distance, $\sigma^*\Phi^{-1}(\gamma)/\|r\|_2$.
    """
    networks = [load(one.network, found) for one, found in zip(spec.trainings, trained, strict=True)]
    images, numbers = right_for_all(networks, spec.images)
    seen = mnist("train", spec.trainings[0].images).points.flatten(1)
    basis = principal_components(seen, spec.components)[1]
    tables = []
    pairs = list(zip(spec.trainings, networks, strict=True))
    for training, network in bar(pairs, description="defended networks"):
        near = nearest_adversaries(network, images, spec.nearest)
        step = (near.pop("points") - images.points).flatten(1)
        near["inside"] = ((step @ basis).norm(dim=1) / near["distance"]).square()
        generator = Generator().manual_seed(spec.seed)
        noise = persistence(
            network, images.points, spec.gamma, samples=spec.samples, groups=4, generator=generator
        )
        level = NormalDist().inv_cdf(spec.gamma)
        columns = near | {"persistence": noise.sigma, "quotient": noise.sigma * level / near["distance"]}
        table = pd.DataFrame({name: column.numpy() for name, column in columns.items()})
        words = [Status(code).name.lower() for code in noise.status.tolist()]
        table = table.assign(status=words, image=numbers.numpy())
        tables.append(table.assign(defence=training.defence, seed=training.seed))
    return pd.concat(tables, ignore_index=True)


def right_for_all(networks: list[nn.Sequential], count: int) -> tuple[Images, Tensor]:
    """Return the first test images that all networks get right, and their numbers.

    Raises:
        ValueError: networks that agree on no image.
    """
    data = mnist("test")
    right = torch.stack([labels_of(network, data.points) == data.labels for network in networks]).all(0)
    rows = right.nonzero()[:count, 0]
    if not len(rows):
        raise ValueError(f"networks: got {len(networks)} that get no test image right together; required one")
    return Images(data.points[rows], data.labels[rows]), rows


def nearest_adversaries(network: nn.Sequential, images: Images, nearest: int) -> dict[str, Tensor]:
    """Return each image's nearest adversary: ``points`` and the first columns of `measured`."""
    targets = nearest_classes(network, images.points, images.labels, nearest)
    found = minimum_distortion(
        network, images.points.repeat_interleave(targets.shape[1], 0), targets.flatten()
    )
    length = torch.where(found.success, found.distortion, math.inf).view_as(targets)
    best = length.argmin(1) + torch.arange(len(targets)) * targets.shape[1]
    points, reached = found.points[best], targets.flatten()[best]
    slope = margins(network, points, images.labels, reached).gradient
    step, success = (points - images.points).flatten(1), found.success[best]
    met = (success & (slope != 0).any(1))[:, None]  # where not, the angle is not asked for
    angle = incidence(torch.where(met, step, 1.0), torch.where(met, slope, 1.0)).rad2deg()
    return {
        "points": points,
        "distance": step.norm(dim=1),
        "success": success,
        "incidence": torch.where(met[:, 0], angle, math.nan),
    }
