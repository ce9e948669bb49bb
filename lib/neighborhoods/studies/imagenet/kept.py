"""Tables of a run without Jupyter: what of it is finished and what made it, written and read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neighborhoods.digests import canonical
from neighborhoods.models import pretrained
from neighborhoods.profiles import ImagenetSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies import imagenet as study
from neighborhoods.studies.imagenet import curves, summary

LEAST = ("image", "label", "target", "success", "distortion", "overshoot", "evaluations")
RESULTS = Path(__file__).resolve().parents[4] / "results" / "paper" / "imagenet"
DIGITS = "%.6g"
SHARE = 0.05  # classes that have less of the noise at every σ are left out of what is kept of a curve


def write(store: Store, spec: ImagenetSpec, network: str, folder: Path) -> None:
    """Write a network's finished rows, its adversaries of least distortion, and what made them.

    `NAME.json` says how many pairs were planned and how many of them were attacked.
    """
    table = store.get(study.chosen(spec, network))
    own, least = study.natural(spec, network, table), study.leasts(spec, network, table)
    pieces = study.pieces(spec, network, table)
    finished = [piece for piece in pieces if store.has(piece.item)] if store.has(own) else []
    done: list[Item[Any]] = [own, *(piece.item for piece in finished)] if store.has(own) else []
    if finished:
        rows = study.measured(spec, store, network, finished)
        _csv(rows, folder / f"{network}.csv")
    if store.has(least):
        found = store.get(least)
        _csv(pd.DataFrame({name: found[name].numpy() for name in LEAST}), folder / f"{network}.least.csv")
        done.append(least)
    if done:
        planned = len(study.attackable(table, spec.attacked)) * spec.targets * len(spec.methods)
        pairs = int((rows["side"] == "adversarial").sum()) if finished else 0
        counts = {"network": network, "planned": planned, "attacked": pairs}
        _provenance(store, spec, done, folder / f"{network}.json", counts)


def write_figures(store: Store, spec: ImagenetSpec, folder: Path) -> None:
    """Write what is finished of the lines and of the class frequencies, each row with its attack."""
    lined = [(pair, study.lined(spec, store, pair)) for pair in study.LINES]
    curved = [(pair, kinds, study.curved(spec, store, pair, kinds)) for pair, kinds in study.CURVES]
    lines = [store.get(item).assign(**_named(spec, store, pair)) for pair, item in lined if store.has(item)]
    shares = [
        curves.tidy(store.get(item), place, least=SHARE).assign(kind=kind, **_named(spec, store, pair))
        for pair, kinds, item in curved
        if store.has(item)
        for place, kind in enumerate(kinds)
    ]
    for name, parts in (("lines", lines), ("curves", shares)):
        if parts:
            _csv(pd.concat(parts, ignore_index=True), folder / f"{name}.csv")
    every: list[Item[Any]] = [*(item for _, item in lined), *(item for *_, item in curved)]
    done = [item for item in every if store.has(item)]
    if done:
        _provenance(store, spec, done, folder / "figures.json", {"planned": len(lined) + len(curved)})


def read(folder: Path) -> pd.DataFrame:
    """Return the rows of all networks that lie in a folder."""
    paths = [folder / f"{name}.csv" for name in pretrained.NAMES]
    return pd.concat([pd.read_csv(path) for path in paths if path.exists()], ignore_index=True)


def manifests(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what made the rows of each network that lies in a folder, as `write` left it."""
    paths = {name: folder / f"{name}.json" for name in pretrained.NAMES}
    return {name: json.loads(path.read_text("utf-8")) for name, path in paths.items() if path.exists()}


def planned(folder: Path) -> dict[str, int]:
    """Return how many pairs were planned for each network whose rows lie in a folder."""
    return {name: found["planned"] for name, found in manifests(folder).items()}


def table_2(folder: Path, networks: Sequence[str], methods: Sequence[str]) -> pd.DataFrame:
    """Return the summary that lies in a folder, with a row without numbers for what did not run."""
    found = pd.read_csv(folder / "table_2.csv").set_index(["network", "method"])
    index = pd.MultiIndex.from_product([networks, [*methods, "all"]], names=found.index.names)
    return found.reindex(index).reset_index()


def write_summary(spec: ImagenetSpec, folder: Path) -> None:
    """Write Table 2 of all networks that lie in a folder, with the pairs that were planned for each row."""
    merged = summary.table_2(read(folder))
    whole = merged["network"].map(planned(folder))
    each = (whole // len(spec.methods)).where(merged["method"] != "all", whole)
    merged.insert(2, "planned", each)
    _csv(merged, folder / "table_2.csv")


def _named(spec: ImagenetSpec, store: Store, pair: "study.Shown") -> dict[str, Any]:
    aim = study.aim(spec, store, pair)
    return {"network": aim.subject.network, "method": aim.method, "image": aim.image, "target": pair.target}


def _csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as a whole or not at all: the time may run out for the process itself."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    table.to_csv(temporary, index=False, float_format=DIGITS)
    temporary.replace(path)


def _provenance(
    store: Store, spec: ImagenetSpec, items: Sequence[Item[Any]], path: Path, counts: dict[str, Any]
) -> None:
    """Write what made some items: once what they share, and of each its hash and seconds."""
    manifests = {item.name: store.manifest(item) for item in items}
    first, *others = manifests.values()
    shared = {key: value for key, value in first.items() if all(value == other[key] for other in others)}
    own = {
        name: {"sha256": each["artifact"]["sha256"], "seconds": each["seconds"], "made": each["made"]}
        for name, each in manifests.items()
    }
    whole = {**counts, "sizes": canonical(spec), **shared, "items": own}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".json.tmp")
    temporary.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)
