"""Compute Table 2 without Jupyter: `python -m neighborhoods.studies.imagenet --help`.

Some targets of one photograph under one attack are a piece by itself, of a few minutes at most; what is
finished stays in the store. All attacks at all networks take the first photograph, then the next, so that the
tables, which are written each time, compare the same pairs however early the time is out. Those of all
networks that lie in the folder are summarised together.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from neighborhoods import profiles
from neighborhoods.models import pretrained
from neighborhoods.progress import message
from neighborhoods.store import Item, Store, default_store
from neighborhoods.studies import imagenet as study
from neighborhoods.studies.command import completed, parser
from neighborhoods.studies.imagenet import kept


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute the pairs of each network asked for, as far as the time goes; 0 also when it ran out."""
    options = _parser().parse_args(arguments)
    store = default_store()
    try:
        spec = profiles.imagenet(options.profile, images=options.images, device=options.device)
        there, missing = pretrained.at_hand(tuple(options.only or spec.networks))
        spec = replace(spec, networks=there)
        plans = _plans(spec, store)
    except ValueError as error:
        message(f"imagenet: {error}")
        return 2
    for text in missing:
        message(f"imagenet: left out: {text}")
    for name in completed("imagenet", plans, store, options.minutes, options.jobs):
        message(f"imagenet: {name}")
        _write(store, spec, options.out)
    _write(store, spec, options.out)
    return 0


def _plans(spec: profiles.ImagenetSpec, store: Store) -> dict[str, list[Item[Any]]]:
    """Return what is computed in which turn, each turn for all networks."""
    tables = {name: store.get(study.chosen(spec, name)) for name in spec.networks}
    plans: dict[str, list[Item[Any]]] = {
        "photographs": [study.natural(spec, name, table) for name, table in tables.items()]
    }
    turns = _turns(spec, tables)
    first = next(iter(turns))
    plans |= {first: turns[first], "figures": study.shown(spec, store)}
    plans["least distortion"] = [study.leasts(spec, name, table) for name, table in tables.items()]
    return plans | turns


def _turns(spec: profiles.ImagenetSpec, tables: dict[str, pd.DataFrame]) -> dict[str, list[Item[Any]]]:
    """Return the pieces of all networks by turns, the first photograph of each before the second of any."""
    every = [
        (piece.first, study.attackable(tables[name], spec.attacked).index(piece.image), piece)
        for name in tables
        for piece in study.pieces(spec, name, tables[name])
    ]
    turns: dict[str, list[Item[Any]]] = {}
    for first, place, piece in sorted(every, key=lambda one: one[:2]):
        turns.setdefault(f"targets from {first + 1} on, photograph {place + 1}", []).append(piece.item)
    return turns


def _write(store: Store, spec: profiles.ImagenetSpec, folder: Path) -> None:
    """Write the tables of what is finished."""
    for name in spec.networks:
        kept.write(store, spec, name, folder)
    kept.write_figures(store, spec, folder)
    if any((folder / f"{name}.csv").exists() for name in spec.networks):
        kept.write_summary(spec, folder)
        message(f"imagenet: {folder / 'table_2.csv'}")


def _parser() -> Any:
    options = parser("neighborhoods.studies.imagenet", __doc__, "a network of Table 2", rounded=False)
    options.add_argument("--images", default="", metavar="FOLDER", help="photographs; the twenty by default")
    options.add_argument("--jobs", type=int, default=1, help="processes, which share a device")
    return options


if __name__ == "__main__":
    sys.exit(main())
