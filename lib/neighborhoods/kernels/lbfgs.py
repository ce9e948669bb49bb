"""Many box-constrained minimisations at once: L-BFGS in lockstep, each row with its own steps."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int8, Int64
from torch import Tensor

from neighborhoods.kernels.arguments import checked, require_inside
from neighborhoods.kernels.statistics import Status

Objective = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Maps points `(k, n)` and the rows `(k,)` they belong to, to values `(k,)` and gradients `(k, n)`."""

_DECREASE = 1e-4  # Armijo's share of the slope
_CURVATURE = 1e-6  # least cosine of a step and its change of gradient
_CUTS = 12


class Minimum(NamedTuple):
    """Where the minimisations ended, one row for each start.

    Attributes:
        points: the last points, inside the box.
        values: the objective there, never above that of the start.
        slope: $\\|g_F\\|_2$, the gradient without the coordinates that the box holds.
        evaluations: of value and gradient together.
        status: CONVERGED where the slope or the last decrease is within its tolerance, CENSORED where the
            iterations ran out, UNDECIDED where no step along the direction descends enough, as at a kink.
    """

    points: Float[Tensor, "m n"]
    values: Float[Tensor, " m"]
    slope: Float[Tensor, " m"]
    evaluations: Int64[Tensor, " m"]
    status: Int8[Tensor, " m"]


class _State(NamedTuple):
    """What the rows still under way carry along; `rows` says which of the starts they are."""

    rows: Int64[Tensor, " k"]
    x: Float[Tensor, "k n"]
    value: Float[Tensor, " k"]
    gradient: Float[Tensor, "k n"]
    pairs: Float[Tensor, "k vectors n"]  # steps s, changes of gradient y, in slots used in turn; then g_F

    def take(self, which: Tensor) -> "_State":
        return _State(*(part[which] for part in self))


@checked(memory=1, iterations=0, tolerance=0, decrease=0)
def minimise(
    objective: Objective,
    start: Float[Tensor, "m n"],
    *,
    box: tuple[float, float] = (0.0, 1.0),
    memory: int = 5,
    iterations: int = 100,
    tolerance: float = 1e-5,
    decrease: float = 0.0,
) -> Minimum:
    """Minimise one function for each row over a box, by two-metric projected L-BFGS.

    $$ x \\leftarrow {\\rm Clip}\\{x - t\\,H_{FF}\\,g_F\\}, \\qquad
       F = \\{i : \\text{not } (x_i \\text{ at a face and } -g_i \\text{ outwards})\\}, $$

    where $H_{FF}$ is the free block of the L-BFGS inverse built from the row's own pairs, and $t$ the first
    of 1 and its safeguarded parabolic cuts with sufficient decrease. Rows do not influence each other.

    Args:
        objective: see `Objective`; differentiable, defined on the box.
        start: starting points in the box, one row each.
        box: least and greatest coordinate; infinite values are allowed.
        memory: pairs kept for each row.
        iterations: greatest number of steps.
        tolerance: the slope to reach, in the unit of the objective over that of the points.
        decrease: a step that lowers the value by less than this times the greater of 1 and
            the value ends the row.

    Raises:
        ValueError: a number outside its range, or a start outside the box.

    Source: Liu and Nocedal (1989); the projection after Bertsekas (1982), Gafni and Bertsekas (1984).

    >>> bowl = lambda x, rows: (((x - 2) ** 2).sum(1) / 2, x - 2)
    >>> minimise(bowl, torch.zeros(1, 2)).points
    tensor([[1., 1.]])
    """
    require_inside("start", start, box)
    state, ended = _begin(objective, start, memory)
    settled = torch.zeros_like(state.rows, dtype=torch.bool)
    for iteration in range(iterations + 1):
        free = _free(state, box)
        slope = (state.gradient * free).norm(dim=1)
        done = settled | (slope <= tolerance)
        going = ~done & (iteration < iterations)
        _finish(ended, state, slope, torch.where(done, Status.CONVERGED, Status.CENSORED), ~going)
        if not bool(going.any()):
            break
        if not bool(going.all()):
            state, free, slope = state.take(going), free[going], slope[going]
        before = state.value
        state, stuck = _step(
            objective, state, free=free, box=box, iteration=iteration, evaluations=ended.evaluations
        )
        _finish(ended, state, slope, torch.full_like(slope, Status.UNDECIDED), stuck)
        settled = before - state.value <= decrease * state.value.abs().clamp_min(1)
        state, settled = (state.take(~stuck), settled[~stuck]) if bool(stuck.any()) else (state, settled)
    return ended


def _begin(objective: Objective, start: Tensor, memory: int) -> tuple[_State, Minimum]:
    """Evaluate the starts; nothing has ended."""
    rows = torch.arange(len(start), device=start.device)
    x = start.detach().clone()
    value, gradient = objective(x, rows)
    slope, evaluations = torch.zeros_like(value), torch.ones_like(rows)
    ended = Minimum(x, value.clone(), slope, evaluations, torch.zeros_like(rows, dtype=torch.int8))
    return _State(rows, x, value, gradient, x.new_zeros(len(x), 2 * memory + 1, x.shape[1])), ended


