"""The ImageNet chapter's plan, one function an item; every item begins with a network and photographs.

    chosen ─┬─ natural                    persistence of the photographs
            ├─ least                      adversaries of least distortion
            └─ attacked ─┬─ paired        persistence of adversaries and their partners, by some targets
                         ├─ curved        class frequencies around a photograph and an adversary
                         └─ lined         persistence along the line between them

Which photographs a network gets right decides what is attacked, so most functions take the table of `chosen`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import pandas as pd
from torch import Tensor

from neighborhoods.cluster import side_by_side
from neighborhoods.models import pretrained
from neighborhoods.profiles import ImagenetSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies.imagenet import adversaries, curves, least, lines, measure, subjects

INDIGO_BUNTING, ALLIGATOR_LIZARD = 14, 44  # the targets of the draft's figures


@dataclass(frozen=True)
class Shown:
    """A pair that a figure shows: network and photograph by their places, the attack, the target."""

    network: Literal["first", "last"]
    photograph: int
    method: str
    target: int


PAIR = Shown("first", 0, "BIM", INDIGO_BUNTING)
SECOND = Shown("first", 1, "BIM", INDIGO_BUNTING)
OTHER_NETWORK = Shown("last", 0, "PGD", INDIGO_BUNTING)
OTHER_TARGET = Shown("first", 0, "PGD", ALLIGATOR_LIZARD)
LINES = (PAIR, OTHER_NETWORK)
CURVES = (
    (PAIR, curves.KINDS),
    (SECOND, curves.KINDS[:1]),
    (OTHER_NETWORK, curves.KINDS[1:]),
    (OTHER_TARGET, curves.KINDS[1:]),
)


class Piece(NamedTuple):
    """What is measured as one item: adversaries of a photograph by an attack, from a first target on."""

    network: str
    method: str
    image: int
    first: int
    item: Item[pd.DataFrame]


def at_hand(spec: ImagenetSpec) -> tuple[str, ...]:
    """Return the networks of the profile whose weights are on this machine."""
    return pretrained.at_hand(spec.networks)[0]


def subject(spec: ImagenetSpec, network: str) -> subjects.Subject:
    """Return a network with the chapter's photographs."""
    return subjects.subject(network, spec.images, spec.seed, spec.device)


def chosen(spec: ImagenetSpec, network: str) -> Item[pd.DataFrame]:
    """What a network makes of each photograph, and in which order they are attacked."""
    return Item(subjects.choose, subject(spec, network))


def attackable(table: pd.DataFrame, count: int) -> list[int]:
    """Return the numbers of the first photographs that are classified correctly.

    Raises:
        ValueError: there is none.
    """
    right = table.loc[table["predicted"] == table["label"], "image"].astype(int).tolist()
    if not right:
        raise ValueError(f"images: none of {len(table)} is classified correctly; at least one must be")
    return right[:count]


def natural(spec: ImagenetSpec, network: str, table: pd.DataFrame) -> Item[pd.DataFrame]:
    """Persistence of the photographs that are attacked."""
    images = tuple(attackable(table, spec.attacked))
    return Item(measure.naturals, measure.NaturalSpec(subject(spec, network), images, _measure(spec)))


def attacked(aim: adversaries.Aim) -> Item[dict[str, Tensor]]:
    """Adversaries of one photograph by one attack."""
    return Item(adversaries.attack, aim)


def paired(
    spec: ImagenetSpec, of: subjects.Subject, method: str, image: int, first: int = 0
) -> Item[pd.DataFrame]:
    """Some of the adversaries of one photograph by one attack, each with its partner."""
    targets = tuple(subjects.other_classes(of, image, spec.targets).tolist())
    aim = adversaries.Aim(of, method, _settings(spec, method), image, targets)
    numbers = measure.PairsSpec(
        aim, first, spec.part, _measure(spec), spec.levels, spec.level_draws, spec.sigma_max
    )
    return Item(measure.pairs, numbers, (attacked(aim),))


def pieces(spec: ImagenetSpec, network: str, table: pd.DataFrame) -> list[Piece]:
    """Return what Table 2 needs of a network: some targets of each photograph, then some more of each."""
    of = subject(spec, network)
    return [
        Piece(network, method, image, first, paired(spec, of, method, image, first))
        for first in range(0, spec.targets, spec.part)
        for image in attackable(table, spec.attacked)
        for method in spec.methods
    ]


