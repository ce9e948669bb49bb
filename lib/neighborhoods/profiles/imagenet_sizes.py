"""Sizes of the ImageNet chapter."""

from dataclasses import dataclass
from typing import Any

from neighborhoods.profiles.checks import changed

METHODS = ("FGSM", "MIFGSM", "BIM", "PGD", "R+FGSM", "CW")


@dataclass(frozen=True)
class ImagenetSpec:
    """Numbers of the ImageNet chapter.

    Attributes:
        networks: names understood by `pretrained.load`; those whose weights are at hand are measured.
        images: a folder of photographs, see `models.images`; the twenty of the lock where empty.
        methods: attacks, by the names of `packaged_attacks`.
        attacked: photographs attacked at each network, among those classified correctly; ``targets``: classes
            drawn at random for each of them; ``part``: how many of these are measured as one item.
        gamma: share of the noise that must keep the class; ``gammas``: the same along lines.
        samples, line_samples: points of the Sobol noise behind a persistence; ``sigma_least``: where its
            search starts, or lower where a point lies close to a boundary.
        sigmas, sigma_max, draws: noise levels in (0, sigma_max] of a frequency curve, and samples at each.
        levels, level_draws: the same for the class that leads around each adversary.
        line: points on a line from an image to its adversary.
        least: adversaries of least distortion; ``rounds``, ``iterations``: see `minimum_distortion`.
        cw_rounds, cw_steps: see `carlini_wagner`.
        seed: of every random choice.
        device: where networks run, "cpu" or "cuda".
    """

    networks: tuple[str, ...] = ("squeezenet", "efficientnet-lite0", "alexnet")
    images: str = ""
    methods: tuple[str, ...] = METHODS
    attacked: int = 3
    targets: int = 1
    part: int = 7
    gamma: float = 0.7
    gammas: tuple[float, ...] = (0.5, 0.7, 0.9)
    samples: int = 128
    line_samples: int = 32
    sigma_least: float = 2e-3
    sigmas: int = 16
    sigma_max: float = 2.0
    draws: int = 100
    levels: int = 8
    level_draws: int = 16
    line: int = 11
    least: int = 6
    rounds: int = 3
    iterations: int = 20
    cw_rounds: int = 4
    cw_steps: int = 40
    seed: int = 0
    device: str = "cpu"


IMAGENET = {
    "smoke": ImagenetSpec(
        ("squeezenet",),
        methods=("FGSM", "BIM", "CW"),
        attacked=1,
        gammas=(0.7, 0.9),
        samples=16,
        line_samples=16,
        sigma_least=1e-2,
        sigmas=3,
        draws=8,
        levels=3,
        level_draws=8,
        line=3,
        least=2,
        rounds=2,
        iterations=6,
        cw_rounds=3,
        cw_steps=16,
    ),
    "quick": ImagenetSpec(),
    "paper": ImagenetSpec(
        ("squeezenet", "efficientnet-lite0", "alexnet", "vgg16"),
        attacked=20,
        targets=28,
        gammas=(0.5, 0.6, 0.7, 0.8, 0.9),
        samples=256,
        line_samples=256,
        sigmas=100,
        levels=20,
        level_draws=32,
        line=41,
        least=112,
        rounds=4,
        iterations=60,
        cw_rounds=5,
        cw_steps=100,
    ),
}


def imagenet(profile: str, **changes: Any) -> ImagenetSpec:
    """Return the ImageNet chapter's numbers for a profile, with changes, all checked; see `persistence`."""
    return changed(IMAGENET, profile, changes)
