"""The persistence chapter's plan: which item is computed from which, one function an item.

    trained ── attacked ─┬─ measured          persistence of adversaries and natural images
                         ├─ curves            class frequencies against σ
                         ├─ matched           both sides of the boundary at equal distance
                         ├─ settings          the attack's ε, α and stopping rule varied
                         ├─ gammas, balls     other γ, other noise
                         └─ background        which class takes over from the adversarial one
    norms                                     lengths of Gaussian and ball samples

Each function takes the chapter's numbers and returns an `Item` for `Store.get`.
"""

import pandas as pd
from torch import Tensor

from neighborhoods.models.training import TrainingSpec
from neighborhoods.profiles import PersistenceSpec
from neighborhoods.store import Item
from neighborhoods.studies.persistence import (
    adversaries,
    background,
    curves,
    matched,
    measure,
    norms,
    settings,
    variants,
)
from neighborhoods.studies.trained import trained as trained_item


def trained(spec: PersistenceSpec) -> Item[dict[str, Tensor]]:
    """Parameters and history of the chapter's network."""
    numbers = TrainingSpec(spec.network, spec.train_images, spec.epochs, penalty=spec.penalty, seed=spec.seed)
    return trained_item(numbers)


def attacked(spec: PersistenceSpec) -> Item[dict[str, Tensor]]:
    """Adversaries of `sources` test images, one for each of the nine other classes."""
    numbers = adversaries.AttackSpec(
        spec.network, spec.sources, spec.epsilon, spec.alpha, spec.steps, spec.seed
    )
    return Item(adversaries.attack, numbers, (trained(spec),))


def measured(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Persistence of every adversary and of as many natural images (Figure 10)."""
    numbers = measure.MeasureSpec(
        spec.network, spec.gamma, spec.persistence_samples, spec.naturals, spec.seed
    )
    return Item(measure.measure, numbers, (trained(spec), attacked(spec)))


def curved(spec: PersistenceSpec) -> Item[dict[str, Tensor]]:
    """Class frequencies around a natural 1 and its nine adversaries (Figures 9 and 13)."""
    numbers = curves.CurveSpec(
        spec.network,
        spec.sigma_max,
        spec.sigmas,
        spec.samples,
        spec.epsilon,
        spec.alpha,
        spec.steps,
        spec.seed,
    )
    return Item(curves.curve, numbers, (trained(spec),))


def mirrored(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Persistence at stated distances on both sides of the boundary that an attack crosses."""
    numbers = matched.MatchedSpec(spec.network, spec.gamma, spec.persistence_samples, spec.studied, spec.seed)
    return Item(matched.match, numbers, (trained(spec), attacked(spec)))


def varied(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Overshoot and persistence for a grid of attack settings."""
    numbers = settings.SettingsSpec(
        spec.network, spec.gamma, spec.persistence_samples, spec.studied, spec.steps, spec.seed
    )
    return Item(settings.vary, numbers, (trained(spec), attacked(spec)))


def gammas(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Persistence of adversaries and natural images for a range of γ."""
    return Item(variants.gammas, _variant(spec), (trained(spec), attacked(spec)))


def balls(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Persistence under uniform balls of radius σ√n beside Gaussian noise."""
    return Item(variants.balls, _variant(spec), (trained(spec), attacked(spec)))


def overtaken(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Which class leads around adversaries as σ grows."""
    numbers = background.BackgroundSpec(spec.network, spec.sigma_max, spec.studied, spec.seed)
    return Item(background.overtake, numbers, (trained(spec), attacked(spec)))


def lengths(spec: PersistenceSpec) -> Item[pd.DataFrame]:
    """Norms of Gaussian and uniform-ball samples in 784 and 196 608 dimensions (Figure 19)."""
    return Item(norms.norms, norms.NormsSpec(spec.low_norms, spec.high_norms, spec.seed))


def _variant(spec: PersistenceSpec) -> variants.VariantSpec:
    return variants.VariantSpec(spec.network, spec.gamma, spec.persistence_samples, spec.studied, spec.seed)
