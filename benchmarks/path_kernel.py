"""Time path kernels of 784-128-10 on MNIST against Jacobians, averaged first or as the draft does.

All times are per training step, in float32 on one thread; ours are those of a run of 50 steps over 50. The
Jacobian reference averages the Jacobians of the queries over 8 Gauss-Legendre nodes and multiplies them with
those of the training examples. The draft's procedure (literal) takes 100 nodes and all products of gradients
at each; it is measured for few queries, examples and nodes and extrapolated: Jacobians by their number, and
products by theirs. Errors are relative to the greatest value of the exact kernel in float64.

    python benchmarks/path_kernel.py [--only NAME ...] [--repetitions 5]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, jacrev, vmap

sys.path.insert(0, str(Path(__file__).parent))

from neighborhoods.kernels.path_kernel import attribution, path_kernel
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models import networks
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.trajectory import record
from run import Row, line, row

RESULTS = Path(__file__).with_name("path_kernel.json")
STEPS, QUERIES, EXAMPLES, MANY, CLASSES = 50, 100, 500, 2000, 10
NODES, LITERAL_NODES = 8, 100
NAMES = ["full_vs_jacobian", "full_vs_literal", "attribution_vs_jacobian", "gemm_fraction"]


def main() -> None:
    """Run the rows named on the command line, or all, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [f"path_kernel/{name}" for name in NAMES]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--repetitions", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = rows_of([name.split("/")[1] for name in chosen.only], chosen.repetitions)
    RESULTS.write_text(json.dumps([asdict(one) for one in rows], indent=1) + "\n")


def rows_of(names: list[str], repetitions: int) -> list[Row]:
    """Measure each of the rows and print it."""
    network = networks.build("FC128-10", generator=Generator().manual_seed(0))
    images, queries = mnist("train", MANY), mnist("test", QUERIES).points
    some = Images(images.points[:EXAMPLES], images.labels[:EXAMPLES])
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), *some, steps=STEPS)
    makers: dict[str, Callable[[], Row]] = {
        "full_vs_jacobian": partial(against_jacobians, network, run, queries, some, repetitions, full=True),
        "full_vs_literal": partial(against_literal, network, run, queries, some, repetitions),
        "attribution_vs_jacobian": partial(
            against_jacobians, network, run, queries, some, repetitions, full=False
        ),
        "gemm_fraction": partial(against_products, network, run, queries, images, repetitions),
    }
    rows = []
    for name in names:
        rows.append(makers[name]())
        print(line(rows[-1]), flush=True)
    return rows


def against_jacobians(
    network: nn.Module, run: Trajectory, queries: Tensor, some: Images, repetitions: int, *, full: bool
) -> Row:
    """Time one step by Jacobians averaged over 8 nodes first, and ours."""
    ours = our_times(network, run, queries, some, repetitions, full=full)
    first = Trajectory(run.states[:2], run.rates[:1])
    theirs, seconds = timed(lambda: by_jacobians(network, first, queries, some.points))
    errors = kernel_errors(network, first, queries, some.points, theirs)
    name = "full" if full else "attribution"
    note = f"m={QUERIES}, M={EXAMPLES}; reference {NODES} nodes, the full tensor, one step measured"
    return row(f"path_kernel/{name}_vs_jacobian", ours, [seconds] * repetitions, errors, note)


def against_literal(
    network: nn.Module, run: Trajectory, queries: Tensor, some: Images, repetitions: int
) -> Row:
    """Time ours, and the draft's procedure in small."""
    ours = our_times(network, run, queries, some, repetitions, full=True)
    first = Trajectory(run.states[:2], run.rates[:1])
    m, M, nodes = 4, 20, 3
    own, jacobians = timed(lambda: jacobian(network, run.states[0], queries[:m]))
    other = jacobian(network, run.states[0], some.points[:M])
    products = [timed(lambda: all_products(own, other))[1] for _ in range(nodes)]
    _, training = timed(lambda: jacobian(network, run.states[0], some.points[:M]))
    seconds = jacobians / m * QUERIES * LITERAL_NODES + training / M * EXAMPLES
    seconds += min(products) / (m * M) * QUERIES * EXAMPLES * LITERAL_NODES
    theirs = by_jacobians(network, first, queries[:m], some.points[:M], nodes=LITERAL_NODES, left=True)
    errors = kernel_errors(network, first, queries[:m], some.points[:M], theirs)
    note = (
        f"literal extrapolated from m={m}, M={M}, {nodes} nodes "
        f"to m={QUERIES}, M={EXAMPLES}, {LITERAL_NODES} nodes"
    )
    return row("path_kernel/full_vs_literal", ours, [seconds] * repetitions, errors, note)


