"""Path kernels of 784-128-10 on MNIST against Jacobians, averaged first or as the draft does it.

All times are per training step, in float32 on one thread, and those of the processor, so that other
processes do not count; ours are those of a run of 20 steps over 20. The Jacobian reference averages the
Jacobians of the queries over 8 Gauss-Legendre nodes and multiplies them with those of the training examples.
The draft's procedure (literal) takes 100 nodes and all products of gradients at each: it is measured for few
queries, examples and nodes and extrapolated, Jacobians by their number and products by theirs. References run
in parts, and ours after each part, so that both see the same machine. Errors are relative to the greatest
value of the exact kernel in float64.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import jacobians
import torch
from neighborhoods.kernels.path_kernel import attribution, path_kernel
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models import networks
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.trajectory import record
from torch import Generator, Tensor, nn

NAMES = [
    "path_kernel/full_vs_jacobian",
    "path_kernel/full_vs_literal",
    "path_kernel/attribution_vs_jacobian",
    "path_kernel/gemm_fraction",
    "path_kernel/memory",
]
STEPS, QUERIES, EXAMPLES, MANY, CLASSES = 20, 100, 500, 2000, 10
NODES, LITERAL_NODES = 8, 100
FEW_QUERIES, FEW, FEW_NODES = 4, 20, 3  # of the literal procedure as measured
SECONDS, GIBIBYTES = 60, 3  # goals of the run at scale


@dataclass(frozen=True)
class Duel:
    """What a row is made of: seconds a step of ours and of the reference, their errors, and how they ran."""

    name: str
    ours: list[float]
    theirs: list[float]
    errors: tuple[float, float]
    note: str
    threads: int = 1


@dataclass(frozen=True)
class Setting:
    """A recorded run, and what it is asked about."""

    network: nn.Module
    run: Trajectory
    queries: Tensor
    images: Images

    def kernel(self) -> Tensor:
        """Return the full tensor over all steps."""
        return path_kernel(self.network, self.run, self.queries, self.images.points).kernel

    def attributed(self) -> Tensor:
        """Return the contributions over all steps."""
        return attribution(self.network, self.run, self.queries, *self.images).contributions


def duels(names: list[str], repetitions: int) -> Iterator[Duel]:
    """Measure each of the rows that are named."""
    wanted = [name for name in NAMES if name in names and name.endswith("vs_jacobian")]
    if wanted:
        yield from against_jacobians(setting(EXAMPLES), wanted, repetitions)
    if "path_kernel/full_vs_literal" in names:
        yield against_literal(setting(EXAMPLES), repetitions)
    if "path_kernel/gemm_fraction" in names:
        yield against_products(setting(MANY), repetitions)
    if "path_kernel/memory" in names:
        yield at_scale(repetitions)


def setting(examples: int) -> Setting:
    """Train for some steps on so many images, and record it."""
    network = networks.build("FC128-10", generator=Generator().manual_seed(0))
    images = mnist("train", examples)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    run = record(network, optimizer, *images, steps=STEPS)
    return Setting(network, run, mnist("test", QUERIES).points, images)


def against_jacobians(given: Setting, names: list[str], repetitions: int) -> Iterator[Duel]:
    """Time one step by Jacobians averaged over 8 nodes first, and ours."""
    work = {"full": given.kernel, "attribution": given.attributed}
    chosen = {name: work[name.split("/")[1].split("_")[0]] for name in names}
    ours, theirs = {name: [] for name in names}, []
    for _ in range(repetitions):
        states = given.run.states[:2]
        stages = jacobians.averaged_first(
            given.network, *states, given.queries, given.images.points, nodes=NODES
        )
        parts, seconds, own = in_turns(stages, list(chosen.values()))
        theirs.append(sum(seconds))
        for name, times in zip(names, own, strict=True):
            ours[name].append(statistics.mean(times) / STEPS)
    found = torch.cat([part for part in parts if len(part)], 1)
    errors = kernel_errors(given, QUERIES, EXAMPLES, found)
    note = f"m={QUERIES}, M={EXAMPLES}; reference {NODES} nodes, the full tensor, one step"
    for name in names:
        yield Duel(name, ours[name], theirs, errors, note)


def against_literal(given: Setting, repetitions: int) -> Duel:
    """Time ours, and the draft's procedure in small."""
    queries, points = given.queries[:FEW_QUERIES], given.images.points[:FEW]
    (start, end), ours, theirs = given.run.states[:2], [], []
    for _ in range(repetitions):
        own = measured(lambda: jacobians.jacobian(given.network, start, queries))
        other = measured(lambda: jacobians.jacobian(given.network, start, points))
        stages = jacobians.literal(given.network, start, end, queries, points, nodes=FEW_NODES)
        _, seconds, turns = in_turns(stages, [given.kernel])
        products = statistics.mean(seconds) - own - other / FEW_NODES
        share = QUERIES * EXAMPLES / (FEW_QUERIES * FEW)
        whole = LITERAL_NODES * (own * QUERIES / FEW_QUERIES + products * share)
        theirs.append(whole + other * EXAMPLES / FEW)
        ours.append(statistics.mean(turns[0]) / STEPS)
    *_, found = jacobians.literal(given.network, start, end, queries, points, nodes=LITERAL_NODES)
    note = (
        f"literal extrapolated from m={FEW_QUERIES}, M={FEW}, {FEW_NODES} nodes "
        f"to m={QUERIES}, M={EXAMPLES}, {LITERAL_NODES} nodes"
    )
    return Duel(
        "path_kernel/full_vs_literal", ours, theirs, kernel_errors(given, FEW_QUERIES, FEW, found), note
    )


