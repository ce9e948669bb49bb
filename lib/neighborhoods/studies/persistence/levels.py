"""Persistence of adversaries at stated depths beyond the boundary, with natural partners."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from neighborhoods.kernels.persistence import Persistence, persistence
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence.chords import chords, on_chord
from neighborhoods.studies.persistence.tables import generator, grouped

SIGMAS = (1e-5, 1e2)
DEPTHS = tuple(0.02 * 1.25**step for step in range(30))
"""Distances at which the margin is read, in steps of a quarter."""


@dataclass(frozen=True)
class LevelsSpec:
    """Numbers of the measurement.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class.
        samples: size of the noise set of each group.
        naturals: test images drawn at random.
        distortion: the mean distortion that the draft reports, to which adversaries are scaled.
        margin: lead of the target's logit to which adversaries are pushed.
        seed: of the draw and of the noise.
    """

    network: str
    gamma: float
    samples: int
    naturals: int
    distortion: float
    margin: float
    seed: int


class Pairs(NamedTuple):
    """Images, their adversaries, and where the way between them enters the target class."""

    pair: Tensor
    natural: Tensor
    adversarial: Tensor
    target: Tensor
    overshoot: Tensor
    cosine: Tensor
    before: Tensor

    def take(self, which: Tensor) -> "Pairs":
        """Return some of the rows."""
        return Pairs(*(column[which] for column in self))


def measure(spec: LevelsSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return ``level``, ``side``, ``pair``, ``depth``, ``distance``, ``keeps`` and `tables.frame`'s columns.

    Levels: "minimum" is the attack's own point, "draft" the point of its direction at the draft's
    distortion, "margin" the point where the target leads by ``margin``; "natural" are images. ``depth`` is
    the distance from the boundary along the attack, ``distance`` that from its tangent plane. Each
    adversarial point has a partner at the same depth on the natural side. A level that a pair does not
    reach keeps a row of status "failed".
    """
    network = load(spec.network, trained)
    chosen = attacked["success"].nonzero().squeeze(1)
    natural, adversarial, target = (attacked[name][chosen] for name in ("natural", "points", "target"))
    pairs = Pairs(chosen, natural, adversarial, target, *chords(network, natural, adversarial))
    tables = [_naturals(spec, network)]
    for level, depth in _depths(spec, network, pairs).items():
        reached = depth.isfinite() & (depth > 0)
        missing = {"side": "adversarial", "pair": chosen[~reached].numpy(), "status": "failed"}
        parts = [pd.DataFrame(missing), _sides(spec, network, pairs.take(reached), depth[reached])]
        tables += [part.assign(level=level) for part in parts if len(part)]
    return pd.concat(tables, ignore_index=True)


def _depths(spec: LevelsSpec, network: nn.Module, pairs: Pairs) -> dict[str, Tensor]:
    length = (pairs.adversarial - pairs.natural).flatten(1).norm(dim=1)
    scaled = spec.distortion * pairs.natural[0].numel() ** 0.5
    return {
        "minimum": pairs.overshoot,
        "draft": scaled - (length - pairs.overshoot),
        "margin": _margin_depth(network, pairs, spec.margin),
    }


def _naturals(spec: LevelsSpec, network: nn.Module) -> pd.DataFrame:
    data = mnist("test")
    drawn = torch.randperm(len(data.labels), generator=generator(spec.seed + 1))[: spec.naturals]
    rows = pd.DataFrame({"level": "natural", "side": "natural", "pair": drawn.numpy(), "keeps": True})
    return rows.join(grouped(_kernel(spec, network), data.points[drawn], "natural images"))


def _sides(spec: LevelsSpec, network: nn.Module, pairs: Pairs, depth: Tensor) -> pd.DataFrame:
    if not len(depth):
        return pd.DataFrame()
    tables = []
    for side, sign, labels in (("adversarial", 1, pairs.target), ("natural", -1, pairs.before)):
        points = on_chord(network, pairs.natural, pairs.adversarial, sign * depth)
        rows = {
            "side": side,
            "pair": pairs.pair.numpy(),
            "depth": depth.numpy(),
            "distance": (depth * pairs.cosine).numpy(),
            "keeps": (labels_of(network, points) == labels).numpy(),
        }
        tables.append(pd.DataFrame(rows).join(grouped(_kernel(spec, network), points, f"{side} side")))
    return pd.concat(tables, ignore_index=True)


def _kernel(spec: LevelsSpec, network: nn.Module) -> Callable[[Tensor], Persistence]:
    return partial(
        persistence,
        network,
        gamma=spec.gamma,
        samples=spec.samples,
        sigma_range=SIGMAS,
        generator=generator(spec.seed),
    )


def _margin_depth(network: nn.Module, pairs: Pairs, margin: float) -> Tensor:
    """Return the first depth of a grid where the target leads by the margin; infinite where none does."""
    found, target = torch.full_like(pairs.overshoot, torch.inf), pairs.target[:, None]
    for depth in reversed(DEPTHS):
        logits = network(on_chord(network, pairs.natural, pairs.adversarial, depth))
        others = logits.scatter(1, target, -torch.inf).amax(1)
        found[logits.gather(1, target).squeeze(1) - others >= margin] = depth
    return found
