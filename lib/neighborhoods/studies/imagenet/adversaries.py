"""Adversaries of one photograph by one attack, towards some classes."""

from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from neighborhoods.models.packaged_attacks import Method, Outcome, attack
from neighborhoods.studies.imagenet.subjects import Subject, network, photographs

BATCH = 7  # images attacked at once: what a gradient of VGG16 holds of them fits the memory of a laptop


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
    """The photograph, once for each target, and what came of it."""

    natural: Tensor
    targets: Tensor
    outcome: Outcome


def attacked(aim: Aim) -> Pairs:
    """Attack a photograph towards each target, with random starts of its own."""
    of, found = aim.subject, photographs(aim.subject)
    targets = torch.tensor(aim.targets, device=of.device)
    natural = found.points[aim.image].expand(len(targets), -1, -1, -1).contiguous()
    labels = found.labels[aim.image].expand(len(targets))
    generator = torch.Generator(of.device).manual_seed(of.seed)
    settings: Any = dict(aim.settings)
    parts = [
        attack(
            cast(Method, aim.method),
            network(of).network,
            *pair,
            targets=goals,
            generator=generator,
            **settings,
        )
        for *pair, goals in zip(*(values.split(BATCH) for values in (natural, labels, targets)), strict=True)
    ]
    return Pairs(natural, targets, Outcome(*(torch.cat(columns) for columns in zip(*parts, strict=True))))
