"""Compute rows of Table 1 without Jupyter: `python -m neighborhoods.studies.persistence --help`."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neighborhoods import profiles
from neighborhoods.progress import message
from neighborhoods.store import Item, Store, default_store
from neighborhoods.studies.persistence import table
from neighborhoods.studies.trained import spans


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute each row asked for, as far as the time goes; 0 also when it ran out."""
    options = _parser().parse_args(arguments)
    deadline = time.monotonic() + 60 * options.minutes
    try:
        spec = profiles.networks(options.profile)
        names = tuple(options.only or spec.networks)
        plans: list[list[Item[Any]]] = [
            [*spans(table.training(spec, name)), table.row(spec, name)] for name in names
        ]
    except ValueError as error:
        message(f"persistence: {error}")
        return 2
    store = default_store()
    for name, plan in zip(names, plans, strict=True):
        for item in plan:
            if time.monotonic() > deadline:
                message(f"persistence: out of time at {name}; the same command goes on from here")
                return 0
            store.get(item)
        _write(store, spec, name, options.out)
    return 0


def _write(store: Store, spec: profiles.NetworksSpec, name: str, folder: Path) -> None:
    """Write the row, the measurements behind it, and what made them."""
    folder.mkdir(parents=True, exist_ok=True)
    row, levelled = table.row(spec, name), table.levelled(spec, name)
    store.get(row).to_csv(folder / f"{name}.csv", index=False)
    columns = ["level", "side", "pair", "depth", "distance", "keeps", "sigma", "status"]
    measured: pd.DataFrame = store.get(levelled)[columns]
    measured.to_csv(folder / f"{name}.levels.csv", index=False, float_format="%.6g")
    items: dict[str, Item[Any]] = {
        "row": row,
        "levels": levelled,
        "attack": table.attacked(spec, name),
        "training": table.trained(spec, name),
    }
    manifests = {key: store.manifest(item) for key, item in items.items()}
    (folder / f"{name}.json").write_text(json.dumps(manifests, indent=1) + "\n", encoding="utf-8")
    message(f"persistence: {folder / name}.csv")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m neighborhoods.studies.persistence", description=__doc__)
    parser.add_argument("--profile", default="paper", help="smoke, quick or paper")
    parser.add_argument(
        "--only", action="append", metavar="NETWORK", help="a row of Table 1; may be repeated"
    )
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help="start nothing new after this time"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables and their manifests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
