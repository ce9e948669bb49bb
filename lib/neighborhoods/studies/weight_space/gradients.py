"""Gradients of the training loss beside the path of training, and along single steps."""

from dataclasses import dataclass, replace

import pandas as pd
import torch
from torch import Generator, Tensor
from torch.nn.functional import cosine_similarity

from neighborhoods.progress import bar
from neighborhoods.studies.weight_space.paths import PathSpec
from neighborhoods.studies.weight_space.weights import Subject, gradient, subject


@dataclass(frozen=True)
class PointingSpec:
    """Where gradients are taken beside a path.

    Attributes:
        path: the run.
        visited: states of it, at equal distances in time, the first among them and the last not.
        draws: random directions from each, at each distance.
        distances: from the path, over the length of the chord; 0 is on the path.
        seed: of the directions.
    """

    path: PathSpec
    visited: int
    draws: int
    distances: tuple[float, ...]
    seed: int


@dataclass(frozen=True)
class SmoothSpec:
    """Steps whose size is varied.

    Attributes:
        path: the run.
        visited: states of it, as in `PointingSpec`.
        sizes: of the steps.
    """

    path: PathSpec
    visited: int
    sizes: tuple[float, ...]


def pointing(spec: PointingSpec, path: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row for each point $w = w_s + \rho\|c\|v$, $v$ a random direction and $c = w_N - w_0$:
    ``step``, ``distance`` $\rho$, ``draw``, and the cosines of $-\nabla L(w)$ with $w_N - w$ (``end``), with
    $c$ (``training``), and with $-v$ (``back``).
    """
    own, states = subject(spec.path.run, 1), path["states"]
    chord, generator, rows = states[-1] - states[0], Generator().manual_seed(spec.seed), []
    for place in bar(visited(len(states), spec.visited), description="gradients beside the path"):
        directions = torch.randn(spec.draws, len(chord), generator=generator, dtype=states.dtype)
        for draw, direction in enumerate(directions / directions.norm(dim=1, keepdim=True)):
            for distance in spec.distances:
                weights = states[place] + distance * chord.norm() * direction
                pull = -gradient(own, weights)
                towards = {"end": states[-1] - weights, "training": chord, "back": -direction}
                head = {"step": int(path["steps"][place]), "distance": distance, "draw": draw}
                cosines = {name: cosine_similarity(pull, to, dim=0).item() for name, to in towards.items()}
                rows.append(head | cosines)
    return pd.DataFrame(rows)


def smooth(spec: SmoothSpec, path: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row for each step $w = w_s - \eta\nabla L(w_s)$, in double precision: ``step``, ``size``
    $\eta$, ``change`` $\|\nabla L(w) - \nabla L(w_s)\|/\|\nabla L(w_s)\|$, and ``flips``: pairs of a hidden
    unit and a training example at which the sign of the unit's input changes.
    """
    own = subject(replace(spec.path.run, dtype=torch.float64), 1)
    rows = []
    for place in bar(visited(len(path["states"]), spec.visited), description="single steps"):
        start = path["states"][place].double()
        slope, signs = gradient(own, start), _signs(own)
        for size in spec.sizes:
            change = gradient(own, start - size * slope) - slope
            flips = int((_signs(own) != signs).sum())
            row = {"step": int(path["steps"][place]), "size": size, "flips": flips}
            rows.append(row | {"change": float(change.norm() / slope.norm())})
    return pd.DataFrame(rows)


def visited(states: int, count: int) -> list[int]:
    """Return so many places among the states, at equal distances, the first and never the last."""
    return torch.linspace(0, states - 1, count + 1)[:-1].round().long().tolist()


@torch.no_grad()
def _signs(own: Subject) -> Tensor:
    """Return whether the input of each unit of the first layer is positive, at the last parameters."""
    inputs: Tensor = own.network[:2](own.seen.points)
    return inputs > 0
