"""What is attacked: a network and photographs, which of them, and towards which classes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models import images, pretrained
from neighborhoods.models.precision import single_precision

BIRDS = (*range(7, 25), *range(80, 101), *range(127, 147))
"""Classes of ImageNet that are birds: the draft's photographs show a goldfinch."""
TOGETHER = {"cpu": 7, "cuda": 112}
"""Images attacked at once: what a gradient of VGG16 holds of them fits a laptop, or fills an accelerator."""


@dataclass(frozen=True)
class Subject:
    """A network and photographs, told by what they hold, so that other weights or files are another subject.

    Attributes:
        network: name understood by `pretrained.load`.
        weights: fingerprint of its weights.
        folder: of the photographs; the twenty of the lock where empty.
        photographs: their fingerprint.
        seed: of the classes drawn.
        device: where the network runs.
    """

    network: str
    weights: str
    folder: str
    photographs: str
    seed: int
    device: str


def subject(network: str, folder: str, seed: int, device: str) -> Subject:
    """Return a subject, with the fingerprints of what is on this machine now."""
    photographs = images.fingerprint(_folder(folder))
    return Subject(network, pretrained.fingerprint(network), folder, photographs, seed, device)


def network(of: Subject) -> pretrained.Pretrained:
    """Return the subject's network, read once in a process."""
    return _network(of.network, of.device)


def photographs(of: Subject) -> images.Photographs:
    """Return the subject's photographs in the size of its network, on its device, read once in a process."""
    return _photographs(of)


@single_precision(tf32=False)
def choose(of: Subject) -> pd.DataFrame:
    """Return ``image`` (its number), ``name``, ``label``, ``predicted``, ``bird``, the birds first."""
    found = photographs(of)
    predicted = torch.cat([labels_of(network(of).network, image[None]) for image in found.points]).cpu()
    columns = {"name": found.names, "label": found.labels.tolist(), "predicted": predicted.tolist()}
    rows = pd.DataFrame({"image": range(len(predicted)), **columns})
    return rows.assign(bird=rows["label"].isin(BIRDS)).sort_values(
        "bird", ascending=False, kind="stable", ignore_index=True
    )


def other_classes(of: Subject, image: int, count: int) -> Int[Tensor, " count"]:
    """Draw classes that an image does not have, for an image and a seed the same in each network."""
    generator = torch.Generator().manual_seed(1000 * of.seed + image)
    drawn = torch.randperm(len(network(of).classes), generator=generator)
    return drawn[drawn != photographs(of).labels[image].cpu()][:count]


def together(device: str) -> int:
    """Return how many images are attacked at once."""
    return TOGETHER[torch.device(device).type]


@cache
def _network(name: str, device: str) -> pretrained.Pretrained:
    return pretrained.load(name, device=device, download=False)


@cache
def _photographs(of: Subject) -> images.Photographs:
    found = network(of)
    read = images.photographs(
        _folder(of.folder), found.classes, side=found.side, shorter=found.shorter, smooth=found.smooth
    )
    return read._replace(points=read.points.to(of.device), labels=read.labels.to(of.device))


def _folder(folder: str) -> Path:
    return Path(folder) if folder else images.twenty()
