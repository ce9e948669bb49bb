"""Adversaries of least distortion, towards classes drawn at random."""

from dataclasses import dataclass

import torch
from torch import Tensor

from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.imagenet.subjects import Subject, network, other_classes, photographs, together

RIVALS = 4


@dataclass(frozen=True)
class LeastSpec:
    """Numbers of the attack.

    Attributes:
        subject: network and photographs.
        images: numbers of photographs, in turn.
        count: adversaries; a photograph that comes round again is led to another class.
        rounds, iterations: see `minimum_distortion`.
    """

    subject: Subject
    images: tuple[int, ...]
    count: int
    rounds: int
    iterations: int


@single_precision(tf32=False)
def attack(spec: LeastSpec) -> dict[str, Tensor]:
    """Return one row an adversary, failures among them: ``natural``, ``points``, ``image``, ``label``,
    ``target``, ``success``, ``distortion``, ``overshoot``, ``evaluations``."""
    found = photographs(spec.subject)
    turns = -(-spec.count // len(spec.images))
    drawn = {image: other_classes(spec.subject, image, turns) for image in spec.images}
    order = [(image, drawn[image][turn]) for turn in range(turns) for image in spec.images][: spec.count]
    images = torch.tensor([image for image, _ in order], device=found.points.device)
    targets = torch.stack([target for _, target in order]).to(found.points.device)
    most = together(spec.subject.device)
    results = [
        minimum_distortion(
            network(spec.subject).network,
            found.points[some],
            goals,
            rounds=spec.rounds,
            iterations=spec.iterations,
            rivals=RIVALS,
        )
        for some, goals in zip(images.split(most), targets.split(most), strict=True)
    ]
    names = ("points", "success", "distortion", "overshoot", "evaluations")
    columns = {name: torch.cat([getattr(result, name) for result in results]) for name in names}
    origin = {
        "natural": found.points[images],
        "image": images,
        "label": found.labels[images],
        "target": targets,
    }
    return origin | columns
