"""Adversaries of least distortion: one for each of some test images, towards a class drawn at random."""

from dataclasses import dataclass

import torch
from torch import Tensor

from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.models.precision import single_precision
from neighborhoods.progress import bar
from neighborhoods.studies.persistence.adversaries import sources

BATCH = 100


@dataclass(frozen=True)
class MinimumSpec:
    """Numbers of the attack.

    Attributes:
        network: name of the network attacked.
        pairs: test images attacked, drawn among those classified correctly, each towards one other class.
        seed: of the draws.
        device: where the attack runs.
    """

    network: str
    pairs: int
    seed: int
    device: str = "cpu"


def attack(spec: MinimumSpec, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Attack each image.

    Returns:
        One row a pair, failures among them: ``natural`` and ``points`` (before and after), ``image`` (its
        number in the test set), ``label``, ``target``, ``success``, ``distortion``.
    """
    network = load(spec.network, trained).to(spec.device)
    natural, labels, numbers = sources(network, spec.pairs, spec.seed)
    other = torch.randint(1, CLASSES, labels.shape, generator=torch.Generator().manual_seed(spec.seed))
    targets = (labels + other) % CLASSES
    batches = list(zip(natural.split(BATCH), targets.split(BATCH), strict=True))
    with single_precision(tf32=False):
        results = [
            minimum_distortion(network, *(part.to(spec.device) for part in batch))
            for batch in bar(batches, description="least distortion")
        ]
    origin = {"natural": natural, "image": numbers, "label": labels, "target": targets}
    names = ("points", "success", "distortion")
    return origin | {name: torch.cat([getattr(result, name) for result in results]).cpu() for name in names}
