"""Training pairs of different class in all pixels: nearest and random ones, and the boundary between them."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from neighborhoods.kernels.gabriel import gabriel
from neighborhoods.kernels.voronoi import squared_distances
from neighborhoods.kernels.voronoi_walk import voronoi_exit
from neighborhoods.models.datasets import mnist
from neighborhoods.progress import bar

CHUNK = 250
KINDS = ("nearest", "random")


@dataclass(frozen=True)
class UnlikeSpec:
    """Numbers of the study: sites from the start of the training set, pairs of each kind, seed of both."""

    images: int
    pairs: int
    seed: int


def find(spec: UnlikeSpec) -> dict[str, Tensor]:
    """Return pairs of training images of different classes, and how their segment meets the Voronoi diagram.

    Returns:
        For each kind, "nearest" (an image drawn at random and the nearest one of another class) and "random",
        ``KIND/pairs`` (their numbers), ``KIND/empty``, ``KIND/slack``, ``KIND/status`` (of the Gabriel
        test), ``KIND/fraction``, ``KIND/angle``, ``KIND/cells``, ``KIND/exit_status`` (where the segment
        leaves the class of its start, see `voronoi_exit`); and ``nearest/mutual``, whether the first image is
        the nearest one of another class for the second too.
    """
    data = mnist("train", spec.images)
    sites, labels = data.points.flatten(1), data.labels
    generator = Generator().manual_seed(spec.seed)
    first = torch.randperm(len(sites), generator=generator)[: spec.pairs]
    nearest = _nearest_unlike(sites, labels, first)
    back = _nearest_unlike(sites, labels, nearest)
    other = torch.stack([_random_unlike(labels, int(i), generator) for i in first])
    found = {"nearest/mutual": back == first}
    for kind, second in zip(KINDS, (nearest, other), strict=True):
        pairs = torch.stack([first, second], 1)
        found |= {f"{kind}/{name}": value for name, value in _meet(sites, labels, pairs).items()}
    return found


def _nearest_unlike(sites: Tensor, labels: Tensor, rows: Tensor) -> Tensor:
    nearest = []
    for part in bar(rows.split(CHUNK), description="nearest of another class"):
        squares = squared_distances(sites[part], sites)
        squares[labels[part][:, None] == labels] = torch.inf
        nearest.append(squares.argmin(1))
    return torch.cat(nearest)


def _random_unlike(labels: Tensor, image: int, generator: Generator) -> Tensor:
    others = (labels != labels[image]).nonzero().squeeze(1)
    return others[torch.randint(len(others), (), generator=generator)]


def _meet(sites: Tensor, labels: Tensor, pairs: Tensor) -> dict[str, Tensor]:
    parts = []
    for part in bar(pairs.split(CHUNK), description="segments and cells"):
        tested = gabriel(sites, part)
        left = voronoi_exit(sites[part[:, 0]], sites[part[:, 1]], sites, labels)
        exits = {
            "fraction": left.fraction,
            "angle": left.angle,
            "cells": left.cells,
            "exit_status": left.status,
        }
        balls = {"empty": tested.empty, "slack": tested.slack, "status": tested.status}
        parts.append({"pairs": part} | balls | exits)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
