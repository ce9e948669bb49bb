"""The plan of the chapter on networks at random and networks made robust: which item comes from which.

    trained ─┬─ walked           classes on segments under dropout
             ├─ accuracies       of the networks with each defence
             └─ measured         distances to adversaries, and persistence
    drawn                        outputs of networks with random parameters

Each function takes the chapter's numbers and returns an `Item` for `Store.get`.
"""

import pandas as pd
from torch import Tensor

from neighborhoods.models.defences import Defence, DefenceSpec, train
from neighborhoods.profiles import RobustNetworksSpec
from neighborhoods.store import Item
from neighborhoods.studies.robust_networks import defended, dropout, random_networks


def drawn(spec: RobustNetworksSpec) -> Item[pd.DataFrame]:
    """Outputs of networks with random parameters."""
    numbers = random_networks.RandomSpec(
        spec.random_widths, spec.random_depths, spec.random_networks, spec.seed
    )
    return Item(random_networks.drawn, numbers)


def trained(training: DefenceSpec) -> Item[dict[str, Tensor]]:
    """Parameters of a network."""
    return Item(train, training)


def dropped_out(spec: RobustNetworksSpec, width: int) -> DefenceSpec:
    """How a network of two hidden layers of this width is trained with dropout."""
    return _training(spec, "dropout", spec.dropped, spec.seed, f"FC{width}-{width}-10")


def walked(spec: RobustNetworksSpec, width: int) -> Item[dict[str, Tensor]]:
    """Classes on segments between images, for a network trained with dropout."""
    training = dropped_out(spec, width)
    numbers = dropout.WalkSpec(training, spec.pairs, spec.masks, spec.places, spec.seed)
    return Item(dropout.walks, numbers, (trained(training),))


def strengths(spec: RobustNetworksSpec) -> dict[Defence, float]:
    """The defences and their strengths, in the order of the tables."""
    return {
        "none": 0.0,
        "penalty": spec.penalty,
        "components": float(spec.components),
        "soft neighbours": spec.entanglement,
        "noise": spec.deviation,
        "adversaries": spec.radius,
    }


def trainings(spec: RobustNetworksSpec) -> tuple[DefenceSpec, ...]:
    """How each defended network is trained; networks of one seed start from the same parameters."""
    seeds = range(spec.seed, spec.seed + spec.seeds)
    pairs = [(seed, *pair) for pair in strengths(spec).items() for seed in seeds]
    return tuple(_training(spec, kind, much, seed, spec.network) for seed, kind, much in pairs)


def accuracies(spec: RobustNetworksSpec) -> Item[pd.DataFrame]:
    """Accuracy of every defended network on all test images."""
    return Item(defended.accuracies, _compared(spec), _networks(spec))


def measured(spec: RobustNetworksSpec) -> Item[pd.DataFrame]:
    """Distances to adversaries and persistence, one row a network and image."""
    return Item(defended.measured, _compared(spec), _networks(spec))


def _networks(spec: RobustNetworksSpec) -> tuple[Item[dict[str, Tensor]], ...]:
    return tuple(trained(training) for training in trainings(spec))


def _compared(spec: RobustNetworksSpec) -> defended.DefendedSpec:
    return defended.DefendedSpec(
        trainings(spec),
        spec.measured,
        spec.nearest,
        spec.components,
        spec.gamma,
        spec.samples,
        spec.seed,
    )


def _training(
    spec: RobustNetworksSpec, defence: Defence, strength: float, seed: int, network: str
) -> DefenceSpec:
    numbers = (spec.images, spec.epochs, spec.batch, spec.rate)
    return DefenceSpec(network, defence, strength, *numbers, seed=seed)