def _step(
    objective: Objective,
    state: _State,
    *,
    free: Tensor,
    box: tuple[float, float],
    iteration: int,
    evaluations: Tensor,
) -> tuple[_State, Bool[Tensor, " k"]]:
    """Move every row once; say which found no descent."""
    memory = state.pairs.shape[1] // 2
    slot = iteration % memory
    torch.mul(state.gradient, free, out=state.pairs[:, -1])
    if iteration:
        direction = -_inverse_times(state.pairs, (slot - 1) % memory) * free
    else:  # no curvature is known yet: go one unit at most
        direction = -state.pairs[:, -1] / state.pairs[:, -1].norm(dim=1).clamp_min(1)[:, None]
    x, value, gradient, stuck = _search(objective, state, direction, box, evaluations)
    torch.sub(x, state.x, out=state.pairs[:, slot])
    torch.sub(gradient, state.gradient, out=state.pairs[:, memory + slot])
    return _State(state.rows, x, value, gradient, state.pairs), stuck


def _inverse_times(pairs: Tensor, newest: int) -> Tensor:
    """Return $H\\,g_F$ by the compact form of the inverse: all work is done on inner products.

    $$ H = \\gamma I + \\begin{pmatrix} S & \\gamma Y\\end{pmatrix}
       \\begin{pmatrix} R^{-T}(D + \\gamma Y^TY)R^{-1} & -R^{-T} \\\\ -R^{-1} & 0 \\end{pmatrix}
       \\begin{pmatrix} S^T \\\\ \\gamma Y^T \\end{pmatrix}, \\quad R = {\\rm triu}(S^TY). $$

    Source: Byrd, Nocedal and Schnabel (1994), equation (3.1); $\\gamma = s^Ty/y^Ty$ of the last pair.
    """
    memory = pairs.shape[1] // 2
    steps = [(newest + 1 + age) % memory for age in range(memory)]  # from the oldest to the newest slot
    changes = [memory + slot for slot in steps]
    products = pairs @ pairs.mT
    sy, yy = (products[:, i][:, :, changes] for i in (steps, changes))
    curvature, size = sy.diagonal(dim1=1, dim2=2), products.diagonal(dim1=1, dim2=2)
    used = (curvature > _CURVATURE * (size[:, steps] * size[:, changes]).sqrt())[:, :, None]
    gamma = torch.where(used[:, -1], curvature[:, -1:] / size[:, changes[-1:]], 1.0)[:, :, None]
    upper = torch.where(used & used.mT, sy.triu(), 0.0) + torch.diag_embed((~used[:, :, 0]).to(sy.dtype))
    u = torch.linalg.solve_triangular(upper, products[:, steps, -1:] * used, upper=True)
    inner = (curvature[:, :, None] * u + gamma * (yy @ u - products[:, changes, -1:])) * used
    w = torch.linalg.solve_triangular(upper.mT, inner, upper=False)
    weights = torch.cat([w, -gamma * u, gamma], 1)[:, [*map([*steps, *changes].index, range(2 * memory)), -1]]
    return (weights.mT @ pairs)[:, 0]


def _search(
    objective: Objective, state: _State, direction: Tensor, box: tuple[float, float], evaluations: Tensor
) -> tuple[Tensor, Tensor, Tensor, Bool[Tensor, " k"]]:
    """Cut the step of each row until its value falls enough; rows that never do stay where they are."""
    x = (state.x + direction).clamp(*box)
    value, gradient = objective(x, state.rows)
    evaluations[state.rows] += 1
    linear, excess = ((x - state.x) * state.gradient).sum(1), value - state.value
    left = (~(excess <= _DECREASE * linear)).nonzero()[:, 0]
    t, excess, linear = torch.ones_like(left, dtype=x.dtype), excess[left], linear[left]
    for _ in range(_CUTS):
        if not len(left):
            break
        t = t * (-linear / (2 * (excess - linear))).clamp(0.1, 0.5)
        trial = (state.x[left] + t[:, None] * direction[left]).clamp(*box)
        there, slope = objective(trial, state.rows[left])
        evaluations[state.rows[left]] += 1
        linear, excess = ((trial - state.x[left]) * state.gradient[left]).sum(1), there - state.value[left]
        x[left], value[left], gradient[left] = trial, there, slope
        bad = ~(excess <= _DECREASE * linear)
        left, t, excess, linear = left[bad], t[bad], excess[bad], linear[bad]
    x[left], value[left], gradient[left] = state.x[left], state.value[left], state.gradient[left]
    return x, value, gradient, torch.zeros_like(value, dtype=torch.bool).index_fill(0, left, True)


def _free(state: _State, box: tuple[float, float]) -> Bool[Tensor, "k n"]:
    """Say which coordinates a step downhill can move."""
    held_low = (state.x <= box[0]) & (state.gradient > 0)
    held_high = (state.x >= box[1]) & (state.gradient < 0)
    return ~(held_low | held_high)


def _finish(ended: Minimum, state: _State, slope: Tensor, status: Tensor, which: Tensor) -> None:
    """Write down the rows that end here."""
    rows = state.rows[which]
    ended.points[rows], ended.values[rows] = state.x[which], state.value[which]
    ended.slope[rows], ended.status[rows] = slope[which], status[which].to(torch.int8)
