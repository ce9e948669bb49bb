"""Networks on the line from the first to the last parameters of a run, and those it passed through."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Generator, Tensor

from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import Classifier
from neighborhoods.progress import bar
from neighborhoods.studies.rivals import nearest_classes
from neighborhoods.studies.weight_space.paths import PathSpec
from neighborhoods.studies.weight_space.weights import Subject, accuracy, at, right, subject

RIVALS = 2  # classes attacked: those whose boundaries are nearest to first order


@dataclass(frozen=True)
class LineSpec:
    """Which networks are attacked.

    Attributes:
        path: the run.
        positions: $t$ of $w_0 + t(w_N - w_0)$, 1 among them.
        attacked: test images, the first that the network at $t = 1$ gets right.
        unseen: test images on which accuracy is taken.
        gamma, samples: of their persistence.
        seed: of its noise.
    """

    path: PathSpec
    positions: tuple[float, ...]
    attacked: int
    unseen: int
    gamma: float
    samples: int
    seed: int


def accuracies(spec: LineSpec, path: dict[str, Tensor]) -> pd.DataFrame:
    """Return the accuracy at each position of the line and at each state kept.

    Columns: ``kind``, "line" or "path"; ``t``: position, or share of the steps; ``accuracy``.
    """
    own = subject(spec.path.run, spec.unseen)
    start, end = path["states"][0], path["states"][-1]
    line = [("line", t, torch.lerp(start, end, t)) for t in spec.positions]
    shares = (path["steps"] / path["steps"][-1]).tolist()
    passed = [("path", t, state) for t, state in zip(shares, path["states"], strict=True)]
    rows = [{"kind": kind, "t": t, "accuracy": accuracy(own, w)} for kind, t, w in line + passed]
    return pd.DataFrame(rows)


def robust(spec: LineSpec, path: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row for each network and image.

    Each position $t$ before the end comes with the network of the path whose accuracy is nearest. Columns:
    ``kind``; ``t`` of the line; ``step``: of the path, -1 on the line; ``accuracy``; ``image``; ``right``:
    whether its class is predicted; ``distortion``: least found, 0 where the class is wrong; ``sigma``: the
    persistence, likewise.
    """
    own = subject(spec.path.run, spec.unseen)
    images = right(own, path["states"][-1]).nonzero()[: spec.attacked, 0]
    tables = []
    for kind, t, step, weights in bar(_networks(spec, own, path), description="robustness"):
        table = pd.DataFrame(_measured(spec, own, weights, images))
        tables.append(table.assign(kind=kind, t=t, step=step, accuracy=accuracy(own, weights)))
    return pd.concat(tables, ignore_index=True)


def least(classifier: Classifier, points: Tensor, labels: Tensor, rivals: int = RIVALS) -> Tensor:
    """Return the least distortion found that changes each label, infinite where none was found.

    Args:
        classifier: points to logits.
        points: images that it gets right.
        labels: their classes.
        rivals: classes attacked, the nearest to first order.
    """
    rows = torch.arange(len(points)).repeat_interleave(rivals)
    targets = nearest_classes(classifier, points, labels, rivals).flatten()
    found = minimum_distortion(classifier, points[rows], targets)
    return torch.where(found.success, found.distortion, torch.inf).view(-1, rivals).amin(1)


def _networks(spec: LineSpec, own: Subject, path: dict[str, Tensor]) -> list[tuple[str, float, int, Tensor]]:
    """Return kind, position, step and parameters of each network."""
    states = path["states"]
    passed = torch.tensor([accuracy(own, state) for state in states])
    chosen: list[tuple[str, float, int, Tensor]] = []
    for t in spec.positions:
        weights = torch.lerp(states[0], states[-1], t)
        chosen.append(("line", t, -1, weights))
        if t < 1:
            place = int((passed - accuracy(own, weights)).abs().argmin())
            chosen.append(("path", t, int(path["steps"][place]), states[place]))
    return chosen


def _measured(spec: LineSpec, own: Subject, weights: Tensor, images: Tensor) -> dict[str, list[float]]:
    correct = right(own, weights)[images]
    points, labels = own.unseen.points[images], own.unseen.targets[images]
    network = at(own, weights).requires_grad_(False)
    distortion, sigma = torch.zeros(len(images)), torch.zeros(len(images))
    distortion[correct] = least(network, points[correct], labels[correct])
    noise = Generator().manual_seed(spec.seed)
    found = persistence(network, points[correct], spec.gamma, samples=spec.samples, generator=noise)
    sigma[correct] = found.sigma
    network.requires_grad_(True)
    columns = {"image": images, "right": correct, "distortion": distortion, "sigma": sigma}
    return {name: column.tolist() for name, column in columns.items()}
