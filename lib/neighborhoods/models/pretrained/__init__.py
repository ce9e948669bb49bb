"""Classifiers of ImageNet with their published weights, as networks on images in [0, 1].

>>> found = load("squeezenet")
>>> found.side, found.classes[14], tuple(found.network(torch.rand(1, 3, 227, 227)).shape)
(227, 'indigo bunting', (1, 1000))
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import nn

from neighborhoods.models.pretrained.architectures import ARCHITECTURES, Architecture, classes, layout
from neighborhoods.models.pretrained.weights import WeightsError, weights_file

__all__ = ["NAMES", "Pretrained", "WeightsError", "at_hand", "fingerprint", "load"]

NAMES = tuple(ARCHITECTURES)


@dataclass(frozen=True)
class Pretrained:
    """A classifier and what it expects.

    Attributes:
        name: one of `NAMES`.
        network: images `(m, 3, side, side)` with values in [0, 1], RGB, to logits `(m, 1000)`; its
            preprocessing is part of it, and gradients reach the image. In evaluation mode, parameters
            without gradients.
        side: height and width of its images.
        shorter: length to which the shorter side of a photograph is resized before the middle is cut out.
        smooth: whether the published preprocessing resizes bicubically rather than bilinearly.
        classes: a name for each logit.
    """

    name: str
    network: nn.Module
    side: int
    shorter: int
    smooth: bool
    classes: tuple[str, ...]


def load(name: str, *, device: str = "cpu", download: bool = True) -> Pretrained:
    """Return a network by its name.

    Args:
        name: "efficientnet-lite0" or "squeezenet", whose weights come inside packages of the lock, or
            "alexnet" or "vgg16", whose weights are looked for in the folder of `torch.hub`.
        device: where to put it.
        download: whether weights that are not there may be fetched into that folder.

    Raises:
        ValueError: an unknown name or kind of device.
        WeightsError: weights that are not there and cannot be fetched, or are not those published; the
            message says where to put them.

    Source: Tan and Le (2019) and its Lite variant; Iandola et al. (2016); Krizhevsky, Sutskever and Hinton
    (2012); Simonyan and Zisserman (2014).
    """
    plan, place = _plan(name), _device(device)
    network = plan.build(weights_file(plan.weights, download=download))
    network = network.eval().requires_grad_(False).to(place).to(memory_format=layout(place))
    return Pretrained(name, network, plan.side, plan.shorter, plan.smooth, classes())


def at_hand(names: tuple[str, ...] = NAMES) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those of the networks whose weights are on this machine, and a message for each other one."""
    there, missing = [], []
    for name in names:
        try:
            weights_file(_plan(name).weights, download=False)
            there.append(name)
        except WeightsError as error:
            missing.append(str(error))
    return tuple(there), tuple(missing)


def fingerprint(name: str) -> str:
    """Return the SHA-256 of a network's weights, in hexadecimal, for specs of what is computed with it."""
    with weights_file(_plan(name).weights, download=False).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _device(name: str) -> torch.device:
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device: got {name!r}; {error}") from error


def _plan(name: str) -> Architecture:
    if name not in ARCHITECTURES:
        raise ValueError(f"network is {name!r}; it must be one of {', '.join(NAMES)}")
    return ARCHITECTURES[name]
