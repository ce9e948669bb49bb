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
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.persistence.agreement import sufficient
from neighborhoods.studies.persistence.chords import Chords, chords
from neighborhoods.studies.persistence.tables import generator, grouped

SIGMAS = (1e-5, 1e2)
COLUMNS = ["level", "side", "pair", "depth", "distance", "keeps", "sigma", "low", "high", "status"]
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
        device: where the network runs.
    """

    network: str
    gamma: float
    samples: int
    naturals: int
    distortion: float
    margin: float
    seed: int
    device: str = "cpu"


class Pairs(NamedTuple):
    """Images and their adversaries: their numbers, target classes, and the way between them."""

    pair: Tensor
    target: Tensor
    chord: Chords

    def take(self, which: Tensor) -> "Pairs":
        """Return some of the pairs."""
        return Pairs(self.pair[which], self.target[which], self.chord.take(which))


def measure(
    spec: LevelsSpec,
    trained: dict[str, Tensor],
    attacked: dict[str, Tensor],
    compared: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return rows of `COLUMNS`, the last four from `tables.frame`.

    Levels: "minimum" is the attack's own point, "draft" the point of its direction at the draft's
    distortion, "margin" the point where the target leads by ``margin``; "natural" are images. ``depth`` is
    the distance from the boundary along the attack, ``distance`` that from its tangent plane. Each
    adversarial point has a partner at the same depth on the natural side. A level that a pair does not
    reach keeps a row of status "failed". Noise is measured in TF32 where a comparison of labels allows it,
    except at the attack's own points, which lie nearer to the boundary than TF32 tells apart.
    """
    network = load(spec.network, trained).to(spec.device)
    chosen = attacked["success"].nonzero().squeeze(1)
    natural, adversarial, target = (
        attacked[name][chosen].to(spec.device) for name in ("natural", "points", "target")
    )
    with single_precision(tf32=False):
        pairs = Pairs(chosen.to(spec.device), target, chords(network, natural, adversarial))
        depths = _depths(spec, network, pairs)
    allowed = sufficient(compared)
    with single_precision(tf32=allowed):
        tables = [_naturals(spec, network)]
    for level, depth in depths.items():
        with single_precision(tf32=allowed and level != "minimum"):
            parts = _level(spec, network, pairs, depth)
        tables += [part.assign(level=level) for part in parts if len(part)]
    return pd.concat(tables, ignore_index=True).reindex(columns=COLUMNS)


def _level(spec: LevelsSpec, network: nn.Module, pairs: Pairs, depth: Tensor) -> list[pd.DataFrame]:
    reached = depth.isfinite() & (depth > 0)
    missing = {"side": "adversarial", "pair": pairs.pair[~reached].cpu().numpy(), "status": "failed"}
    return [pd.DataFrame(missing), _sides(spec, network, pairs.take(reached), depth[reached])]


def _depths(spec: LevelsSpec, network: nn.Module, pairs: Pairs) -> dict[str, Tensor]:
    chord = pairs.chord
    length = (chord.adversarial - chord.natural).flatten(1).norm(dim=1)
    scaled = spec.distortion * chord.natural.shape[1:].numel() ** 0.5
    return {
        "minimum": chord.overshoot,
        "draft": scaled - (length - chord.overshoot),
        "margin": _margin_depth(network, pairs, spec.margin),
    }


def _naturals(spec: LevelsSpec, network: nn.Module) -> pd.DataFrame:
    data = mnist("test")
    drawn = torch.randperm(len(data.labels), generator=generator(spec.seed + 1))[: spec.naturals]
    rows = pd.DataFrame({"level": "natural", "side": "natural", "pair": drawn.numpy(), "keeps": True})
    return rows.join(grouped(_kernel(spec, network), data.points[drawn].to(spec.device), "natural images"))


def _sides(spec: LevelsSpec, network: nn.Module, pairs: Pairs, depth: Tensor) -> pd.DataFrame:
    if not len(depth):
        return pd.DataFrame()
    tables, chord = [], pairs.chord
    for side, sign, labels in (("adversarial", 1, pairs.target), ("natural", -1, chord.before)):
        points = chord.at(sign * depth)
        rows = {
            "side": side,
            "pair": pairs.pair.cpu().numpy(),
            "depth": depth.cpu().numpy(),
            "distance": (depth * chord.cosine).cpu().numpy(),
            "keeps": (labels_of(network, points) == labels).cpu().numpy(),
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
        generator=generator(spec.seed, spec.device),
    )


def _margin_depth(network: nn.Module, pairs: Pairs, margin: float) -> Tensor:
    """Return the first depth of a grid where the target leads by the margin; infinite where none does."""
    found, target = torch.full_like(pairs.chord.overshoot, torch.inf), pairs.target[:, None]
    for depth in reversed(DEPTHS):
        logits = network(pairs.chord.at(depth))
        others = logits.scatter(1, target, -torch.inf).amax(1)
        found[logits.gather(1, target).squeeze(1) - others >= margin] = depth
    return found
