"""The least step beyond a few half-spaces inside a box: many small quadratic programmes at once."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neighborhoods.kernels.arguments import checked


class LeastStep(NamedTuple):
    """Solutions, one row for each programme.

    Attributes:
        step: $r$, inside the box.
        solved: whether the step satisfies the inequalities within the tolerance.
        multipliers: $\\lambda \\ge 0$ of the inequalities.
    """

    step: Float[Tensor, "m n"]
    solved: Bool[Tensor, " m"]
    multipliers: Float[Tensor, "m q"]


@checked(iterations=0, tolerance=0)
def least_step(
    normals: Float[Tensor, "m q n"],
    offsets: Float[Tensor, "m q"],
    low: Float[Tensor, "m n"],
    high: Float[Tensor, "m n"],
    *,
    iterations: int = 30,
    tolerance: float = 1e-5,
) -> LeastStep:
    """Return the shortest step beyond all half-spaces, by projected Newton ascent of the dual.

    $$ \\min_{l \\le r \\le u} \\tfrac12\\|r\\|_2^2 \\text{ with } A r \\ge b; \\qquad
       \\max_{\\lambda \\ge 0}\\; \\lambda^T b
       + \\min_{l\\le r\\le u}\\left(\\tfrac12\\|r\\|_2^2 - \\lambda^T A r\\right),
       \\quad r(\\lambda) = {\\rm Clip}_{[l, u]}(A^T\\lambda). $$

    The dual has one dimension for each inequality, however many coordinates there are; where $r_i$ is clipped
    it contributes nothing to the curvature $A_F A_F^T$, which may vanish. Where no part of Newton's step
    ascends, one along the gradient does. A programme without solution ends unsolved, as does one out of time.

    Args:
        normals: $A$, one row for each inequality.
        offsets: $b$.
        low: $l$, at most 0.
        high: $u$, at least 0.
        iterations: greatest number of Newton steps.
        tolerance: violation of an inequality that counts as none, relative to the largest $|b|$ of the row.

    Raises:
        ValueError: a box that does not contain 0.

    Source: ours; Bertsekas (1982) for the projected Newton step.

    >>> A, b = torch.tensor([[[1.0, 1.0]]]), torch.tensor([[1.5]])
    >>> least_step(A, b, torch.full((1, 2), -9.0), torch.tensor([[0.5, 9.0]])).step
    tensor([[0.5000, 1.0000]])
    """
    if not bool(((low <= 0) & (high >= 0)).all()):
        raise ValueError(
            f"low, high: got {low.max().item()} and {high.min().item()}; required low <= 0 <= high"
        )
    lengths = normals.norm(dim=2)
    scale = torch.where(lengths > 0, lengths, 1.0)  # a normal of zero stays, and no step helps it
    A, b = normals / scale[:, :, None], offsets / scale
    multipliers = torch.zeros_like(b)
    allowed = tolerance * b.abs().amax(1, keepdim=True)
    dual_at = partial(_dual, A, b, low, high)
    dual, step, lack = dual_at(multipliers)
    for _ in range(iterations):
        idle = (multipliers <= 0) & (lack <= 0)
        if bool((torch.where(idle, 0.0, lack.abs()) <= allowed).all()):
            break
        direction = _newton(A, (step > low) & (step < high), lack, idle)
        # The gradient's Lipschitz constant is at most the number of unit normals in it.
        safe = torch.where(idle, 0.0, lack) / (~idle).sum(1, keepdim=True).clamp_min(1)
        multipliers, dual, step, lack = _ascend(dual_at, multipliers, direction, safe, dual)
    return LeastStep(step, (lack <= 2 * allowed).all(1), multipliers / scale)


def _dual(
    A: Tensor, b: Tensor, low: Tensor, high: Tensor, multipliers: Tensor
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m n"], Float[Tensor, "m q"]]:
    """Return the dual value, its minimising step, and the gradient: how much each inequality lacks."""
    pull = (multipliers[:, None] @ A)[:, 0]
    step = torch.minimum(torch.maximum(pull, low), high)
    value = (multipliers * b).sum(1) + (step * (step / 2 - pull)).sum(1)
    return value, step, b - (A @ step[:, :, None])[:, :, 0]


def _newton(A: Tensor, inside: Tensor, lack: Tensor, idle: Tensor) -> Tensor:
    """Return the Newton direction in the multipliers that are not idle."""
    free = A * inside[:, None]
    curvature = free @ free.mT
    busy = ~idle
    ridge = 1e-6 * curvature.diagonal(dim1=1, dim2=2).sum(1).clamp_min(1e-3)
    curvature = curvature * (busy[:, :, None] & busy[:, None])
    curvature = curvature + torch.diag_embed(torch.where(busy, ridge[:, None], 1.0))
    direction: Tensor = torch.linalg.solve(curvature, torch.where(idle, 0.0, lack))
    return direction


def _ascend(
    dual_at: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]],
    multipliers: Tensor,
    direction: Tensor,
    safe: Tensor,
    dual: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Take the longest of the steps 1, 1/4, 1/16, ... at which the dual does not fall, or the safe one."""
    length = torch.ones_like(dual)
    for _ in range(6):
        trial = (multipliers + length[:, None] * direction).clamp_min(0)
        value, step, lack = dual_at(trial)
        good = value >= dual - 1e-6 * dual.abs()
        if bool(good.all()):
            return trial, value, step, lack
        length = torch.where(good, length, length / 4)
    trial = torch.where(good[:, None], trial, (multipliers + safe).clamp_min(0))
    return trial, *dual_at(trial)
