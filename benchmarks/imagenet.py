"""Persistence of photographs under pretrained networks: ours against Algorithm 1 at about equal error.

Algorithm 1 takes 200 samples a look in place of its thousand, which would take minutes a photograph, and ours
256 points of Sobol noise: the row states both errors, in units of the standard error of 1000 independent
samples. The literal runs that are timed are those that are judged.
"""

import math
import statistics
import time
from dataclasses import dataclass

import torch
from accuracy import fraction, rms
from neighborhoods.kernels.bracketing import bracketing
from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.images import photographs, twenty
from neighborhoods.models.pretrained import load
from torch import Generator, Tensor, nn

SAMPLES, LITERAL, PLAIN = 256, 200, 1000
DRAWS = 4000  # behind the truth of a photograph
STEP = 0.03  # their distance from the first guess, in ln σ
SEEDS = 4
BIRDS = (17, 15)  # photographs of the twenty: a bald eagle and a goose, which every network gets right


class Passes(nn.Module):
    """A network asked about two images at a time, or the samples of Algorithm 1 would fill the memory."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([self.network(part) for part in images.split(2)])


@dataclass(frozen=True)
class Duel:
    """Seconds a photograph, by seed and by photograph, and root mean square errors."""

    ours: list[float]
    literal: list[float]
    errors: tuple[float, float]
    capped: int


def duel(name: str, gamma: float) -> Duel:
    """Measure photographs in both ways; literal runs that are capped count in time and not in errors."""
    found = load(name)
    images = photographs(twenty(), found.classes, side=found.side, shorter=found.shorter, smooth=found.smooth)
    points = images.points[list(BIRDS)]
    ours, sigmas = [], []
    for seed in range(SEEDS):
        start = time.perf_counter()
        generator = Generator().manual_seed(seed)
        measured = persistence(found.network, points, gamma, samples=SAMPLES, generator=generator)
        ours.append((time.perf_counter() - start) / len(points))
        sigmas.append(measured.sigma.double().log())
    guess = torch.stack(sigmas).mean(0)
    literal, printed = [], []
    network = Passes(found.network)
    for place, image in enumerate(points):
        start = time.perf_counter()
        generator = Generator().manual_seed(100 + place)
        printed.append(bracketing(network, image[None], gamma, samples=LITERAL, generator=generator))
        literal.append(time.perf_counter() - start)
    truth, slope = zip(
        *(_truth(network, image, float(at), gamma) for image, at in zip(points, guess, strict=True)),
        strict=True,
    )
    unit = math.sqrt(gamma * (1 - gamma) / PLAIN)
    own = [slope[k] * (float(each[k]) - truth[k]) for each in sigmas for k in range(len(points))]
    done = [k for k, each in enumerate(printed) if int(each.status) == Status.CONVERGED]
    theirs = [slope[k] * (math.log(float(printed[k].sigma)) - truth[k]) for k in done]
    errors = rms(torch.tensor(own)) / unit, rms(torch.tensor(theirs)) / unit if theirs else math.nan
    return Duel(ours, literal, errors, len(points) - len(done))


def note(found: Duel) -> str:
    """Say what the row rests on."""
    return (
        f"{len(BIRDS)} photographs a call, {SAMPLES} Sobol samples against {LITERAL} a look of Algorithm 1, "
        f"{found.capped} of whose runs were capped; errors over {SEEDS} seeds and over the literal runs "
        f"against {DRAWS} draws; {statistics.median(found.literal):.1f} s a photograph"
    )


def _truth(network: nn.Module, image: Tensor, guess: float, gamma: float) -> tuple[float, float]:
    """Return ln σ* and dP/dlnσ there, from the probits at two σ about a guess."""
    generator, label = Generator().manual_seed(8), labels_of(network, image[None])[0]
    below, above = (
        float(
            torch.special.ndtri(
                fraction(network, image, label, math.exp(guess + side), draws=DRAWS // 2, generator=generator)
            )
        )
        for side in (-STEP, STEP)
    )
    normal = statistics.NormalDist()
    level, slope = normal.inv_cdf(gamma), (above - below) / (2 * STEP)
    return guess - STEP + (level - below) / slope, slope * normal.pdf(level)
