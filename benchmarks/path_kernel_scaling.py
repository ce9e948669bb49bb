"""Measure how the cost of a path kernel grows with each size, and write the table that the book plots.

One size at a time is varied, or two widths together; the others stay at those of 784-128-10 with 100 queries
and 1000 examples, or 25 and 250 with a second hidden layer, which is smooth: its number of nodes does not
depend on widths.
Seconds are those of the processor for one step, the least of some rounds through all settings, on one thread
in float32. Operations are counted, not timed: multiplications and additions of all matrix products, and those
of the products of Jacobians alone for comparison. Data are random.

    python benchmarks/path_kernel_scaling.py [--rounds 5]
"""

import argparse
import time
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from neighborhoods.kernels.path_kernel import attribution, path_kernel
from neighborhoods.kernels.trajectories import Trajectory
from torch import Generator, Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

TABLE = Path(__file__).parents[1] / "results" / "benchmarks" / "path_kernel_scaling.csv"
CLASSES, STEPS = 10, 5
START, SHIFT = 0.03, 1e-3  # spread of the first parameters, and of a step
TOLERANCE = 1e-3
LEFT = {"mm": 0, "bmm": 0, "addmm": 1, "addmm_": 1}  # which argument is the left factor


@dataclass(frozen=True)
class Sizes:
    """Sizes of a problem; without a second hidden layer that is 0."""

    queries: int = 100
    examples: int = 1000
    inputs: int = 784
    hidden: int = 128
    second: int = 0


DEEP = Sizes(queries=25, examples=250)
VARIED = {
    "queries": (Sizes(), ["queries"], (50, 100, 200, 400)),
    "examples": (Sizes(), ["examples"], (500, 1000, 2000, 4000)),
    "inputs": (Sizes(), ["inputs"], (196, 392, 784, 1568)),
    "hidden": (Sizes(), ["hidden"], (64, 128, 256, 512)),
    "inputs and hidden": (Sizes(), ["inputs", "hidden"], (128, 256, 512, 1024)),
    "second hidden": (DEEP, ["second"], (64, 128, 256, 512)),
}


class Problem(NamedTuple):
    """A network with the number of its parameters, a run of some steps, and random data."""

    network: nn.Module
    size: int
    run: Trajectory
    queries: Tensor
    examples: Tensor
    classes: Tensor


def problem(sizes: Sizes) -> Problem:
    """Draw a problem of the given sizes."""
    generator = Generator().manual_seed(0)
    widths = [sizes.inputs, sizes.hidden, *([sizes.second] if sizes.second else []), CLASSES]
    act = nn.Tanh if sizes.second else nn.ReLU
    layers = [part for pair in pairwise(widths) for part in (nn.Linear(*pair), act())][:-1]
    size = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    states = torch.randn(STEPS + 1, size, generator=generator).mul_(SHIFT)
    states[0] *= START / SHIFT
    return Problem(
        nn.Sequential(*layers),
        size,
        Trajectory(states.cumsum(0), torch.ones(STEPS, dtype=torch.float64)),
        torch.randn(sizes.queries, sizes.inputs, generator=generator),
        torch.randn(sizes.examples, sizes.inputs, generator=generator),
        torch.randint(0, CLASSES, (sizes.examples,), generator=generator),
    )


def compute(given: Problem, output: str) -> float:
    """Compute the full tensor or attribution, and return the seconds of a step."""
    network, _, run, queries, examples, classes = given
    start = time.process_time()
    if output == "full":
        path_kernel(network, run, queries, examples, tolerance=TOLERANCE)
    else:
        attribution(network, run, queries, examples, classes, tolerance=TOLERANCE)
    return (time.process_time() - start) / STEPS


def operations(given: Problem, output: str) -> float:
    """Count the operations of a step, in 10^9."""
    with Counter() as counter:
        compute(given, output)
    return counter.total / STEPS / 1e9


class Counter(TorchDispatchMode):
    """Counts the operations of matrix products while it is entered."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do what was asked, and count."""
        found = func(*args, **(kwargs or {}))
        left = LEFT.get(func.overloadpacket.__name__)
        if left is not None:
            self.total += 2 * found.numel() * args[left].shape[-1]
        return found


def main() -> None:
    """Measure all settings in turns, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    cases = [
        (output, name, value, replace(sizes, **dict.fromkeys(fields, value)))
        for output in ("full", "attribution")
        for name, (sizes, fields, values) in VARIED.items()
        for value in values
    ]
    least = [float("inf")] * len(cases)
    for _ in range(rounds):
        for index, (output, *_, sizes) in enumerate(cases):
            least[index] = min(least[index], compute(problem(sizes), output))
    rows = []
    for (output, name, value, sizes), seconds in zip(cases, least, strict=True):
        given = problem(sizes)
        products = 2 * sizes.queries * sizes.examples * CLASSES**2 * given.size / 1e9
        rows.append((output, name, value, seconds, operations(given, output), products))
    columns = ["output", "varied", "value", "seconds", "gflop", "gflop_of_jacobian_products"]
    pd.DataFrame(rows, columns=columns).to_csv(TABLE, index=False, float_format="%.4g")
    print(TABLE.read_text())


if __name__ == "__main__":
    main()