def against_products(
    network: nn.Module, run: Trajectory, queries: Tensor, images: Images, repetitions: int
) -> Row:
    """Time ours against its arithmetic at the best rate of products of its shape and of large squares."""
    left, right = torch.randn(QUERIES * CLASSES, 128), torch.randn(128, MANY * CLASSES)
    square = torch.randn(1024, 1024)
    out, result = torch.empty(len(left), right.shape[1]), torch.empty(1024, 1024)
    work = 2 * left.numel() * right.shape[1]
    ours, products = [], []
    for _ in range(repetitions):
        own = timed(lambda: torch.mm(left, right, out=out))[1]
        large = timed(lambda: torch.mm(square, square, out=result))[1]
        products.append(min(own, large * work / (2 * 1024**3)))
        ours += our_times(network, run, queries, images, 1, full=True)
    rate = work / min(products) / 1e9
    note = f"m={QUERIES}, M={MANY}; reference: its greatest product at {rate:.0f} GFLOP/s; ratio = fraction"
    return row("path_kernel/gemm_fraction", ours, products, (0.0, 0.0), note)


def our_times(
    network: nn.Module, run: Trajectory, queries: Tensor, images: Images, repetitions: int, *, full: bool
) -> list[float]:
    """Return the seconds of a step in each repetition, after one to warm up."""

    def work() -> object:
        if full:
            return path_kernel(network, run, queries, images.points)
        return attribution(network, run, queries, *images)

    work()
    return [timed(work)[1] / STEPS for _ in range(repetitions)]


def by_jacobians(
    network: nn.Module,
    run: Trajectory,
    queries: Tensor,
    points: Tensor,
    *,
    nodes: int = NODES,
    left: bool = False,
) -> Tensor:
    """Return the full tensor of one step from Jacobians of the queries averaged over t."""
    start, end = run.states[0], run.states[1]
    x, weights = np.polynomial.legendre.leggauss(nodes)
    places, shares = (
        ((x + 1) / 2, weights / 2) if not left else (np.arange(nodes) / nodes, np.ones(nodes) / nodes)
    )
    mean = torch.zeros(len(queries), CLASSES, len(start))
    for t, share in zip(places.tolist(), shares.tolist(), strict=True):
        mean.add_(jacobian(network, start + t * (end - start), queries), alpha=share)
    blocks = [
        mean.flatten(0, 1) @ jacobian(network, start, part).flatten(0, 1).T for part in points.split(50)
    ]
    kernel = torch.cat([block.view(len(queries), CLASSES, -1, CLASSES) for block in blocks], 2)
    return kernel.transpose(1, 2) * float(run.rates[0]) / len(points)


def jacobian(network: nn.Module, state: Tensor, points: Tensor) -> Tensor:
    """Return the Jacobians of points one by one, as `torch.func` makes them."""
    named = dict(network.named_parameters())
    parts = state.split([value.numel() for value in named.values()])
    parameters = {key: part.view_as(named[key]) for key, part in zip(named, parts, strict=True)}

    def one(values: dict[str, Tensor], point: Tensor) -> Tensor:
        return functional_call(network, values, (point[None],))[0]

    found = vmap(jacrev(one), in_dims=(None, 0), chunk_size=50)(parameters, points)
    return torch.cat([value.detach().flatten(2) for value in found.values()], 2)


def all_products(own: Tensor, other: Tensor) -> Tensor:
    """Return the inner products of gradients pair by pair, K x K at a time, at one node."""
    return torch.stack([torch.stack([one @ two.T for two in other]) for one in own])


def kernel_errors(
    network: nn.Module, run: Trajectory, queries: Tensor, points: Tensor, theirs: Tensor
) -> tuple[float, float]:
    """Return the relative errors of ours and of theirs against ours in float64."""
    exact = Trajectory(run.states.double(), run.rates)
    truth = path_kernel(network, exact, queries.double(), points.double()).kernel
    ours = path_kernel(network, run, queries, points).kernel
    scale = float(truth.abs().max())
    return tuple(float((found.double() - truth).abs().max()) / scale for found in (ours, theirs))


def timed(work: Callable[[], Tensor | object]) -> tuple[Tensor, float]:
    """Return what the work returns, and its seconds."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


if __name__ == "__main__":
    main()
