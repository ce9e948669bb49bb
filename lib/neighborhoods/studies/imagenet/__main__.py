"""Compute Table 2 without Jupyter: `python -m neighborhoods.studies.imagenet --help`.

Each photograph under each attack is a piece by itself, of a few minutes at most; what is finished stays in
the store. The tables of all networks that lie in the folder are summarised together.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neighborhoods import profiles
from neighborhoods.models import pretrained
from neighborhoods.progress import message
from neighborhoods.store import Item, Store, default_store
from neighborhoods.studies import imagenet as study
from neighborhoods.studies.command import completed, parser
from neighborhoods.studies.imagenet import summary

LEAST = ("image", "label", "target", "success", "distortion", "overshoot", "evaluations")
DIGITS = "%.6g"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute the rows of each network asked for, as far as the time goes; 0 also when it ran out."""
    options = _parser().parse_args(arguments)
    store = default_store()
    try:
        spec = profiles.imagenet(options.profile, images=options.images, device=options.device)
        plans = _plans(spec, store, tuple(options.only or spec.networks))
    except ValueError as error:
        message(f"imagenet: {error}")
        return 2
    for name in completed("imagenet", plans, store, options.minutes):
        _write(store, spec, name, plans[name], options.out)
    return 0


def _plans(spec: profiles.ImagenetSpec, store: Store, names: tuple[str, ...]) -> dict[str, list[Item[Any]]]:
    """Return the items of each network whose weights are there; say what to do about the others."""
    there, missing = pretrained.at_hand(names)
    for text in missing:
        message(f"imagenet: left out: {text}")
    return {name: study.items(spec, store, name) for name in there}


def _write(
    store: Store, spec: profiles.ImagenetSpec, name: str, items: Sequence[Item[Any]], folder: Path
) -> None:
    """Write a network's rows, its adversaries of least distortion, and what made them; then the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = study.measured(spec, store, name)
    rows.to_csv(folder / f"{name}.csv", index=False, float_format=DIGITS)
    least = store.get(study.leasts(spec, name, store.get(study.chosen(spec, name))))
    table = pd.DataFrame({column: least[column].numpy() for column in LEAST})
    table.to_csv(folder / f"{name}.least.csv", index=False, float_format=DIGITS)
    manifests = {item.name: store.manifest(item) for item in items}
    (folder / f"{name}.json").write_text(json.dumps(manifests, indent=1) + "\n", encoding="utf-8")
    merged = summary.table_2(summary.read(folder))
    merged.to_csv(folder / "table_2.csv", index=False, float_format=DIGITS)
    message(f"imagenet: {folder / name}.csv")


def _parser() -> Any:
    options = parser("neighborhoods.studies.imagenet", __doc__, "a network of Table 2", rounded=False)
    options.add_argument("--images", default="", metavar="FOLDER", help="photographs; the twenty by default")
    return options


if __name__ == "__main__":
    sys.exit(main())
