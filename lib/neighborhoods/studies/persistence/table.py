"""The plan of Table 1: each network is trained, attacked at least distortion, measured and summarised.

trained ─┬─ attacked ─┬─ levelled ── row
         └────────────┘
"""

import pandas as pd
from joblib import Parallel, delayed
from torch import Tensor

from neighborhoods.models.training import TrainingSpec
from neighborhoods.profiles import NetworksSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies.persistence import levels, minimum, rows, zoo
from neighborhoods.studies.trained import trained as trained_item


def training(spec: NetworksSpec, name: str) -> TrainingSpec:
    """Return how a network of Table 1 is trained."""
    entry = zoo.entry(name)
    epochs = spec.convolutional_epochs if entry.convolutional else spec.epochs
    return TrainingSpec(
        entry.network, spec.images, epochs, penalty=entry.penalty, reading="units", seed=spec.seed
    )


def trained(spec: NetworksSpec, name: str) -> Item[dict[str, Tensor]]:
    """Parameters and history of a network of Table 1."""
    return trained_item(training(spec, name))


def attacked(spec: NetworksSpec, name: str) -> Item[dict[str, Tensor]]:
    """Adversaries of least distortion, one an image."""
    numbers = minimum.MinimumSpec(zoo.entry(name).network, spec.pairs, spec.seed)
    return Item(minimum.attack, numbers, (trained(spec, name),))


def levelled(spec: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Persistence of images, and of adversaries and their partners at three depths."""
    entry = zoo.entry(name)
    numbers = levels.LevelsSpec(
        entry.network,
        spec.gamma,
        spec.convolutional_samples if entry.convolutional else spec.samples,
        spec.pairs,
        float(zoo.reported()["distortion"].to_dict()[name]),
        spec.margin,
        spec.seed,
    )
    return Item(levels.measure, numbers, (trained(spec, name), attacked(spec, name)))


def row(spec: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """The network's part of Table 1."""
    parents = (trained(spec, name), attacked(spec, name), levelled(spec, name))
    return Item(rows.summarise, rows.RowSpec(name, spec.seed), parents)


def table(store: Store, spec: NetworksSpec, *, jobs: int = 2) -> pd.DataFrame:
    """Return the rows of every network of the profile, computed side by side where they are not stored."""
    # The largest first: the last to finish should be a small one.
    names = sorted(spec.networks, key=list(zoo.ENTRIES).index, reverse=True)
    parts: list[pd.DataFrame] = Parallel(n_jobs=jobs)(delayed(store.get)(row(spec, name)) for name in names)
    return pd.concat(parts[::-1], ignore_index=True)
