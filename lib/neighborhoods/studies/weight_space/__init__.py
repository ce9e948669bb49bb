"""The plan of the chapter on the space of weights: which item is computed from which.

    followed ─┬─ pointing, smooth       gradients beside the path, and along single steps
              ├─ measured, attacked     accuracy and robustness on the line between its ends
              └─ scattered              accuracy by distance and by angle; takes the other runs as well
    paired, pictured                    arcs and chords of random directions, and of images

Each function takes the chapter's numbers; most give one item for each run.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.models.perceptrons import Activation
from neighborhoods.profiles import WeightSpaceSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies.recorded import RecordedSpec
from neighborhoods.studies.weight_space import directions, gradients, lines, paths, population

ACTIVATIONS: tuple[Activation, ...] = ("tanh", "relu")
POSITIONS = (0.5, 0.7, 0.85, 1.0, 1.25, 1.5)
FINE = tuple(round(0.05 * place, 2) for place in range(31))


def path(
    spec: WeightSpaceSpec, activation: Activation, number: int, batch: int | None = None
) -> paths.PathSpec:
    """The run from the initial parameters of some number."""
    run = RecordedSpec(
        spec.network,
        examples=spec.examples,
        steps=spec.steps,
        rate=spec.rate,
        batch=batch,
        activation=activation,
        dtype=torch.float32,
        seed=spec.seed + number,
    )
    return paths.PathSpec(run, spec.kept)


def followed(
    spec: WeightSpaceSpec, activation: Activation, batch: int | None = None
) -> list[Item[dict[str, Tensor]]]:
    """States and shapes of all runs with an activation."""
    return [Item(paths.follow, path(spec, activation, number, batch)) for number in range(spec.runs)]


def pointing(spec: WeightSpaceSpec, activation: Activation) -> list[Item[pd.DataFrame]]:
    """Where gradients point beside the paths."""
    away = (0.0, *np.geomspace(spec.nearest, spec.farthest, spec.distances).tolist())
    return [
        Item(
            gradients.pointing,
            gradients.PointingSpec(own, spec.visited, spec.draws, away, spec.seed),
            (item,),
        )
        for own, item in _runs(spec, activation)
    ]


def smooth(spec: WeightSpaceSpec, activation: Activation) -> list[Item[pd.DataFrame]]:
    """How gradients change along single steps, the size of those of training last."""
    sizes = (*np.geomspace(spec.smallest, spec.largest, spec.sizes).tolist(), spec.rate)
    return [
        Item(gradients.smooth, gradients.SmoothSpec(own, spec.visited, sizes), (item,))
        for own, item in _runs(spec, activation)
    ]


def measured(spec: WeightSpaceSpec, activation: Activation) -> list[Item[pd.DataFrame]]:
    """Accuracy on lines and paths."""
    runs = _runs(spec, activation)
    return [Item(lines.accuracies, _line(spec, own, FINE), (item,)) for own, item in runs]


def attacked(spec: WeightSpaceSpec, activation: Activation) -> list[Item[pd.DataFrame]]:
    """Least distortion and persistence on lines, and on paths at equal accuracy."""
    runs = _runs(spec, activation)
    return [Item(lines.robust, _line(spec, own, POSITIONS), (item,)) for own, item in runs]


def scattered(spec: WeightSpaceSpec, activation: Activation) -> list[Item[pd.DataFrame]]:
    """Accuracy at many distances and angles from each run's chord."""
    runs = _runs(spec, activation)
    return [
        Item(
            population.scattered,
            population.PopulationSpec(own, spec.angles, spec.radii, spec.unseen, spec.seed),
            (item, *(other for _, other in runs if other is not item)),
        )
        for own, item in runs
    ]


def paired(spec: WeightSpaceSpec) -> Item[pd.DataFrame]:
    """Arcs over chords of random directions."""
    return Item(directions.random_pairs, directions.PairsSpec(spec.largest_dimension, spec.pairs, spec.seed))


def pictured(spec: WeightSpaceSpec) -> Item[pd.DataFrame]:
    """Arcs and chords between test images, seen by the first run."""
    own, item = _runs(spec, "tanh")[0]
    return Item(directions.image_pairs, directions.ImagesSpec(own, spec.image_pairs, spec.positions), (item,))


def gathered(
    results: Store,
    plan: Callable[[WeightSpaceSpec, Activation], list[Item[pd.DataFrame]]],
    spec: WeightSpaceSpec,
) -> pd.DataFrame:
    """Return the tables of a plan below each other, for both activations, with ``activation`` and ``run``."""
    tables = [
        results.get(item).assign(activation=activation, run=number)
        for activation in ACTIVATIONS
        for number, item in enumerate(plan(spec, activation))
    ]
    return pd.concat(tables, ignore_index=True)


def _runs(
    spec: WeightSpaceSpec, activation: Activation
) -> list[tuple[paths.PathSpec, Item[dict[str, Tensor]]]]:
    specs = [path(spec, activation, number) for number in range(spec.runs)]
    return list(zip(specs, followed(spec, activation), strict=True))


def _line(spec: WeightSpaceSpec, own: paths.PathSpec, positions: tuple[float, ...]) -> lines.LineSpec:
    return lines.LineSpec(own, positions, spec.attacked, spec.unseen, spec.gamma, spec.samples, spec.seed)
