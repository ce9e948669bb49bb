"""Stability of images under noise: ours, the sampler of Cohen et al. (2019), and that of IBM's ART.

All count a class among 1000 noisy images, bound its probability below by Clopper and Pearson at the same
level, and take σ times the normal quantile of the bound as the certified radius. Ours counts the class of the
image itself; the others draw 100 noisy images more to choose the class, which is part of their procedure.
"""

import statistics
from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

import torch
from contests import Contest, DisagreementError, Sides
from neighborhoods.kernels.persistence import stability
from neighborhoods.kernels.statistics import clopper_pearson
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.training import TrainingSpec, train
from torch import Generator, Tensor, nn

SIGMA, ALPHA, CHOOSING, COUNTING, BATCH = 0.25, 0.001, 100, 1000, 1000
UNSEEN, IMAGES = 200, 20


def trained(name: str) -> nn.Sequential:
    """Train for one epoch on all of MNIST."""
    spec = TrainingSpec(network=name, images=60000, epochs=1, batch=100, rate=1e-3, penalty=0.0, seed=0)
    return networks.load(name, train(spec))


def ours(network: nn.Module, images: Tensor, seed: int) -> Tensor:
    """Return certified radii."""
    found = stability(
        network,
        images,
        SIGMA,
        samples=COUNTING,
        confidence=1 - 2 * ALPHA,
        generator=Generator().manual_seed(seed),
    )
    return radius(found.low.double())


def radius(bound: Tensor) -> Tensor:
    """Return σ times the normal quantile of a bound on the probability, and 0 for one below a half."""
    return SIGMA * torch.special.ndtri(bound).clamp(min=0)


def cohen(network: nn.Module, images: Tensor, seed: int) -> Tensor:
    """Run the published CERTIFY, image by image: a class from some noise, its frequency from other noise."""
    generator = Generator().manual_seed(1000 + seed)
    bounds = []
    for image in images:
        chosen = int(sampled(network, image, CHOOSING, generator).argmax())
        hits = sampled(network, image, COUNTING, generator)[chosen]
        bounds.append(float(clopper_pearson(hits.numpy(), COUNTING, 1 - 2 * ALPHA)[0]))
    return radius(torch.tensor(bounds, dtype=torch.float64))


@torch.no_grad()
def sampled(network: nn.Module, image: Tensor, count: int, generator: Generator) -> Tensor:
    """Count the classes of so many draws from N(x, σ²I), in batches."""
    counts = torch.zeros(10, dtype=torch.int64)
    for part in range(ceil(count / BATCH)):
        size = min(BATCH, count - part * BATCH)
        batch = image.repeat((size, 1, 1, 1))
        noise = torch.randn(batch.shape, generator=generator) * SIGMA
        counts += torch.bincount(network(batch + noise).argmax(1), minlength=10)
    return counts


def art(network: nn.Module, images: Tensor, seed: int) -> Tensor:
    """Run ART's randomised smoothing, which draws from NumPy's global generator."""
    smoothed = art_classifier(network)
    _, found = smoothed.certify(images.numpy(), n=COUNTING, batch_size=BATCH)
    return torch.from_numpy(found)


def art_classifier(network: nn.Module) -> Any:
    from art.estimators.certification.randomized_smoothing import (  # noqa: PLC0415 (an optional package)
        PyTorchRandomizedSmoothing,
    )

    return PyTorchRandomizedSmoothing(
        network,
        nn.CrossEntropyLoss(),
        (1, 28, 28),
        10,
        device_type="cpu",
        sample_size=CHOOSING,
        scale=SIGMA,
        alpha=ALPHA,
    )


def judge(ours: list[Tensor], theirs: list[Tensor]) -> tuple[float, float]:
    """Return mean radii; they may differ by four standard errors of their paired difference."""
    own, other = torch.cat(ours), torch.cat(theirs)
    apart = own - other
    allowed = 4 * float(apart.std()) / len(apart) ** 0.5
    if not abs(float(apart.mean())) <= allowed:
        raise DisagreementError(f"mean radii differ by {float(apart.mean()):.3g}; allowed {allowed:.3g}")
    return statistics.mean(own.tolist()), statistics.mean(other.tolist())


def sides(network_name: str, theirs: Callable[[nn.Module, Tensor, int], Tensor]) -> Sides:
    """Compare on other test images in each repetition."""
    network, images = trained(network_name), mnist("test").points[UNSEEN:]

    def turn(side: Callable[[nn.Module, Tensor, int], Tensor]) -> Callable[[int], Tensor]:
        return lambda seed: side(network, images[IMAGES * seed : IMAGES * (seed + 1)], seed)

    note = (
        f"per image, {IMAGES} images a call from image {UNSEEN} on, σ {SIGMA}, {COUNTING} draws to count"
        f" and, theirs only, {CHOOSING} to choose; errors: mean certified radius, equal within four"
        " standard errors"
    )
    return Sides(turn(ours), turn(theirs), judge, IMAGES, note)


CONTESTS = [
    Contest("stability/Cohen/FC200", "torch", partial(sides, "FC200-200-10", cohen)),
    Contest("stability/Cohen/C-4", "torch", partial(sides, "C-4", cohen)),
    Contest("stability/ART/FC200", "art", partial(sides, "FC200-200-10", art)),
    Contest("stability/ART/C-4", "art", partial(sides, "C-4", art)),
]
