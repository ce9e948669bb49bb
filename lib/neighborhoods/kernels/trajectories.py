"""What a kernel needs to know of a training run: parameters, step sizes, update rule and batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@runtime_checkable
class States(Protocol):
    """A sequence of flat vectors of parameters, in memory or read when asked for."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __getitem__(self, index: int, /) -> Tensor:
        """Return one of them, of shape `(parameters,)`."""


@dataclass(frozen=True)
class Rule:
    r"""A rule of training that is linear in the gradients, given the recorded scales.

    $$ v_{s+1} = \mu v_s + \kappa(\nabla L_s + \lambda w_s), \qquad
       \Delta w_s = -\varepsilon_s D_s v_{s+1} - \varepsilon_s \rho w_s. $$

    Attributes:
        name: what to call it in messages.
        momentum: $\mu$; 0 for gradient descent, $\beta_1$ for Adam.
        gain: $\kappa$; 1 for heavy ball, $1 - \beta_1$ for Adam.
        penalty: $\lambda$, weight decay through the gradient.
        shrinkage: $\rho$, weight decay beside the gradient (AdamW).
        adaptive: whether the diagonal matrices $D_s$ are recorded; the identity otherwise.
        averaged: whether gradients of outputs are averaged over the chord of their own step, where all other
            rules take them at its start (see `averaged_machine`).
    """

    name: str = "gradient descent"
    momentum: float = 0.0
    gain: float = 1.0
    penalty: float = 0.0
    shrinkage: float = 0.0
    adaptive: bool = False
    averaged: bool = False

    @property
    def plain(self) -> bool:
        r"""Whether a step uses the gradient of that step alone: $\Delta w_s = -\varepsilon_s\nabla L_s$."""
        memory = self.momentum or self.penalty or self.shrinkage
        return not (memory or self.adaptive or self.averaged) and self.gain == 1


@dataclass(frozen=True)
class Trajectory:
    r"""A training run of $N$ steps.

    Attributes:
        states: $w_0, \dots, w_N$, each flat, in the order of `network.parameters()`.
        rates: $\varepsilon_s > 0$.
        rule: how a step follows from gradients.
        reduction: whether $L_s$ is the sum or the mean of the losses of its batch.
        batches: rows of the training set used by each step; all of them where None.
        scales: diagonals of $D_s$ with their bias corrections, for an adaptive rule.

    Raises:
        ValueError: counts that do not fit together, or scales that the rule has not or lacks.
    """

    states: States
    rates: Float[Tensor, " steps"]
    rule: Rule = Rule()
    reduction: Literal["sum", "mean"] = "mean"
    batches: Sequence[Int64[Tensor, " _"]] | None = None
    scales: States | None = None

    def __post_init__(self) -> None:
        """Check the counts; the states themselves are checked as they are read."""
        steps = len(self.rates)
        if len(self.states) != steps + 1:
            raise ValueError(f"states: got {len(self.states)} for {steps} steps; required {steps + 1}")
        if self.batches is not None and len(self.batches) != steps:
            raise ValueError(f"batches: got {len(self.batches)} for {steps} steps; required one a step")
        if self.rule.adaptive != (self.scales is not None):
            raise ValueError(
                f"scales: got {self.scales} for {self.rule.name}; required with adaptive rules only"
            )
        if self.scales is not None and len(self.scales) != steps:
            raise ValueError(f"scales: got {len(self.scales)} for {steps} steps; required one a step")
        if not bool((self.rates > 0).all() and self.rates.isfinite().all()):
            raise ValueError(f"rates: got {self.rates.tolist()}; required positive and finite")


class Step(NamedTuple):
    """One step: from where to where, by which rows, and the factors of its gradient."""

    number: int
    start: Float[Tensor, " parameters"]
    end: Float[Tensor, " parameters"]
    rate: float
    rows: Int64[Tensor, " _"] | None
    share: float
    scale: Float[Tensor, " parameters"] | None


def steps(
    trajectory: Trajectory, size: int, examples: int | None = None, *, backward: bool = False
) -> Iterator[Step]:
    """Yield the steps one by one, reading each state once.

    Args:
        trajectory: the run.
        size: number of parameters of the network.
        examples: number of training examples $M$, where they are used.
        backward: last step first.

    Raises:
        ValueError: a state of another size or with a value that is not finite, or rows that do not exist.
    """
    order = range(len(trajectory.rates))
    known: dict[int, Tensor] = {}
    for s in reversed(order) if backward else order:
        known = {i: known[i] if i in known else _state(trajectory.states, i, size) for i in (s, s + 1)}
        rows = None if trajectory.batches is None else trajectory.batches[s]
        share = _share(trajectory, rows, examples)
        scale = None if trajectory.scales is None else _state(trajectory.scales, s, size, "scales")
        yield Step(s, known[s], known[s + 1], float(trajectory.rates[s]), rows, share, scale)


def read(trajectory: Trajectory, index: int, size: int) -> Float[Tensor, " parameters"]:
    """Return one state of the run after checking it; raises ValueError as `steps` does."""
    count = len(trajectory.states)
    if not -count <= index < count:
        raise ValueError(f"step: got {index}; required one of the {count} states of the trajectory")
    return _state(trajectory.states, index % count, size)


def coarsen(trajectory: Trajectory, stride: int) -> Trajectory:
    """Keep every state whose number is a multiple of the stride, and the last: cheaper, no longer exact.

    A long step keeps its chord but uses the gradient of its first state, with the summed step sizes. What
    this costs is the difference between prediction and network.

    Raises:
        ValueError: a stride below 1, or a rule other than full-batch gradient descent.
    """
    if stride < 1:
        raise ValueError(f"stride: got {stride}; required at least 1")
    if not trajectory.rule.plain or trajectory.batches is not None:
        raise ValueError(f"trajectory: got {trajectory.rule.name}; required full-batch gradient descent")
    parts = trajectory.rates.split(stride)
    last = len(trajectory.rates)
    kept = [*range(0, last, stride), last]
    rates = torch.stack([part.sum() for part in parts]) if parts else trajectory.rates
    return Trajectory(_Chosen(trajectory.states, kept), rates, trajectory.rule, trajectory.reduction)


@dataclass(frozen=True)
class _Chosen:
    """Some of the states of another sequence."""

    states: States
    kept: list[int]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, index: int, /) -> Tensor:
        return self.states[self.kept[index]]


def _state(states: States, index: int, size: int, name: str = "states") -> Tensor:
    state = states[index]
    if state.shape != (size,):
        raise ValueError(
            f"{name}: got shape {tuple(state.shape)} at {index}; required ({size},), as the network"
        )
    # The greatest absolute value is not finite where any value is not, and ten times faster to look at.
    if not bool(state.abs().amax().isfinite()):
        raise ValueError(f"{name}: got a value that is not finite at {index}; required finite parameters")
    return state


def _share(trajectory: Trajectory, rows: Tensor | None, examples: int | None) -> float:
    """Return 1/batch for mean losses, 1 for sums."""
    if examples is None:
        return 1.0
    if rows is not None and (not len(rows) or int(rows.min()) < 0 or int(rows.max()) >= examples):
        found = f"{int(rows.min())}..{int(rows.max())}" if len(rows) else "no row"
        raise ValueError(f"batches: got {found} for {examples} training examples; required rows of them")
    return 1.0 / (examples if rows is None else len(rows)) if trajectory.reduction == "mean" else 1.0
