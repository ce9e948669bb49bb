"""The book's attacks against those of other packages, on the same pairs of image and target.

Ours and theirs run in turn in one process on one thread, a batch each, with other images in each repetition.
Times are those of the processor. The errors are mean distortions of the pairs that both reach.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from lbfgs import pairs
from neighborhoods.kernels.attacks import igsm
from neighborhoods.kernels.carlini_wagner import carlini_wagner
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.models.packaged_attacks import attack
from neighborhoods.studies.background import peers
from torch import Tensor, nn

Run = Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor]
SIGNS = {"epsilon": 0.25, "alpha": 0.01, "steps": 100}
ART = {"binary_search_steps": 10, "max_iter": 30, "learning_rate": 0.1, "initial_const": 0.1}
PENALTIES = {"steps": 300, "binary_search_steps": 9, "stepsize": 0.05, "initial_const": 0.1}


@dataclass(frozen=True)
class Duel:
    """Ours and theirs, each from network, images, labels and targets to attacked images.

    Attributes:
        package: what theirs needs.
        images: how many are attacked in a repetition, towards the nine other classes each.
    """

    ours: Run
    theirs: Run
    settings: str
    package: str
    images: int = 20


@dataclass(frozen=True)
class Outcome:
    """Seconds per pair, share reached, and mean distortion of the pairs that both reach."""

    seconds: float
    success: float
    distortion: float


def lbfgs(starts: int) -> Run:
    return lambda n, x, y, t: (
        minimum_distortion(n, x, t, starts=starts, generator=torch.Generator().manual_seed(0)).points
    )


def art_carlini_wagner(network: nn.Module, points: Tensor, targets: Tensor) -> Tensor:
    """Run the attack of IBM's ART on the whole batch, with settings that reach nearly all targets."""
    from art.attacks.evasion import CarliniL2Method  # noqa: PLC0415 (an optional package)
    from art.estimators.classification import PyTorchClassifier  # noqa: PLC0415

    loss, shape = nn.CrossEntropyLoss(), tuple(points.shape[1:])
    classifier = PyTorchClassifier(network, loss, shape, 10, clip_values=(0, 1), device_type="cpu")
    found = CarliniL2Method(classifier, targeted=True, batch_size=len(points), verbose=False, **ART)
    return torch.from_numpy(found.generate(points.numpy(), nn.functional.one_hot(targets, 10).numpy()))


DUELS = {
    "attacks/DDN": Duel(
        lbfgs(1),
        lambda n, x, y, t: peers.nearest("DDN", n, x, t, steps=300),
        "L-BFGS against foolbox's DDN of 300 steps",
        "foolbox",
        images=4,
    ),
    "attacks/C&W": Duel(
        lbfgs(12),
        lambda n, x, y, t: peers.nearest("C&W", n, x, t, **PENALTIES),
        "L-BFGS from 12 starts against foolbox's C&W of 9 x 300 steps",
        "foolbox",
        images=4,
    ),
    "attacks/FMN": Duel(
        lbfgs(1),
        lambda n, x, y, t: peers.nearest("FMN", n, x, t, steps=300, max_stepsize=0.1),
        "L-BFGS against foolbox's FMN of 300 steps",
        "foolbox",
        images=4,
    ),
    "attacks/ART": Duel(
        lbfgs(1),
        lambda n, x, y, t: art_carlini_wagner(n, x, t),
        "L-BFGS against ART's Carlini-Wagner of 10 x 30 steps",
        "art",
        images=2,
    ),
    "attacks/CW": Duel(
        lambda n, x, y, t: carlini_wagner(n, x, y, targets=t).points,
        lambda n, x, y, t: peers.nearest("C&W", n, x, t, **PENALTIES),
        "our Carlini-Wagner of 5 x 100 steps against foolbox's of 9 x 300",
        "foolbox",
        images=4,
    ),
    "attacks/IGSM": Duel(
        lambda n, x, y, t: igsm(n, x, y, targets=t, **SIGNS).points,
        lambda n, x, y, t: attack("BIM", n, x, y, targets=t, **SIGNS).points,
        "IGSM, which stops at its first success, against torchattacks' BIM with the same settings",
        "torchattacks",
    ),
    "attacks/speed": Duel(
        lambda n, x, y, t: igsm(n, x, y, targets=t, **SIGNS).points,
        lbfgs(1),
        "IGSM against L-BFGS, which the draft calls the slower one",
        "torch",
    ),
}


def fight(
    duel: Duel, network: nn.Module, images: Tensor, labels: Tensor, repetitions: int
) -> list[tuple[Outcome, Outcome]]:
    """Run both in turn on the same pairs, with other images in each repetition."""
    for run in (duel.ours, duel.theirs):
        run(network, images[:2], labels[:2], (labels[:2] + 1) % 10)
    parts = zip(images.chunk(repetitions), labels.chunk(repetitions), strict=True)
    return [_both(duel, network, x, y) for x, y in parts]


def _both(duel: Duel, network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Outcome, Outcome]:
    points, targets = pairs(images, labels)
    own = labels.repeat_interleave(9)
    found, seconds = [], []
    for run in (duel.ours, duel.theirs):
        start = time.process_time()
        found.append(run(network, points, own, targets))
        seconds.append((time.process_time() - start) / len(points))
    with torch.no_grad():
        reached = [network(moved).argmax(1) == targets for moved in found]
    both = reached[0] & reached[1]
    lengths = [(moved - points).flatten(1).square().mean(1).sqrt()[both].mean() for moved in found]
    first, second = (
        Outcome(time_, float(share.float().mean()), float(length))
        for time_, share, length in zip(seconds, reached, lengths, strict=True)
    )
    return first, second
