"""Crossings of segments between images: all in lockstep, and one at a time by the same bisection."""

import time
from dataclasses import dataclass

import torch
from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.statistics import Status, labels_of
from torch import Tensor, nn

ITERATIONS, IMAGES, SINGLE = 30, 2000, 100
NOTE = (
    f"per segment, up to {IMAGES // 2} segments a call, {ITERATIONS} halvings, against one at a time; "
    f"error: greatest difference of {SINGLE} crossings, in parts of the segment"
)


@dataclass(frozen=True)
class Duel:
    """Seconds a segment in lockstep and one at a time, and the greatest difference of their crossings."""

    ours: float
    reference: float
    difference: float


def duel(network: nn.Module, images: Tensor) -> Duel:
    """Bisect the segments between the halves of the images, a few of them one at a time, too."""
    start, end = images.chunk(2)
    across = labels_of(network, start) != labels_of(network, end)
    start, end = start[across], end[across]
    begin = time.perf_counter()
    found = crossing(network, start, end, iterations=ITERATIONS)
    middle = time.perf_counter()
    ones = torch.tensor([bisected(network, start[row], end[row]) for row in range(SINGLE)])
    last = time.perf_counter()
    if int((found.status != Status.CONVERGED).sum()):
        raise RuntimeError("a segment between two classes had no crossing")
    apart = (found.fraction[:SINGLE] - ones).abs().max()
    return Duel((middle - begin) / len(start), (last - middle) / SINGLE, float(apart))


@torch.no_grad()
def bisected(network: nn.Module, start: Tensor, end: Tensor) -> float:
    """Return where one segment enters the class of its end."""
    goal = int(network(end[None]).argmax())
    near, far = 0.0, 1.0
    for _ in range(ITERATIONS):
        middle = (near + far) / 2
        if int(network((start + middle * (end - start))[None]).argmax()) == goal:
            far = middle
        else:
            near = middle
    return (near + far) / 2
