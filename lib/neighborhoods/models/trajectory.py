"""Training that records what a path kernel needs, in memory or streamed to a folder of shards."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.nn.utils import parameters_to_vector

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.path_kernel import cross_entropies
from neighborhoods.kernels.path_run import Loss, require_evaluation
from neighborhoods.kernels.trajectories import Rule, Trajectory
from neighborhoods.models.optimisers import rule_of, scale_of
from neighborhoods.models.shards import read_trajectory, write_trajectory
from neighborhoods.progress import bar

Reduction = Literal["sum", "mean"]


class Recorded(NamedTuple):
    """The parameters after a step, its size and the scales of an adaptive rule."""

    state: Tensor
    rate: float
    scale: Tensor | None


@checked(steps=1, points=1, shard=1)
def record(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    points: Float[Tensor, " M *inputs"],
    targets: Tensor,
    *,
    steps: int,
    loss: Loss = cross_entropies,
    reduction: Reduction = "mean",
    batches: Sequence[Tensor] | None = None,
    rate: Callable[[int], float] | None = None,
    folder: Path | None = None,
    shard: int = 2**28,
) -> Trajectory:
    """Train a network and record its trajectory.

    Args:
        network: in evaluation mode where it has dropout or batch normalisation; it is trained in place.
        optimizer: SGD, Adam or AdamW over all its parameters, not used before (see `optimisers.rule_of`).
        points: the training set.
        targets: what the loss compares outputs with.
        steps: how many to take.
        loss: outputs and targets to the loss of each example.
        reduction: whether a step descends the sum or the mean of the losses of its batch.
        batches: rows used by each step; all where None.
        rate: step size by the number of the step; that of the optimiser where None.
        folder: where to stream the states, as safetensors; they stay in memory where None.
        shard: most bytes in one file, and held in memory while streaming.

    Returns:
        The trajectory; with a folder its states are read when asked for.

    Raises:
        ValueError: a rule that no kernel represents, no step, an empty training set, counts that do not
            match, batches of rows that are not there, a module in train mode, a parameter that is not finite,
            or a loss that is not one number an example or no longer finite.
        TypeError: points that are not floating, or an argument of another type.
    """
    rule = rule_of(optimizer, network)
    require_trainable(network, points, targets)
    _check_run(optimizer, len(points), steps, batches)
    kept = None if batches is None else list(batches)
    start = _flat(network)

    def run() -> Iterator[Recorded]:
        for s in bar(range(steps), description="record"):
            if rate is not None:
                optimizer.param_groups[0]["lr"] = rate(s)
            rows = slice(None) if kept is None else kept[s]
            _descend(network, optimizer, loss(network(points[rows]), targets[rows]), reduction, s)
            scale = scale_of(optimizer) if rule.adaptive else None
            yield Recorded(_flat(network), float(optimizer.param_groups[0]["lr"]), scale)

    if folder is None:
        return _in_memory(start, list(run()), rule, reduction, kept)
    write_trajectory(folder, start, run(), rule=rule, reduction=reduction, batches=kept, shard=shard)
    return read_trajectory(folder)


@checked(examples=1, size=1, epochs=1)
def minibatches(examples: int, size: int, epochs: int, *, generator: Generator | None = None) -> list[Tensor]:
    """Return the rows of each step of shuffled passes; the last batch of a pass may be smaller.

    Raises:
        ValueError: a count below one.
    """
    orders = [torch.randperm(examples, generator=generator) for _ in range(epochs)]
    return [batch for order in orders for batch in order.split(size)]


def _in_memory(
    start: Tensor, found: list[Recorded], rule: Rule, reduction: Reduction, batches: list[Tensor] | None
) -> Trajectory:
    states = torch.stack([start, *(one.state for one in found)])
    scales = [one.scale for one in found if one.scale is not None]
    rates = torch.tensor([one.rate for one in found], dtype=torch.float64)
    return Trajectory(states, rates, rule, reduction, batches, torch.stack(scales) if scales else None)


def _descend(
    network: nn.Module, optimizer: torch.optim.Optimizer, losses: Tensor, reduction: Reduction, step: int
) -> None:
    if losses.ndim != 1:
        raise ValueError(f"loss: got shape {tuple(losses.shape)}; required one number an example")
    risk = losses.mean() if reduction == "mean" else losses.sum()
    if not bool(risk.isfinite()):
        raise ValueError(
            f"loss: got {risk.item()} at step {step}; required a finite loss, take smaller steps"
        )
    optimizer.zero_grad()
    risk.backward()
    optimizer.step()


def _flat(network: nn.Module) -> Tensor:
    return parameters_to_vector(network.parameters()).detach().clone()


def require_trainable(network: nn.Module, points: Tensor, targets: Tensor) -> None:
    """Raise ValueError for sets that do not match, a module in train mode, or parameters not finite."""
    if len(points) != len(targets):
        raise ValueError(f"points, targets: got {len(points)}, {len(targets)}; required as many")
    require_evaluation(network)
    if not all(bool(value.isfinite().all()) for value in network.parameters()):
        raise ValueError("network: got parameters that are NaN or infinite; required finite ones")


def _check_run(
    optimizer: torch.optim.Optimizer, examples: int, steps: int, batches: Sequence[Tensor] | None
) -> None:
    if optimizer.state:
        raise ValueError("optimizer: got one with a history; required a fresh one")
    if batches is None:
        return
    if len(batches) != steps:
        raise ValueError(f"batches: got {len(batches)} for {steps} steps; required one a step")
    for s, rows in enumerate(batches):
        whole = not rows.is_floating_point() and rows.numel() > 0
        if not whole or not bool(((rows >= 0) & (rows < examples)).all()):
            raise ValueError(f"batches: got {rows.tolist()} at step {s}; required some of {examples} rows")
