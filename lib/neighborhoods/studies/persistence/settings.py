"""How the attack's settings change its overshoot, and with it the persistence of its adversaries."""

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Literal

import pandas as pd
from torch import Tensor, nn

from neighborhoods.kernels.attacks import Attack, igsm
from neighborhoods.kernels.persistence import persistence
from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models.networks import load
from neighborhoods.progress import bar
from neighborhoods.studies.persistence.chords import chords
from neighborhoods.studies.persistence.tables import generator, grouped

EPSILONS = (0.15, 0.25, 0.35)
ALPHAS = (0.0025, 0.01, 0.04)
STOPS: tuple[Literal["success", "never"], ...] = ("success", "never")


@dataclass(frozen=True)
class SettingsSpec:
    """Numbers of the grid.

    Attributes:
        network: name of the network.
        gamma: share of the noise that must keep the class.
        samples: size of the noise set of each group.
        studied: image × target pairs attacked at each setting.
        steps: greatest number of steps of an attack.
        seed: of the noise.
    """

    network: str
    gamma: float
    samples: int
    studied: int
    steps: int
    seed: int


def vary(spec: SettingsSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a setting and pair: ``epsilon``, ``alpha``, ``stop``, ``pair``, ``success``,
    ``distortion``,
    ``overshoot``, ``cosine``, ``side``, ``keeps``, ``sigma``, ``low``, ``high``, ``status``.

    Each successful pair has two rows: the adversary, and its mirror image at the same distance on the natural
    side of the boundary that the attack crossed. A failed pair has one row of status "failed".
    """
    network = load(spec.network, trained)
    natural, label, target = (attacked[name][: spec.studied] for name in ("natural", "label", "target"))
    grid = list(product(EPSILONS, ALPHAS, STOPS))
    tables = []
    for epsilon, alpha, stop in bar(grid, description="attack settings"):
        result = igsm(
            network, natural, label, targets=target, epsilon=epsilon, alpha=alpha, steps=spec.steps, stop=stop
        )
        table = _sides(spec, network, natural, target, result)
        tables.append(table.assign(epsilon=epsilon, alpha=alpha, stop=stop))
    return pd.concat(tables, ignore_index=True)


def _sides(
    spec: SettingsSpec, network: nn.Module, natural: Tensor, target: Tensor, result: Attack
) -> pd.DataFrame:
    """Measure the adversaries and their mirror images, and keep a row for each pair that failed."""
    chosen = result.success.nonzero().squeeze(1)
    failed = (~result.success).nonzero().squeeze(1)
    chord = chords(network, natural[chosen], result.points[chosen])
    tables = [pd.DataFrame({"pair": failed.numpy(), "side": "adversarial", "status": "failed"})]
    for side, sign, labels in (("adversarial", 1, target[chosen]), ("natural", -1, chord.before)):
        points = chord.at(sign * chord.overshoot)
        kernel = partial(
            persistence, network, gamma=spec.gamma, samples=spec.samples, generator=generator(spec.seed)
        )
        rows = {
            "pair": chosen.numpy(),
            "side": side,
            "overshoot": chord.overshoot.numpy(),
            "cosine": chord.cosine.numpy(),
            "keeps": (labels_of(network, points) == labels).numpy(),
        }
        tables.append(pd.DataFrame(rows).join(grouped(kernel, points, f"{side} side")))
    joined = pd.concat([table for table in tables if len(table)], ignore_index=True)
    attacks = pd.DataFrame({"success": result.success.numpy(), "distortion": result.distortion.numpy()})
    return joined.join(attacks, on="pair")
