"""Time our kernels against literal algorithms on networks trained on MNIST, at stated accuracy.

Each repetition times the literal run and ours, one after the other, in one process on one thread in float32.
Images whose literal run is capped or censored are left out of both. Ours measures all images of a repetition
in one call; its pool of noise, the factor of the first layer and the axes of Sobol noise are made in that
call, hence in its time. Errors are in units of the standard error of 1000 independent samples. Sample sizes
were chosen on the first 20 test images (6 for C-32); all that is timed and judged here begins at image 200.
What the rows of path kernels mean is said in `path_kernel.py`.

What the rows against other packages mean is said in `contests.py`; `--only peers` names them all.

    python benchmarks/run.py [--only NAME ...] [--repetitions 5]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import attacks
import imagenet
import lbfgs
import path_kernel
import rays
from accuracy import curve_errors, persistence_errors
from contests import contest_rows
from literal import literal_curve
from neighborhoods.kernels.bracketing import bracketing
from neighborhoods.kernels.persistence import class_frequencies, persistence
from neighborhoods.kernels.statistics import Status
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.training import TrainingSpec, train
from opponents import CONTESTS, PEERS
from table import Row, absent, keep, line, row

GAMMA = 0.7
ATTACKED = 600  # the first test image attacked here; settings of the attack were chosen on earlier ones
PRETRAINED = ("efficientnet-lite0", "squeezenet")
UNSEEN = 200  # the first test image here; sample sizes were chosen on earlier ones


@dataclass(frozen=True)
class Case:
    """One network: how long to train it, how many images to time, and whose errors to measure.

    The truth behind the errors takes `draws` independent samples an image.
    """

    name: str
    network: str
    epochs: int
    images: int
    judged: int
    seeds: int
    samples: int
    draws: int


CASES = [
    Case("FC100", "FC100-20-10", 4, 100, 20, 12, 512, 100_000),
    Case("FC200", "FC200-200-10", 4, 100, 20, 12, 512, 100_000),
    Case("C-4", "C-4", 1, 40, 20, 12, 640, 100_000),
    Case("C-32", "C-32", 1, 5, 8, 25, 640, 20_000),
]
OTHERS = ["curve/FC100", "lbfgs/FC200", "boundary/FC100", "boundary/C-4"]


def main() -> None:
    """Run the cases named on the command line, or all, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [f"persistence/{case.name}" for case in CASES] + OTHERS + path_kernel.NAMES
    photographs = [f"imagenet/{name}" for name in PRETRAINED]
    names += [*photographs, *attacks.DUELS, *CONTESTS]
    parser.add_argument("--only", nargs="+", choices=[*names, "peers"], default=names)
    parser.add_argument("--repetitions", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    only = PEERS if chosen.only == ["peers"] else chosen.only
    rows = []
    for found in measured(only, chosen.repetitions):
        rows.append(found)
        print(line(found), flush=True)
        keep(rows)


def measured(names: list[str], repetitions: int) -> Iterator[Row]:
    """Measure the rows that are named, one after the other."""
    kinds = {"curve": curve_row, "lbfgs": attack_row, "boundary": boundary_row}
    for case in CASES:
        wanted = [name for name in names if name.split("/")[1:] == [case.name]]
        network = trained(case) if wanted else None
        for name in wanted:
            yield kinds.get(name.split("/")[0], persistence_row)(case, network, repetitions)
    for found in path_kernel.duels(names, repetitions):
        made = row(found.name, found.ours, found.theirs, found.errors, found.note)
        yield replace(made, threads=found.threads)
    yield from (photographs_row(name) for name in names if name.startswith("imagenet/"))
    yield from duel_rows([name for name in names if name in attacks.DUELS], repetitions)
    yield from contest_rows([CONTESTS[name] for name in names if name in CONTESTS], repetitions)


def trained(case: Case) -> nn.Sequential:
    """Train the network on all of MNIST."""
    spec = TrainingSpec(
        network=case.network, images=60000, epochs=case.epochs, batch=100, rate=1e-3, penalty=0.0, seed=0
    )
    return networks.load(case.network, train(spec))


def persistence_row(case: Case, network: nn.Sequential, repetitions: int) -> Row:
    """Time 0.7-persistence of test images, other ones in each repetition."""
    images = mnist("test").points[UNSEEN:]
    ours, literal, excluded = [], [], 0
    persistence(network, images[: case.images], GAMMA, samples=case.samples)
    for repetition in range(repetitions):
        some = images[repetition * case.images : (repetition + 1) * case.images]
        kept, seconds = literal_times(network, some, Generator().manual_seed(repetition))
        excluded += len(some) - len(kept)
        literal.append(seconds / len(kept))
        generator = Generator().manual_seed(repetition)
        ours.append(
            timed(persistence, network, kept, GAMMA, samples=case.samples, generator=generator) / len(kept)
        )
    judged = images[: case.judged]
    errors = persistence_errors(
        network, judged, GAMMA, samples=case.samples, seeds=case.seeds, draws=case.draws
    )
    note = (
        f"{case.images} images a call, {case.samples} Sobol samples; "
        f"{excluded} of {case.images * repetitions}"
        f" left out (literal run capped or censored); errors over {case.judged} images from {UNSEEN} on"
        f" x {case.seeds} seeds against {case.draws} draws"
    )
    return row(f"persistence/{case.name}", ours, literal, errors, note)


def literal_times(network: nn.Sequential, images: Tensor, generator: Generator) -> tuple[Tensor, float]:
    """Run Algorithm 1 image by image; return the images on which it converged, and their seconds in all."""
    kept, total = [], 0.0
    for image in images:
        start = time.perf_counter()
        found = bracketing(network, image[None], GAMMA, generator=generator)
        seconds = time.perf_counter() - start
        if int(found.status) == Status.CONVERGED:
            kept.append(image)
            total += seconds
    return torch.stack(kept), total


def curve_row(case: Case, network: nn.Sequential, repetitions: int) -> Row:
    """Time the class frequencies around 10 images at 100 values of σ in (0, 1.6)."""
    images = mnist("test").points[UNSEEN:]
    sigmas = torch.linspace(0, 1.6, 102)[1:-1]
    ours, literal = [], []
    for repetition in range(repetitions):
        some = images[10 * repetition : 10 * repetition + 10]
        generator = Generator().manual_seed(repetition)
        seconds = [timed(literal_curve, network, x, sigmas, 1000, generator) for x in some]
        literal.append(sum(seconds) / 10)
        settings = {"samples": case.samples, "noise": "sobol", "generator": generator}
        ours.append(timed(class_frequencies, network, some, sigmas, **settings) / 10)
    errors = curve_errors(network, images[0], sigmas, case.samples, 20)
    note = (
        f"100 σ, 10 images a call, {case.samples} Sobol samples against 1000 independent ones; "
        f"errors over frequencies in (.02, .98) around image {UNSEEN}, 20 seeds"
    )
    return row("curve/FC100", ours, literal, errors, note)


def attack_row(case: Case, network: nn.Sequential, repetitions: int) -> Row:
    """Time the least-distortion attack on all pairs of image and other class; errors are mean distortions."""
    test, last = mnist("test"), ATTACKED + 50 * repetitions
    duels = lbfgs.duels(network, test.points[ATTACKED:last], test.labels[ATTACKED:last], repetitions)
    told = f"per pair, 450 pairs a call from image {ATTACKED} on, against SciPy's L-BFGS-B pair by pair"
    return outcomes_row(f"lbfgs/{case.name}", duels, f"{told}; error: mean distortion")


def boundary_row(case: Case, network: nn.Sequential, repetitions: int) -> Row:
    """Time crossings of segments between test images of different classes, with other images each time."""
    images = mnist("test").points[UNSEEN:]
    rays.duel(network, images[: rays.IMAGES])
    duels = [rays.duel(network, images[800 * turn :][: rays.IMAGES]) for turn in range(repetitions)]
    worst = max(one.difference for one in duels)
    ours, theirs = [one.ours for one in duels], [one.reference for one in duels]
    return row(f"boundary/{case.name}", ours, theirs, (worst, 0.0), rays.NOTE)


def photographs_row(name: str) -> Row:
    """Time 0.7-persistence of photographs under a pretrained network."""
    found = imagenet.duel(name.partition("/")[2], GAMMA)
    return row(name, found.ours, found.literal, found.errors, imagenet.note(found))


def duel_rows(names: list[str], repetitions: int) -> Iterator[Row]:
    """Time attacks of ours and of other packages, one after the other."""
    names = [name for name in names if not absent(name, attacks.DUELS[name].package)]
    network = trained(CASES[1]) if names else None
    for name in names:
        yield duel_row(name, network, repetitions)


def duel_row(name: str, network: nn.Sequential, repetitions: int) -> Row:
    """Time an attack of ours and another on the same pairs of image and target."""
    duel = attacks.DUELS[name]
    test, last = mnist("test"), ATTACKED + duel.images * repetitions
    images, labels = test.points[ATTACKED:last], test.labels[ATTACKED:last]
    told = f"{duel.settings}; per pair, {9 * duel.images} pairs a call from image {ATTACKED} on"
    outcomes = attacks.fight(duel, network, images, labels, repetitions)
    return outcomes_row(name, outcomes, f"{told}; error: mean distortion where both reach the target")


def outcomes_row(name: str, duels: Iterable[tuple[Any, Any]], told: str) -> Row:
    """Put the outcomes of two attacks on the same pairs into a row; errors are mean distortions."""
    ours, theirs = zip(*duels, strict=True)
    reached, distortion = (
        [statistics.mean(getattr(outcome, part) for outcome in side) for side in (ours, theirs)]
        for part in ("success", "distortion")
    )
    note = (
        f"{told}, {distortion[0]:.5f} against {distortion[1]:.5f}; "
        f"success {reached[0]:.2%} against {reached[1]:.2%}"
    )
    seconds = ([outcome.seconds for outcome in side] for side in (ours, theirs))
    return row(name, *seconds, (distortion[0], distortion[1]), note)


def timed(work: Callable[..., object], *arguments: object, **settings: object) -> float:
    """Return the seconds that the work takes."""
    start = time.perf_counter()
    work(*arguments, **settings)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
