r"""Path kernels by dense gradients: any module, and any rule of training that is linear in the gradients.

Momentum, adaptive scales and weight decay spread one gradient over later steps. Running backward over the
steps, what a unit of $\nabla L_r$ changes is gathered on the side of the query, $\bar G_r(x)$: the
cost does not grow with the number of steps that a gradient acts on.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neighborhoods.kernels.path_features import Features
from neighborhoods.kernels.path_report import Report, ledger, note, report
from neighborhoods.kernels.path_structured import Cotangents
from neighborhoods.kernels.trajectories import Rule, Step, Trajectory, read, steps


class DenseProblem(NamedTuple):
    """What a path kernel is asked of; `cotangents` is None for the full tensor."""

    features: Features
    trajectory: Trajectory
    points: Float[Tensor, " m *shape"]
    training: Float[Tensor, " M *inputs"]
    cotangents: Cotangents | None
    tolerance: float
    memory: int
    sketch: Float[Tensor, "parameters d"] | None


class Covectors(NamedTuple):
    """What a unit change of momentum or of parameters after a step changes in the outputs at the end."""

    momentum: Float[Tensor, "m K parameters"]
    parameters: Float[Tensor, "m K parameters"]


def accumulate(
    problem: DenseProblem, outputs: int
) -> tuple[Float[Tensor, "m K M r"], Float[Tensor, "m K"], Report]:
    """Return the kernel or the attribution, the part of the initial parameters $w_0$, and the report.

    Raises:
        ValueError: bad states or rows (see `trajectories.steps`), or a budget too small for one example.
    """
    m, M, r = len(problem.points), len(problem.training), outputs if problem.cotangents is None else 1
    result = problem.points.new_zeros((m, outputs, M, r))
    kept = result.new_zeros((m, outputs))
    worst = ledger(len(problem.trajectory.rates))
    problem, group, tile = _sized(problem, outputs, r)
    for first in range(0, m, group):
        part = slice(first, min(first + group, m))
        some = problem._replace(points=problem.points[part])
        _run_backward(some, result[part], kept[part], tile, worst)
    return result, kept, report(worst, problem.tolerance)


def _sized(problem: DenseProblem, outputs: int, r: int) -> tuple[DenseProblem, int, int]:
    """Fit the features into the budget, and return how many queries and examples to hold at once."""
    gradient = problem.points.element_size() * problem.features.size
    # A query holds its average, two covectors and three temporaries; an example its gradient and a copy.
    query, example = 6 * gradient * outputs, 3 * gradient * max(r, 2)
    sketch = 0 if problem.sketch is None else problem.sketch.numel() * problem.sketch.element_size()
    features, rows = problem.features.within((problem.memory - sketch) // 4, gradient * outputs)
    memory, least = problem.memory - sketch - rows, query + example
    if memory < least:
        needed = least + sketch + rows
        raise ValueError(f"memory: got {problem.memory} bytes; one query and example require {needed}")
    group = max(1, min(len(problem.points), (memory - example) * 2 // 3 // query))
    return problem._replace(features=features), group, max(1, (memory - group * query) // example)


def _run_backward(problem: DenseProblem, result: Tensor, kept: Tensor, tile: int, worst: Tensor) -> None:
    features, rule = problem.features, problem.trajectory.rule
    # Nothing is held where the rule never writes: an expanded zero takes no memory.
    empty, shape = result.new_zeros(()), (*result.shape[:2], features.size)
    momentum = result.new_zeros(shape) if rule.momentum else empty.expand(shape)
    decays = rule.penalty or rule.shrinkage
    carried = Covectors(momentum, result.new_zeros(shape) if decays else empty.expand(shape))
    after = None
    for step in steps(problem.trajectory, features.size, len(problem.training), backward=True):
        found = features.averaged(step.start, step.end, problem.points, problem.tolerance)
        if after is None:
            after = features.outputs(step.end, problem.points)
        before = features.outputs(step.start, problem.points)
        change = found.gradient @ (step.end - step.start)
        note(worst, step.number, change - (after - before), found.estimate, found.nodes)
        after = before
        carried = _pull(rule, step, found.gradient, carried)
        _contract(problem, step, carried.momentum, result, tile)
    if decays:
        kept += carried.parameters @ read(problem.trajectory, 0, features.size)


def _pull(rule: Rule, step: Step, gradient: Tensor, later: Covectors) -> Covectors:
    """Pull the covectors back over one step, in place, by the transpose of `trajectories.Rule`."""
    if rule.penalty or rule.shrinkage:
        gradient += later.parameters
    parameters = later.parameters
    if rule.shrinkage:
        parameters.add_(gradient, alpha=-step.rate * rule.shrinkage)
    gradient *= -step.rate if step.scale is None else -step.rate * step.scale
    momentum = later.momentum.mul_(rule.momentum).add_(gradient) if rule.momentum else gradient
    if rule.penalty:
        parameters.add_(momentum, alpha=rule.penalty * rule.gain)
    return Covectors(momentum, parameters)


def _contract(problem: DenseProblem, step: Step, covector: Tensor, result: Tensor, tile: int) -> None:
    """Add the products with the gradients of the step's examples, some at a time."""
    m, K, M, r = result.shape
    count = M if step.rows is None else len(step.rows)
    factor = problem.trajectory.rule.gain * step.share
    left = _project(problem, covector.reshape(m * K, -1))
    for first in range(0, count, tile):
        place = torch.arange(first, min(first + tile, count), device=result.device)
        rows = place if step.rows is None else step.rows[place]
        right = _gradients(problem, step.start, rows)
        block = left @ _project(problem, right.reshape(len(rows) * r, -1)).T
        # The kernel is positive for gradient descent, hence the sign; its product with -dL/dy undoes it.
        sign = -factor if problem.cotangents is None else factor
        result.index_add_(2, rows, block.view(m, K, len(rows), r), alpha=sign)


def _project(problem: DenseProblem, rows: Tensor) -> Tensor:
    return rows if problem.sketch is None else rows @ problem.sketch


def _gradients(problem: DenseProblem, state: Tensor, rows: Tensor) -> Tensor:
    features, inputs = problem.features, problem.training[rows]
    if problem.cotangents is None:
        return features.jacobian(state, inputs)
    seed = problem.cotangents(features.outputs(state, inputs), rows)
    return features.gradient(state, inputs, seed)[:, None]
