"""Compute rows of Table 1 without Jupyter: `python -m neighborhoods.studies.persistence --help`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neighborhoods import profiles
from neighborhoods.progress import message
from neighborhoods.store import Item, Store, default_store
from neighborhoods.studies.command import completed, parser
from neighborhoods.studies.persistence import table
from neighborhoods.studies.trained import spans

MEASURED = ["level", "side", "pair", "depth", "distance", "keeps", "sigma", "status"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute each row asked for, as far as the time goes; 0 also when it ran out."""
    options = parser("neighborhoods.studies.persistence", __doc__, "a row of Table 1").parse_args(arguments)
    try:
        spec = profiles.networks(options.profile, device=options.device, tf32=options.tf32)
        plans: dict[str, list[Item[Any]]] = {
            name: [*spans(table.training(spec, name)), *_written(spec, name).values()]
            for name in options.only or spec.networks
        }
    except ValueError as error:
        message(f"persistence: {error}")
        return 2
    store = default_store()
    for name in completed("persistence", plans, store, options.minutes):
        _write(store, spec, name, options.out)
    return 0


def _written(spec: profiles.NetworksSpec, name: str) -> dict[str, Item[Any]]:
    """Return the items behind a row, each after what it is made from."""
    compared = {"precision": table.compared(spec, name)} if table.rounded(spec, name) else {}
    return {
        "training": table.trained(spec, name),
        "attack": table.attacked(spec, name),
        **compared,
        "levels": table.levelled(spec, name),
        "row": table.row(spec, name),
    }


def _write(store: Store, spec: profiles.NetworksSpec, name: str, folder: Path) -> None:
    """Write the row, the measurements behind it, and what made them."""
    folder.mkdir(parents=True, exist_ok=True)
    items = _written(spec, name)
    measured: pd.DataFrame = store.get(items["levels"])[MEASURED]
    measured.to_csv(folder / f"{name}.levels.csv", index=False, float_format="%.6g")
    if "precision" in items:
        store.get(items["precision"]).to_csv(folder / f"{name}.precision.csv", index=False)
    store.get(items["row"]).to_csv(folder / f"{name}.csv", index=False)
    manifests = {key: store.manifest(item) for key, item in items.items()}
    (folder / f"{name}.json").write_text(json.dumps(manifests, indent=1) + "\n", encoding="utf-8")
    message(f"persistence: {folder / name}.csv")


if __name__ == "__main__":
    sys.exit(main())
