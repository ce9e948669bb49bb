"""Which route a path kernel takes, after checking what it is given."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import torch
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from neighborhoods.kernels import path_dense, path_structured
from neighborhoods.kernels.chains import chain_of
from neighborhoods.kernels.module_features import ModuleFeatures
from neighborhoods.kernels.path_features import ChainFeatures, Features
from neighborhoods.kernels.path_report import Report, default_tolerance
from neighborhoods.kernels.path_structured import Cotangents
from neighborhoods.kernels.trajectories import Trajectory, read

Loss = Callable[[Tensor, Tensor], Tensor]
"""Outputs `(M, K)` and targets, first axis M, to the losses of the examples `(M,)`."""

Route = Literal["auto", "structured", "dense", "jacobian"]


class Run(NamedTuple):
    """A network read for one of the routes, with points as that route wants them."""

    features: Features
    structured: bool
    trajectory: Trajectory
    points: Tensor
    training: Tensor
    tolerance: float

    @property
    def start(self) -> Tensor:
        """The outputs at the points before training."""
        return self.features.outputs(read(self.trajectory, 0, self.features.size), self.points)


def prepare(
    network: nn.Module,
    trajectory: Trajectory,
    points: Tensor,
    training: Tensor,
    *,
    route: Route,
    tolerance: float | None,
    chunk: int,
) -> Run:
    """Choose the route and check what it is given; see `path_kernel.path_kernel` for all of it."""
    require_evaluation(network)
    _check_sets(points, training, trajectory)
    chain = None if route == "jacobian" else chain_of(network)
    _check_route(route, chain is not None, trajectory)
    size = sum(value.numel() for value in network.parameters())
    wanted = default_tolerance(points.dtype) if tolerance is None else tolerance
    if chain is None:
        return Run(ModuleFeatures(network, size, chunk), False, trajectory, points, training, wanted)
    features, structured = ChainFeatures(chain, size), trajectory.rule.plain and route != "dense"
    flat, inputs = points.flatten(1), chain.shapes[0][1]
    if flat.shape[1] != inputs:
        raise ValueError(f"points: got shape {tuple(points.shape)}; required {inputs} values each")
    return Run(features, structured, trajectory, flat, training.flatten(1), wanted)


def sketch_of(run: Run, route: Route, projection: int | None, generator: Generator | None) -> Tensor | None:
    r"""Return a random projection of gradients, signs over $\sqrt d$, so that inner products keep their mean.

    Raises:
        ValueError: a dimension below 1, or the structured route, which has no gradients to project.
    """
    if projection is None:
        return None
    if projection < 1:
        raise ValueError(f"projection: got {projection}; required at least 1")
    if route == "structured":
        raise ValueError(f"projection: got {projection}; required None, or another route than structured")
    shape, like = (run.features.size, projection), run.points
    signs = torch.randint(0, 2, shape, generator=generator, device=like.device, dtype=torch.int8)
    return (signs.to(like.dtype) * 2 - 1) / math.sqrt(projection)


def accumulate(
    run: Run, pull: Cotangents | None, *, sketch: Tensor | None, last_layer: bool, memory: int
) -> tuple[Tensor, Tensor, Report]:
    """Return the kernel, or its product with cotangents, `(m, K, M, r)`, what decay does, and the report."""
    if run.trajectory.rule.averaged:
        raise ValueError(
            f"trajectory: got {run.trajectory.rule.name}; required gradients taken at the start of a step"
        )
    given = (run.trajectory, run.points, run.training, pull, run.tolerance, memory)
    if run.structured and sketch is None and isinstance(run.features, ChainFeatures):
        problem = path_structured.Problem(run.features.chain, *given, last_layer)
        result, found = path_structured.accumulate(problem)
        return result, result.new_zeros(result.shape[:2]), found
    if last_layer:
        raise ValueError("last_layer: got True; required the structured route")
    return path_dense.accumulate(path_dense.DenseProblem(run.features, *given, sketch), run.start.shape[1])


def cotangents(loss: Loss, targets: Tensor) -> Cotangents:
    """Return the derivative of the losses by outputs, as a function of outputs and their rows."""

    def pull(outputs: Tensor, rows: slice | Tensor) -> Tensor:
        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            losses = loss(leaf, targets[rows])
            if losses.shape != (len(leaf),):
                raise ValueError(
                    f"loss: got shape {tuple(losses.shape)}; required ({len(leaf)},), one an example"
                )
            return torch.autograd.grad(losses.sum(), leaf)[0]

    return pull


def require_as_many(targets: Tensor, training: Tensor) -> None:
    """Raise ValueError unless there is a target for each training example."""
    if len(targets) != len(training):
        raise ValueError(
            f"targets: got {len(targets)} for {len(training)} training examples; required as many"
        )


def require_evaluation(network: nn.Module) -> None:
    """Raise ValueError where dropout or batch normalisation is in train mode."""
    for module in network.modules():
        if module.training and isinstance(module, _DropoutNd | _BatchNorm):
            raise ValueError(f"network: got {module} in train mode; required evaluation mode, call eval()")


def _check_sets(points: Tensor, training: Tensor, trajectory: Trajectory) -> None:
    if not len(training):
        raise ValueError("training: got no example; required at least one")
    for name, some in (("points", points), ("training", training)):
        # The extremes tell, and take no memory, which `isfinite` of all would.
        if some.numel() and not bool(torch.stack(torch.aminmax(some)).isfinite().all()):
            raise ValueError(f"{name}: got a value that is not finite; required finite inputs")
    if points.shape[1:] != training.shape[1:]:
        raise ValueError(
            f"points: got shape {tuple(points.shape)}; required (m, *{tuple(training.shape[1:])})"
        )
    dtype = trajectory.states[0].dtype
    if not points.dtype == training.dtype == dtype:
        raise ValueError(
            f"points, training: got {points.dtype}, {training.dtype}; required {dtype} of the states"
        )


def _check_route(route: Route, chained: bool, trajectory: Trajectory) -> None:
    if route not in get_args(Route):
        raise ValueError(f"route: got {route!r}; required one of {get_args(Route)}")
    if route in ("structured", "dense") and not chained:
        raise ValueError(
            f"route: got {route!r} for another network; required a chain (see `chains.chain_of`)"
        )
    if route == "structured" and not trajectory.rule.plain:
        raise ValueError(f"route: got {route!r} for {trajectory.rule.name}; required plain gradient steps")
