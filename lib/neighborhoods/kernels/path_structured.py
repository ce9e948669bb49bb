r"""Path kernels of chains under plain gradient steps, by matrix products of factors only.

The first layer's products of inputs $x\cdot x_i + 1$ are the same at every step, so for one hidden layer they
are multiplied in once at the end: a step is then one matrix product added in place.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neighborhoods.kernels.chains import Chain, Chord, outputs_of, trace, unpack
from neighborhoods.kernels.path_factors import Averaged, Factor, averaged, traced
from neighborhoods.kernels.path_report import Report, ledger, note, report
from neighborhoods.kernels.trajectories import Step, Trajectory, steps

Cotangents = Callable[[Tensor, slice | Tensor], Tensor]
r"""Outputs `(rows, K)` and the rows they belong to, to $\partial L/\partial\hat y$ `(rows, K)`."""


class Problem(NamedTuple):
    """What a path kernel is asked of; `cotangents` is None for the full tensor."""

    chain: Chain
    trajectory: Trajectory
    points: Float[Tensor, "m in"]
    training: Float[Tensor, "M inputs"]
    cotangents: Cotangents | None
    tolerance: float
    memory: int
    last_only: bool

    @property
    def width(self) -> int:
        """Columns of the result for each training example: K for the full tensor, 1 for attribution."""
        return self.chain.outputs if self.cotangents is None else 1

    @property
    def deferred(self) -> bool:
        """Whether only the first layer has sensitivities: one hidden layer and no head."""
        return len(self.chain.shapes) == 2 and self.chain.head is None and not self.last_only


def accumulate(problem: Problem) -> tuple[Float[Tensor, "m K M r"], Report]:
    r"""Return $\sum_s \varepsilon_s c_s\langle G_s(x), g_s(x_i)\rangle$, or that against the cotangents.

    Raises:
        ValueError: bad states or rows (see `trajectories.steps`), or a budget too small for one example.
    """
    chain, m, M = problem.chain, len(problem.points), len(problem.training)
    result = problem.points.new_zeros((m, chain.outputs, M, problem.width))
    # The last layer is kept apart: a part of the result in attribution, of its diagonal in the full tensor.
    shape = (m, M) if problem.cotangents is None else result.shape
    last = result.new_zeros(shape) if problem.deferred else None
    worst, count, before = ledger(len(problem.trajectory.rates)), 2, None
    size = sum(out * (inputs + biased) for out, inputs, biased in chain.shapes)
    for step in steps(problem.trajectory, size, M):
        chord = _chord(chain, step)
        query = averaged(chain, chord, problem.points, tolerance=problem.tolerance, count=count)
        before, count = _note(problem, step, query, before, worst), max(2, query.rule // 4)
        for rows in _tiles(problem, query, step, last):
            _add(problem, step, chord, query.factors, rows=rows, result=result, last=last)
    if last is not None:
        _finish(problem, result, last)
    return result, report(worst, problem.tolerance)


def _chord(chain: Chain, step: Step) -> Chord:
    return Chord(unpack(chain, step.start), unpack(chain, step.end - step.start))


def _note(problem: Problem, step: Step, query: Averaged, before: Tensor | None, worst: Tensor) -> Tensor:
    """Compare the step's change with that of the network, and return the outputs after it."""
    chain, points = problem.chain, problem.points
    if before is None:
        before = outputs_of(chain, trace(chain, Chord(unpack(chain, step.start), None), points))
    after = outputs_of(chain, trace(chain, Chord(unpack(chain, step.end), None), points))
    note(worst, step.number, query.change - (after - before), query.estimate, query.nodes)
    return after


def _tiles(problem: Problem, query: Averaged, step: Step, last: Tensor | None) -> Iterator[slice | Tensor]:
    """Yield the rows of the step's batch in parts that fit the budget."""
    item, K, r = problem.points.element_size(), problem.chain.outputs, problem.width
    widths = sum(shape[0] for shape in problem.chain.shapes)
    n = max(len(factor.activation) for factor in query.factors)
    held = [last, *(part for factor in query.factors for part in factor[:2])]
    fixed = item * sum(tensor.numel() for tensor in held if isinstance(tensor, Tensor))
    each = item * (3 * (r + 1) * widths + problem.chain.shapes[0][1])
    each += item * (2 * n * (K * r + 1) if not problem.deferred or step.rows is not None else n)
    tile = (problem.memory - fixed) // each
    if tile < 1:
        raise ValueError(f"memory: got {problem.memory} bytes; step {step.number} requires {fixed + each}")
    count = len(problem.training) if step.rows is None else len(step.rows)
    for first in range(0, count, tile):
        part = slice(first, min(first + tile, count))
        yield part if step.rows is None else step.rows[part]


