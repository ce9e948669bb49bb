r"""Trained networks as sums over their training set: the path kernel, attribution and prediction.

$$ \hat y_{w_N}(x) = \hat y_{w_0}(x) + \sum_{s<N}\sum_i K_s(x, x_i)\,a_{i,s}, \qquad
   K_s(x, x_i) = \langle G_s(x), g_s(x_i)\rangle, \quad a_{i,s} = -\varepsilon_s\partial L_i/\partial\hat y $$

with $g_s = \nabla_w\hat y_{w_s}$ and $G_s = \int_0^1\nabla_w\hat y_{w_s(t)}dt$ over the chord of the step.
It holds for every $x$, on the training set too, because the side of the query is averaged and that of the
example is not.
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.path_report import Report, ledger, note, report
from neighborhoods.kernels.path_run import (
    Loss,
    Route,
    accumulate,
    cotangents,
    prepare,
    require_as_many,
    sketch_of,
)
from neighborhoods.kernels.trajectories import Trajectory, steps


class PathKernel(NamedTuple):
    r"""The kernel summed over the steps.

    Attributes:
        kernel: $\sum_s\varepsilon_sc_s\bar K_s(x, x_i)$, with $c_s$ = 1 or 1/batch as the loss is summed or
            averaged, and 0 for examples outside the batch; for rules with memory $\bar K_s$ has
            $\bar G_s$ (see `path_dense`).
        report: how exact each step is.
    """

    kernel: Float[Tensor, "m M K K"]
    report: Report


class Attribution(NamedTuple):
    r"""What each training example contributes to each output at each point.

    Attributes:
        contributions: $\sum_s\bar K_s(x, x_i)a_{i,s}$.
        start: $\hat y_{w_0}(x)$, the output before training.
        decay: what weight decay does to the initial parameters; 0 without it.
        report: how exact each step is.
    """

    contributions: Float[Tensor, "m K M"]
    start: Float[Tensor, "m K"]
    decay: Float[Tensor, "m K"]
    report: Report

    @property
    def prediction(self) -> Float[Tensor, "m K"]:
        """The output of the kernel machine, equal to that of the trained network up to rounding."""
        return self.start + self.decay + self.contributions.sum(2)


class Prediction(NamedTuple):
    r"""The telescoping sum $\hat y_{w_0}(x) + \sum_s\langle G_s(x), \Delta w_s\rangle$, without examples."""

    prediction: Float[Tensor, "m K"]
    report: Report


def cross_entropies(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of each example, from logits and classes: the usual loss.

    Raises:
        ValueError: targets that are not classes of the logits.
    """
    if targets.is_floating_point() or not bool(((targets >= 0) & (targets < outputs.shape[1])).all()):
        found = f"{targets.dtype}, {targets.unique().tolist()}"
        raise ValueError(f"targets: got {found}; required integers below {outputs.shape[1]} classes")
    return cross_entropy(outputs, targets, reduction="none")


@checked(tolerance=0, chunk=1)
def path_kernel(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, " m *shape"],
    training: Float[Tensor, " M *inputs"],
    *,
    route: Route = "auto",
    last_layer: bool = False,
    tolerance: float | None = None,
    projection: int | None = None,
    generator: Generator | None = None,
    chunk: int = 64,
    memory: int = 2**30,
) -> PathKernel:
    r"""Return the full path kernel between points and training examples, `(m, M, K, K)`.

    $$ K(x, x_i)_{kl} = \sum_s \varepsilon_sc_s\Big\langle\int_0^1\nabla_w\hat y_{w_s(t),k}(x)dt,
       \nabla_w\hat y_{w_s,l}(x_i)\Big\rangle. $$

    Args:
        network: a module in evaluation mode; its own parameters are not used.
        trajectory: the training run.
        points: the queries $x$, in the trajectory's dtype.
        training: all training examples, in the order that the batches number.
        route: "structured" never forms a Jacobian and needs a chain of Linear and ReLU, tanh, sigmoid, GELU,
            SiLU or Softplus, with LogSoftmax or Softmax at the end if wanted, and plain gradient steps;
            "dense" takes a chain and any rule; "jacobian" any module and rule; "auto" the first that can.
        last_layer: only the last linear layer's parameters, an approximation; structured route only.
        tolerance: relative error of quadrature where it is not exact; some thousand roundings by default.
        projection: dimension on which gradients are projected at random, an approximation without bias whose
            error falls as its inverse root; None for no projection. Dense and Jacobian routes only.
        generator: source of the projection.
        chunk: examples differentiated at once by the Jacobian route.
        memory: bytes to use beyond the inputs and the result.

    Raises:
        ValueError: an empty or mismatched training set, a network with dropout or batch normalisation in
            train mode, states of another size or not finite, a route that cannot be taken, or a small budget.

    Source: the draft, (11)-(16), corrected: (16) lacks its integral, (15) sums from step 0.
    """
    run = prepare(network, trajectory, points, training, route=route, tolerance=tolerance, chunk=chunk)
    sketch = sketch_of(run, route, projection, generator)
    result, _, found = accumulate(run, None, sketch=sketch, last_layer=last_layer, memory=memory)
    return PathKernel(result.transpose(1, 2), found)


@checked(tolerance=0, chunk=1)
def attribution(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, " m *shape"],
    training: Float[Tensor, " M *inputs"],
    targets: Tensor,
    *,
    loss: Loss = cross_entropies,
    route: Route = "auto",
    last_layer: bool = False,
    tolerance: float | None = None,
    projection: int | None = None,
    generator: Generator | None = None,
    chunk: int = 64,
    memory: int = 2**30,
) -> Attribution:
    """Return the contribution of each training example to each output at each point, `(m, K, M)`.

    Args:
        network, trajectory, points, training: see `path_kernel`, as for the options not listed here.
        targets: what the loss compares outputs with, one for each training example.
        loss: the loss that the run minimised, without regularisation: losses `(M,)` of outputs `(M, K)`.

    Raises:
        ValueError: see `path_kernel`; targets of another number, or a loss that is not one number an example.

    Source: the draft, Theorem 14.5, corrected; for several classes section 17.4.
    """
    require_as_many(targets, training)
    run = prepare(network, trajectory, points, training, route=route, tolerance=tolerance, chunk=chunk)
    pull = cotangents(loss, targets)
    sketch = sketch_of(run, route, projection, generator)
    result, kept, found = accumulate(run, pull, sketch=sketch, last_layer=last_layer, memory=memory)
    return Attribution(result[..., 0], run.start, kept, found)


@checked(points=1, tolerance=0, chunk=1)
def telescoped(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, " m *shape"],
    *,
    route: Route = "auto",
    tolerance: float | None = None,
    chunk: int = 64,
) -> Prediction:
    """Return the prediction as a sum of directional derivatives along the steps: a check of the integration.

    Args, Raises: see `path_kernel`.

    Source: the draft, (44)-(47), corrected: the sum starts at step 0.
    """
    run = prepare(network, trajectory, points, points, route=route, tolerance=tolerance, chunk=chunk)
    features, total, before = run.features, run.start, run.start
    worst = ledger(len(trajectory.rates))
    for step in steps(trajectory, features.size):
        change, estimate, nodes = features.change(step.start, step.end, run.points, run.tolerance)
        after = features.outputs(step.end, run.points)
        note(worst, step.number, change - (after - before), estimate, nodes)
        total, before = total + change, after
    return Prediction(total, report(worst, run.tolerance))
