"""Errors against large independent runs, in units of the standard error of 1000 independent samples."""

import math

import torch
from literal import literal_curve
from neighborhoods.kernels.blocks import channels_innermost
from neighborhoods.kernels.bracketing import bracketing
from neighborhoods.kernels.persistence import class_frequencies, persistence
from neighborhoods.kernels.statistics import Status
from torch import Generator, Tensor, nn

CURVE = 20_000  # independent samples at each σ of the true curve
STEP = 0.08  # their distance from the first guess, in ln σ
PLAIN = 1000  # samples of the literal procedures


def persistence_errors(
    network: nn.Sequential, images: Tensor, gamma: float, *, samples: int, seeds: int, draws: int
) -> tuple[float, float]:
    """Return RMS of (dP/dlnσ) ln(σ̂/σ*) over images and seeds, ours and (of two seeds) Algorithm 1's."""
    unit = math.sqrt(gamma * (1 - gamma) / PLAIN)
    log_star, slope = truths(network, images, gamma, draws)
    ours = []
    for seed in range(seeds):
        found = persistence(
            network, images, gamma, samples=samples, generator=Generator().manual_seed(100 + seed)
        )
        ours.append(slope * (found.sigma.double().log() - log_star))
    literal = []
    for seed in range(2):
        found = bracketing(network, images, gamma, generator=Generator().manual_seed(200 + seed))
        ended = found.status == Status.CONVERGED
        literal.append((slope * (found.sigma.double().log() - log_star))[ended])
    return rms(torch.cat(ours)) / unit, rms(torch.cat(literal)) / unit


def truths(network: nn.Sequential, images: Tensor, gamma: float, draws: int) -> tuple[Tensor, Tensor]:
    """Return ln σ* and dP/dlnσ there, from the probits at two σ about a first guess, `draws` / 2 at each."""
    guess = (
        persistence(network, images, gamma, samples=4096, generator=Generator().manual_seed(7))
        .sigma.double()
        .log()
    )
    generator = Generator().manual_seed(8)
    labels = network(images).argmax(1)
    fast = channels_innermost(network)  # the same function; a test says so
    below, above = (
        torch.stack(
            [
                torch.special.ndtri(
                    fraction(fast, image, label, float(centre.exp()), draws=draws // 2, generator=generator)
                )
                for image, label, centre in zip(images, labels, guess + side, strict=True)
            ]
        )
        for side in (-STEP, STEP)
    )
    level = torch.special.ndtri(torch.tensor(gamma, dtype=torch.float64))
    slope = (above - below) / (2 * STEP)
    return guess - STEP + (level - below) / slope, slope * torch.exp(-level * level / 2) / math.sqrt(
        2 * math.pi
    )


@torch.no_grad()
def fraction(
    network: nn.Module, image: Tensor, label: Tensor, sigma: float, *, draws: int, generator: Generator
) -> Tensor:
    """Return the share of independent draws from N(x, σ²I) with the label."""
    batches, kept = draws // 250, torch.zeros((), dtype=torch.float64)
    for _ in range(batches):
        noise = torch.randn((250, *image.shape), generator=generator)
        kept += (network(image + sigma * noise).argmax(1) == label).sum()
    return kept / (250 * batches)


def curve_errors(
    network: nn.Module, image: Tensor, sigmas: Tensor, samples: int, seeds: int
) -> tuple[float, float]:
    """Return RMS errors of class frequencies over σ, classes and seeds, each in its own binomial unit.

    Frequencies below 0.02 or above 0.98 are left out: there 1000 samples hold too few events for the unit.
    """
    truth = literal_curve(network, image, sigmas, CURVE, Generator().manual_seed(9)).double() / (CURVE)
    told = (truth > 0.02) & (truth < 0.98)
    unit = (truth * (1 - truth) / PLAIN).sqrt()[told]
    ours, literal = [], []
    for seed in range(seeds):
        generator = Generator().manual_seed(300 + seed)
        counts = class_frequencies(
            network, image[None], sigmas, samples=samples, noise="sobol", generator=generator
        )[0]
        ours.append((counts / samples - truth)[told] / unit)
    for seed in range(2):
        counts = literal_curve(network, image, sigmas, PLAIN, Generator().manual_seed(400 + seed))
        literal.append((counts / PLAIN - truth)[told] / unit)
    return rms(torch.cat(ours)), rms(torch.cat(literal))


def rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