def _add(
    problem: Problem,
    step: Step,
    chord: Chord,
    query: list[Factor],
    *,
    rows: slice | Tensor,
    result: Tensor,
    last: Tensor | None,
) -> None:
    """Add the contributions of some training examples at one step."""
    start = Chord(chord.start, None)
    found = trace(problem.chain, start, problem.training[rows])
    seed, factor = None, step.rate * step.share
    if problem.cotangents is not None:
        seed = problem.cotangents(outputs_of(problem.chain, found), rows)[:, None, :] * -factor
        factor = 1.0
    examples = traced(problem.chain, start, found, seed)
    if last is not None:
        _add_flat(result, query[0], examples[0], rows, factor)
        _add_last(last, query[1], examples[1], rows, factor)
        return
    for own, other in zip(query, examples, strict=True):
        if not problem.last_only or own is query[-1]:
            block = product(own, other, len(problem.points), problem.chain.outputs).mul_(factor)
            _add_rows(result, block, rows)


def _add_rows(result: Tensor, block: Tensor, rows: slice | Tensor) -> None:
    if isinstance(rows, slice):
        result[:, :, rows] += block
    else:
        result.index_add_(2, rows, block)


def _add_flat(result: Tensor, own: Factor, other: Factor, rows: slice | Tensor, factor: float) -> None:
    """Add products of first-layer sensitivities in place; those of the inputs follow at the end."""
    m, K, M, r = result.shape
    if own.delta is None or other.delta is None:
        raise AssertionError("a layer below another one has sensitivities")
    left, right = own.delta.flatten(0, 1), other.delta.flatten(0, 1).T
    if isinstance(rows, slice):
        columns = slice(rows.start * r, rows.stop * r)
        result.view(m * K, M * r)[:, columns].addmm_(left, right, alpha=factor)
    else:
        result.index_add_(2, rows, (left @ right).view(m, K, -1, r), alpha=factor)


def _add_last(last: Tensor, own: Factor, other: Factor, rows: slice | Tensor, factor: float) -> None:
    """Add the last layer: inner products of activations, times the seed where there is one."""
    inner = own.activation @ other.activation.T + float(own.biased)
    if other.delta is None:
        if isinstance(rows, slice):
            last[:, rows] += factor * inner
        else:
            last.index_add_(1, rows, inner, alpha=factor)
        return
    seed = other.delta[:, 0].T.contiguous()
    if isinstance(rows, slice):
        last[:, :, rows, 0].addcmul_(inner[:, None], seed)
    else:
        last.index_add_(2, rows, (inner[:, None] * seed)[..., None])


def product(own: Factor, other: Factor, count: int, outputs: int) -> Float[Tensor, "m K M r"]:
    r"""Return one layer's products of gradients, $(\delta\cdot\delta')(a\cdot a' + 1)$, summed over nodes."""
    inner = own.activation @ other.activation.T
    if own.biased:
        inner += 1
    identity = torch.eye(outputs, dtype=inner.dtype, device=inner.device)
    if own.delta is None or other.delta is None:
        seed = identity[:, None] if other.delta is None else other.delta.permute(2, 0, 1)
        return inner[:, None, :, None] * seed
    (n, K, h), (M, r) = own.delta.shape, other.delta.shape[:2]
    block = (own.delta.reshape(n * K, h) @ other.delta.reshape(M * r, h).T).view(n, K, M, r)
    block *= inner[:, None, :, None]
    return block if own.owner is None else block.new_zeros((count, K, M, r)).index_add_(0, own.owner, block)


def _finish(problem: Problem, result: Tensor, last: Tensor) -> None:
    """Multiply the first layer's products of inputs in, and add the last layer."""
    inner = problem.points @ problem.training.T + float(problem.chain.shapes[0][2])
    result *= inner[:, None, :, None]
    if problem.cotangents is None:
        result.diagonal(dim1=1, dim2=3).add_(last[:, :, None])
    else:
        result += last