def against_products(given: Setting, repetitions: int) -> Duel:
    """Time ours against its arithmetic at the best rate of products of its shape and of large squares."""
    left, right = torch.randn(QUERIES * CLASSES, 128), torch.randn(128, MANY * CLASSES)
    square, out, result = (
        torch.randn(1024, 1024),
        torch.empty(len(left), right.shape[1]),
        torch.empty(1024, 1024),
    )
    work, ours, products = 2 * left.numel() * right.shape[1], [], []
    given.kernel()
    for _ in range(repetitions):
        own = measured(lambda: torch.mm(left, right, out=out))
        large = measured(lambda: torch.mm(square, square, out=result))
        ours.append(measured(given.kernel) / STEPS)
        own = min(own, measured(lambda: torch.mm(left, right, out=out)))
        large = min(large, measured(lambda: torch.mm(square, square, out=result)))
        products.append(min(own, large * work / (2 * 1024**3)))
    rate = work / min(products) / 1e9
    note = f"m={QUERIES}, M={MANY}; reference: its greatest product, at {rate:.0f} GFLOP/s; ratio = fraction"
    return Duel("path_kernel/gemm_fraction", ours, products, (0.0, 0.0), note)


def at_scale(repetitions: int) -> Duel:
    """Run attribution at scale in a process of its own, on two threads, and take what it says of itself."""
    script = Path(__file__).with_name("path_kernel_memory.py")
    found = [
        json.loads(subprocess.run([sys.executable, script], check=True, capture_output=True).stdout)
        for _ in range(min(2, repetitions))
    ]
    sizes, peak = found[0], max(one["gibibytes"] for one in found)
    note = (
        f"attribution, m={sizes['queries']}, M={sizes['examples']}, all {sizes['steps']} steps, on 2 threads "
        f"together, training aside; reference: the {SECONDS} s allowed; errors: the peak of memory "
        f"of the process, {peak:.2f} GiB, and the {GIBIBYTES} allowed"
    )
    times = [one["seconds"] for one in found]
    return Duel("path_kernel/memory", times, [float(SECONDS)] * len(times), (peak, float(GIBIBYTES)), note, 2)


def in_turns(
    stages: Iterator[Tensor], works: list[Callable[[], Tensor]]
) -> tuple[list[Tensor], list[float], list[list[float]]]:
    """Run each stage of a reference and then each of ours; return the stages, their seconds, and ours."""
    for work in works:
        work()
    parts, theirs, ours = [], [], [[] for _ in works]
    while True:
        start = time.process_time()
        part = next(stages, None)
        seconds = time.process_time() - start
        if part is None:
            return parts, theirs, ours
        parts.append(part)
        theirs.append(seconds)
        for own, work in zip(ours, works, strict=True):
            own.append(measured(work))


def kernel_errors(given: Setting, queries: int, examples: int, theirs: Tensor) -> tuple[float, float]:
    """Return the relative errors of ours and of theirs, for the first step, against ours in float64."""
    points, some = given.queries[:queries], given.images.points[:examples]
    first = Trajectory(given.run.states[:2], given.run.rates[:1])
    exact = Trajectory(first.states.double(), first.rates)
    truth = path_kernel(given.network, exact, points.double(), some.double()).kernel
    ours = path_kernel(given.network, first, points, some).kernel
    scaled = theirs.double() * float(first.rates[0]) / examples
    return tuple(float((found - truth).abs().max() / truth.abs().max()) for found in (ours.double(), scaled))


def measured(work: Callable[[], object]) -> float:
    """Return the seconds of the processor that the work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start
