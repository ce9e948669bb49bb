"""Adversaries of one photograph by one attack, towards some classes."""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neighborhoods.models.packaged_attacks import Method
from neighborhoods.models.packaged_attacks import attack as packaged
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.imagenet.subjects import Subject, network, photographs, together


@dataclass(frozen=True)
class Aim:
    """One photograph, the attack on it, and where the attack is to lead.

    Attributes:
        subject: network and photographs.
        method: the attack, by its name in `packaged_attacks`.
        settings: those that differ from the package's.
        image: number of the photograph.
        targets: classes to reach.
    """

    subject: Subject
    method: str
    settings: tuple[tuple[str, float], ...]
    image: int
    targets: tuple[int, ...]


class Pairs(NamedTuple):
    """The photograph, once for each target, and what came of it, on the device of the subject."""

    natural: Float[Tensor, "targets channels side side"]
    points: Float[Tensor, "targets channels side side"]
    targets: Int[Tensor, " targets"]
    success: Bool[Tensor, " targets"]
    distortion: Float[Tensor, " targets"]


@single_precision(tf32=False)
def attack(aim: Aim) -> dict[str, Tensor]:
    """Attack a photograph towards each target, with random starts of its own.

    Returns ``points``, ``success`` and ``distortion``, one row a target.
    """
    of, found = aim.subject, photographs(aim.subject)
    targets = torch.tensor(aim.targets, device=of.device)
    natural = found.points[aim.image].expand(len(targets), -1, -1, -1).contiguous()
    labels = found.labels[aim.image].expand(len(targets))
    generator = torch.Generator(of.device).manual_seed(of.seed)
    settings: Any = dict(aim.settings)
    method, most = cast(Method, aim.method), together(of.device)
    parts = [
        packaged(method, network(of).network, *pair, targets=goals, generator=generator, **settings)
        for *pair, goals in zip(*(values.split(most) for values in (natural, labels, targets)), strict=True)
    ]
    return {
        name: torch.cat([getattr(part, name) for part in parts])
        for name in ("points", "success", "distortion")
    }


def pairs(aim: Aim, attacked: dict[str, Tensor], first: int = 0, count: int | None = None) -> Pairs:
    """Return so many of the pairs behind `attack`'s values, from the first one given, or all of them."""
    some = slice(first, None if count is None else first + count)
    targets = torch.tensor(aim.targets[some], device=aim.subject.device)
    natural = photographs(aim.subject).points[aim.image].expand(len(targets), -1, -1, -1)
    points, success, distortion = (
        attacked[name][some].to(aim.subject.device) for name in ("points", "success", "distortion")
    )
    return Pairs(natural, points, targets, success, distortion)
