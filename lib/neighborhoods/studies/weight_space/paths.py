"""The path of a training run through the space of weights: some of its states, and its shape."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neighborhoods.studies import recorded
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class PathSpec:
    """What is kept of a run.

    Attributes:
        run: the training.
        kept: states kept beside the first, at equal numbers of steps.
    """

    run: RecordedSpec
    kept: int


class Shape(NamedTuple):
    """A path seen from its chord, in units of the chord: one number for each state.

    Attributes:
        along: position of the state's foot on the chord, 0 at the first and 1 at the last state.
        off: distance from the chord's line.
        length: of the path up to the state.
    """

    along: Float64[Tensor, " states"]
    off: Float64[Tensor, " states"]
    length: Float64[Tensor, " states"]


def follow(spec: PathSpec) -> dict[str, Tensor]:
    """Train, and return ``states`` (those kept), ``steps`` (their numbers) and the columns of `Shape`."""
    states = recorded.run(spec.run)["states"]
    steps = torch.linspace(0, len(states) - 1, spec.kept + 1).round().long()
    return {"states": states[steps], "steps": steps} | shape(states)._asdict()


def shape(states: Float[Tensor, "states parameters"]) -> Shape:
    r"""Return where a path $w_0, \dots, w_N$ is beside its chord $c = w_N - w_0$.

    $$ a_s = \frac{\langle w_s - w_0, c\rangle}{\|c\|^2}, \qquad
       h_s = \frac{\|w_s - w_0 - a_sc\|}{\|c\|}, \qquad
       \ell_s = \frac1{\|c\|}\sum_{r<s}\|w_{r+1} - w_r\|. $$

    Args:
        states: the path, in order; its ends differ.

    Raises:
        ValueError: a path that ends where it began, which has no chord.
    """
    moved = states.double() - states[0].double()
    chord = moved[-1]
    square = chord @ chord
    if not square > 0:
        raise ValueError(f"states: got {len(states)} that end where they began; required two ends")
    along = moved @ chord / square
    off = (moved - along[:, None] * chord).norm(dim=1)
    steps = torch.cat([square.new_zeros(1), moved.diff(dim=0).norm(dim=1)])
    return Shape(along, off / square.sqrt(), steps.cumsum(0) / square.sqrt())
