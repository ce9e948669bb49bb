r"""Where on a chord of parameters a module has kinks: changes of its switches, found by bisection.

The switch of a rectifier is the sign of what it reads; those of a maximum over windows, the places it takes.
Between changes a network of affine maps, rectifiers and maxima is a polynomial in $t$. A forward pass tells
the states of all switches at once, at a small part of the cost of a Jacobian.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn
from torch.nn.functional import max_pool2d

from neighborhoods.kernels.chord_nodes import Pieces, split

SIGNS = (nn.ReLU, nn.LeakyReLU)
FIRST = 4  # equal parts of the chord; a switch that changes and changes back within one may be missed
NEARER = 32  # times than the tolerance kinks are located, since their errors add up
MOST_KINKS = 256  # of a point, on average; more are left to the estimate of quadrature

Signature = Callable[[Tensor, Tensor], Tensor]
"""Positions `(n,)` and points `(n, *shape)`, to integers `(n,)` that differ where states of switches do."""


class Changes(NamedTuple):
    """Intervals of the chord of a point, and the signatures at their ends, which differ."""

    owner: Int64[Tensor, " n"]
    low: Float[Tensor, " n"]
    high: Float[Tensor, " n"]
    before: Int64[Tensor, " n"]
    after: Int64[Tensor, " n"]


def module_pieces(signature: Signature, points: Float[Tensor, " m *shape"], tolerance: float) -> Pieces:
    r"""Return intervals of [0, 1] between the changes of switches, for each point; [0, 1] if none changes.

    Args:
        signature: states of the switches of a module at given positions and points.
        points: the points.
        tolerance: the error that kinks may cause together, relative to the steps of the integrand at them;
            each is located much nearer than that.
    """
    owner = torch.arange(len(points), device=points.device)
    whole = Pieces(owner, points.new_zeros(len(points)), points.new_ones(len(points)))
    edges = torch.linspace(0, 1, FIRST + 1, dtype=points.dtype, device=points.device)
    marks = [signature(t.expand(len(points)), points) for t in edges]
    parts = [
        _changed(owner, low.expand(len(points)), high.expand(len(points)), before, after)
        for low, high, before, after in zip(edges[:-1], edges[1:], marks[:-1], marks[1:], strict=True)
    ]
    live = _joined(parts)
    for _ in range(math.ceil(-math.log2(tolerance * FIRST / NEARER))):
        if not 0 < len(live.owner) <= MOST_KINKS * len(points):
            break
        live = _halved(live, signature, points)
    found = len(live.owner) <= MOST_KINKS * len(points)
    return split(whole, live.owner, (live.low + live.high) / 2) if found else whole


def switches(network: nn.Module, call: Callable[[], object]) -> Int64[Tensor, " switches"]:
    """Return the states of all switches of a network while something calls it."""
    states = [torch.zeros(0, dtype=torch.int64)]

    def note(module: nn.Module, inputs: tuple[Tensor], _: object) -> None:
        states.append(_state(module, inputs[0]).flatten())

    hooks = [
        m.register_forward_hook(note) for m in network.modules() if isinstance(m, (*SIGNS, nn.MaxPool2d))
    ]
    try:
        call()
    finally:
        for hook in hooks:
            hook.remove()
    return torch.cat([state.to(states[-1].device) for state in states])


def signed(states: Int64[Tensor, "n switches"]) -> Int64[Tensor, " n"]:
    """Return one integer for the states of each row: others have another one, but for odds of about 2^-60."""
    weights = torch.randint(-(2**62), 2**62, states.shape[1:], generator=Generator().manual_seed(0))
    return (states * weights.to(states.device)).sum(1)


def _state(module: nn.Module, inputs: Tensor) -> Tensor:
    if not isinstance(module, nn.MaxPool2d):
        return inputs > 0
    window = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode)
    return max_pool2d(inputs, *window, return_indices=True)[1]


def _changed(owner: Tensor, low: Tensor, high: Tensor, before: Tensor, after: Tensor) -> Changes:
    chosen = before != after
    return Changes(owner[chosen], low[chosen], high[chosen], before[chosen], after[chosen])


def _joined(parts: list[Changes]) -> Changes:
    return Changes(*(torch.cat(same) for same in zip(*parts, strict=True)))


def _halved(live: Changes, signature: Signature, points: Tensor) -> Changes:
    """Halve each interval and keep the halves on which something changes."""
    middle = (live.low + live.high) / 2
    mark = signature(middle, points[live.owner])
    return _joined(
        [
            _changed(live.owner, live.low, middle, live.before, mark),
            _changed(live.owner, middle, live.high, mark, live.after),
        ]
    )
