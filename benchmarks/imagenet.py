"""Persistence of photographs under pretrained networks: ours against Algorithm 1 at about equal error.

Algorithm 1 takes 500 samples a look in place of its thousand, which would take minutes a photograph, and ours
640 points of Sobol noise. The row states both errors, in units of the standard error of 1000 independent
samples. The runs that are timed are those that are judged, runs of Algorithm 1 that are capped neither.
"""

import math
import statistics
import time
from dataclasses import dataclass

import numpy as np
import torch
from accuracy import fraction
from neighborhoods.kernels.bracketing import bracketing
from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.images import photographs, twenty
from neighborhoods.models.pretrained import load
from scipy import stats
from torch import Generator, Tensor, nn

SAMPLES, LITERAL, PLAIN = 640, 500, 1000
DRAWS = 8000  # behind the truth of a photograph
STEP = 0.03  # their distance from the first guess, in ln σ
ROUNDS, EACH = 4, 3  # of both in turn, and how many runs of ours in each
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
    """Seconds a photograph in each round, root mean square errors, and the ends of their 90 % intervals."""

    ours: list[float]
    literal: list[float]
    errors: tuple[float, float]
    ends: tuple[tuple[float, float], tuple[float, float]]
    capped: int


@dataclass(frozen=True)
class Run:
    """One measurement of a photograph: its number, ln σ, seconds, and whether Algorithm 1 was capped."""

    place: int
    log_sigma: float
    seconds: float
    capped: bool = False


def duel(name: str, gamma: float) -> Duel:
    """Measure photographs in both ways, round after round."""
    found = load(name)
    images = photographs(twenty(), found.classes, side=found.side, shorter=found.shorter, smooth=found.smooth)
    points = images.points[list(BIRDS)]
    rounds = [
        (_ours(found.network, points, gamma, seed), _literal(found.network, points, gamma, seed))
        for seed in range(ROUNDS)
    ]
    ours, literal = ([run for pair in rounds for run in pair[side] if not run.capped] for side in (0, 1))
    guesses = [
        statistics.mean(run.log_sigma for run in ours if run.place == place) for place in range(len(points))
    ]
    truth = [
        _truth(found.network, image, guess, gamma, Generator().manual_seed(place))
        for place, (image, guess) in enumerate(zip(points, guesses, strict=True))
    ]
    unit = math.sqrt(gamma * (1 - gamma) / PLAIN)
    errors = [
        np.array([truth[run.place][1] * (run.log_sigma - truth[run.place][0]) / unit for run in runs])
        for runs in (ours, literal)
    ]
    sizes, ends = zip(*map(_root_mean_square, errors), strict=True)
    seconds = [
        [statistics.mean(run.seconds for run in pair[side] if not run.capped) for pair in rounds]
        for side in (0, 1)
    ]
    capped = ROUNDS * len(points) - len(literal)
    return Duel(*seconds, errors=sizes, ends=ends, capped=capped)


def _ours(network: nn.Module, points: Tensor, gamma: float, seed: int) -> list[Run]:
    runs = []
    for number in range(EACH):
        start = time.perf_counter()
        generator = Generator().manual_seed(EACH * seed + number)
        sigma = persistence(network, points, gamma, samples=SAMPLES, generator=generator).sigma
        seconds = (time.perf_counter() - start) / len(points)
        runs += [Run(place, math.log(float(each)), seconds) for place, each in enumerate(sigma)]
    return runs


def _literal(network: nn.Module, points: Tensor, gamma: float, seed: int) -> list[Run]:
    runs = []
    for place, image in enumerate(points):
        start = time.perf_counter()
        generator = Generator().manual_seed(100 + len(points) * seed + place)
        found = bracketing(Passes(network), image[None], gamma, samples=LITERAL, generator=generator)
        capped = int(found.status) != Status.CONVERGED
        runs.append(Run(place, math.log(float(found.sigma)), time.perf_counter() - start, capped))
    return runs


def _root_mean_square(errors: np.ndarray) -> tuple[float, tuple[float, float]]:
    """Return it with the ends of its interval, from resampling."""

    def of(values: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.sqrt(np.square(values).mean(axis))

    ends = stats.bootstrap(
        (errors,), of, confidence_level=0.9, rng=np.random.default_rng(0), vectorized=True
    ).confidence_interval
    return float(of(errors)), (float(ends.low), float(ends.high))


def note(found: Duel) -> str:
    """Say what the row rests on."""
    (low, high), (least, most) = found.ends
    return (
        f"{len(BIRDS)} photographs a call, {SAMPLES} Sobol samples against {LITERAL} a look of "
        f"Algorithm 1, {found.capped} of whose {ROUNDS * len(BIRDS)} runs were capped and left out; errors "
        f"over {ROUNDS * EACH * len(BIRDS)} runs of ours, 90 % [{low:.1f}, {high:.1f}], and its own "
        f"[{least:.1f}, {most:.1f}], against {DRAWS} draws; {statistics.median(found.literal):.1f} s "
        "a photograph"
    )


def _truth(
    network: nn.Module, image: Tensor, guess: float, gamma: float, generator: Generator
) -> tuple[float, float]:
    """Return ln σ* and dP/dlnσ there, from the probits at two σ about a guess."""
    label = labels_of(network, image[None])[0]
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
