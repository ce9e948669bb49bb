"""Many vectors of parameters: does their distance from the trained ones tell accuracy, or their direction?"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor
from torch.nn.functional import cosine_similarity

from neighborhoods.progress import bar
from neighborhoods.studies.weight_space.paths import PathSpec
from neighborhoods.studies.weight_space.weights import accuracy, subject

LEAST_RADIUS, LARGEST_RADIUS = 0.25, 1.75


@dataclass(frozen=True)
class PopulationSpec:
    """Which parameters are looked at.

    Attributes:
        path: the run.
        angles: from the chord, at equal distances from 0° to 90°.
        radii: from the start, in chords, at equal distances.
        unseen: test images on which accuracy is taken.
        seed: of the random directions.
    """

    path: PathSpec
    angles: int
    radii: int
    unseen: int
    seed: int


def scattered(spec: PopulationSpec, path: dict[str, Tensor], *others: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row for each vector of parameters

    $$ w = w_0 + r\|c\|(\cos\theta\,u + \sin\theta\,v), \qquad c = w_N - w_0 = \|c\|u,\ v\perp u. $$

    ``kind`` says what $v$ is: "noise", a random direction, or "other run", the displacement of a run from
    other initial parameters. Kind "trained": the last states of other runs. Columns: ``kind``; ``angle`` θ
    in degrees and ``radius`` $r$ (as measured); ``accuracy``; ``nearness`` $-\|w - w_N\|/\|c\|$; ``cosine``
    of $w - w_0$ with $c$; ``product`` $\langle w - w_0, c\rangle/\|c\|^2$.

    Raises:
        ValueError: no other run.
    """
    if not others:
        raise ValueError("runs: got 1; required at least 2, whose displacements are compared")
    own, states = subject(spec.path.run, spec.unseen), path["states"]
    start, chord = states[0], states[-1] - states[0]
    generator, candidates = Generator().manual_seed(spec.seed), []
    across = [other["states"][-1] - other["states"][0] for other in others]
    radii = np.linspace(LEAST_RADIUS, LARGEST_RADIUS, spec.radii)
    grid = itertools.product(radii, np.linspace(0, math.pi / 2, spec.angles))
    for (radius, angle), other in zip(grid, itertools.cycle(across)):
        noise = torch.randn(len(chord), generator=generator, dtype=chord.dtype)
        for kind, side in (("noise", noise), ("other run", other)):
            candidates.append((kind, start + radius * turned(chord, side, float(angle))))
    candidates += [("trained", other["states"][-1]) for other in others]
    rows = [
        {"kind": kind, "accuracy": accuracy(own, weights), **located(weights - start, chord)}
        for kind, weights in bar(candidates, description="population")
    ]
    return pd.DataFrame(rows)


def turned(chord: Tensor, side: Tensor, angle: float) -> Tensor:
    """Return the chord turned by an angle towards the part of another vector that is orthogonal to it."""
    off = side - (side @ chord) / (chord @ chord) * chord
    across: Tensor = chord.norm() * off / off.norm()
    return math.cos(angle) * chord + math.sin(angle) * across


def located(moved: Tensor, chord: Tensor) -> dict[str, float]:
    """Return the columns of `scattered` that say where parameters are, by their displacement."""
    length, cosine = chord.norm(), cosine_similarity(moved, chord, dim=0).clamp(-1, 1)
    return {
        "angle": math.degrees(math.acos(float(cosine))),
        "radius": float(moved.norm() / length),
        "nearness": -float((moved - chord).norm() / length),
        "cosine": float(cosine),
        "product": float(moved @ chord / length**2),
    }