def leasts(spec: ImagenetSpec, network: str, table: pd.DataFrame) -> Item[dict[str, Tensor]]:
    """Adversaries of least distortion (Figures 4 and 5)."""
    images = tuple(attackable(table, spec.least))
    numbers = least.LeastSpec(subject(spec, network), images, spec.least, spec.rounds, spec.iterations)
    return Item(least.attack, numbers)


def curved(
    spec: ImagenetSpec, store: Store, pair: Shown, kinds: tuple[str, ...] = curves.KINDS
) -> Item[dict[str, Tensor]]:
    """Class frequencies around a photograph, its adversary, or both (Figures 11 and 17)."""
    towards = aim(spec, store, pair)
    numbers = curves.CurveSpec(towards, kinds, spec.sigma_max, spec.sigmas, spec.draws)
    return Item(curves.curve, numbers, (attacked(towards),))


def lined(spec: ImagenetSpec, store: Store, pair: Shown) -> Item[pd.DataFrame]:
    """Persistence along the line between a photograph and its adversary (Figures 12 and 18)."""
    towards = aim(spec, store, pair)
    numbers = lines.LineSpec(towards, spec.line, spec.gammas, spec.line_samples, spec.sigma_least)
    return Item(lines.measure, numbers, (attacked(towards),))


def aim(spec: ImagenetSpec, store: Store, pair: Shown) -> adversaries.Aim:
    """Return the attack behind a figure."""
    network = at_hand(spec)[0 if pair.network == "first" else -1]
    table = store.get(chosen(spec, network))
    images = attackable(table[table["label"] != pair.target], pair.photograph + 1)
    settings = _settings(spec, pair.method)
    return adversaries.Aim(subject(spec, network), pair.method, settings, images[-1], (pair.target,))


def items(spec: ImagenetSpec, store: Store, network: str) -> list[Item[Any]]:
    """Return what Table 2 and Figure 5 need of a network, in the order in which it is computed."""
    table = store.get(chosen(spec, network))
    pairs = [piece.item for piece in pieces(spec, network, table)]
    return [natural(spec, network, table), leasts(spec, network, table), *pairs]


def shown(spec: ImagenetSpec, store: Store) -> list[Item[Any]]:
    """Return what the figures show beside Table 2."""
    around = [curved(spec, store, pair, kinds) for pair, kinds in CURVES]
    return [*around, *(lined(spec, store, pair) for pair in LINES)]


def compute(spec: ImagenetSpec, store: Store, *, jobs: int = 2) -> None:
    """Compute what the chapter shows, side by side where it is not stored."""
    todo = [*shown(spec, store), *(item for name in at_hand(spec) for item in items(spec, store, name))]
    side_by_side(partial(_store, store), todo, jobs=jobs)


def measured(
    spec: ImagenetSpec, store: Store, network: str, finished: Sequence[Piece] | None = None
) -> pd.DataFrame:
    """Return the rows of a network's adversaries and partners, or of some pieces, with the photographs'.

    Columns: ``network``, ``method``, ``image``, ``label``, ``natural`` (σ* of the photograph),
    ``natural_low``, ``natural_high``, ``natural_status``, and those of `measure.pairs`.
    """
    table = store.get(chosen(spec, network))
    own = store.get(natural(spec, network, table)).set_index("image")
    own = own[["label", "sigma", "low", "high", "status"]].set_axis(
        ["label", "natural", "natural_low", "natural_high", "natural_status"], axis=1
    )
    parts = [
        store.get(piece.item).assign(network=network, method=piece.method, image=piece.image)
        for piece in (pieces(spec, network, table) if finished is None else finished)
    ]
    return pd.concat(parts, ignore_index=True).join(own, on="image")


def _store(store: Store, item: Item[Any]) -> None:
    store.get(item)  # its value would only travel between processes


def _measure(spec: ImagenetSpec) -> measure.Measure:
    return measure.Measure(spec.gamma, spec.samples, spec.sigma_least)


def _settings(spec: ImagenetSpec, method: str) -> tuple[tuple[str, float], ...]:
    return (("rounds", spec.cw_rounds), ("steps", spec.cw_steps)) if method == "CW" else ()
