"""The plan of Table 1: each network is trained, attacked at least distortion, measured and summarised.

trained ─┬─ attacked ──┬─ levelled ── row
         ├─ compared ──┤   (TF32 against single precision, where it is asked for)
         └─────────────┘
"""

import json
import math
from collections.abc import Hashable
from pathlib import Path

import pandas as pd
from torch import Tensor

from neighborhoods.cluster import side_by_side
from neighborhoods.models.training import TrainingSpec
from neighborhoods.profiles import NetworksSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies.persistence import agreement, levels, minimum, rows, zoo
from neighborhoods.studies.persistence import readings as penalty_readings
from neighborhoods.studies.trained import trained as trained_item

RESULTS = Path(__file__).resolve().parents[4] / "results" / "paper"
READING_EPOCHS = 5
COMPARED = 10_000
MISSING = "—"
DEPTHS = {"minimum": "(a) least", "draft": "(b) the draft's", "margin": "(c) margin"}
QUOTIENT = ["quotient", "quotient_low", "quotient_high"]
COLUMNS = {
    "epochs": "epochs",
    "accuracy": "accuracy %",
    "distortion": "least distortion",
    "natural": "σ* natural",
    "adversarial": "σ* adversarial, scaled",
    "quotients": "adversary / partner (a) · (b) · (c)",
}


def rounded(spec: NetworksSpec, name: str) -> bool:
    """Return whether a network may be trained and measured in TF32."""
    return spec.tf32 and zoo.entry(name).convolutional


def training(spec: NetworksSpec, name: str) -> TrainingSpec:
    """Return how a network of Table 1 is trained."""
    entry = zoo.entry(name)
    epochs = spec.convolutional_epochs if entry.convolutional else spec.epochs
    return TrainingSpec(
        entry.network,
        spec.images,
        epochs,
        penalty=entry.penalty,
        reading="units",
        seed=spec.seed,
        device=spec.device,
        tf32=rounded(spec, name),
    )


def trained(spec: NetworksSpec, name: str) -> Item[dict[str, Tensor]]:
    """Parameters and history of a network of Table 1."""
    return trained_item(training(spec, name))


def readings(spec: NetworksSpec) -> Item[pd.DataFrame]:
    """Accuracy of the affine networks in each reading of the penalty, after a few epochs."""
    return Item(penalty_readings.compare, TrainingSpec("FC10", spec.images, READING_EPOCHS, seed=spec.seed))


def attacked(spec: NetworksSpec, name: str) -> Item[dict[str, Tensor]]:
    """Adversaries of least distortion, one an image."""
    numbers = minimum.MinimumSpec(zoo.entry(name).network, spec.pairs, spec.seed, spec.device)
    return Item(minimum.attack, numbers, (trained(spec, name),))


def compared(spec: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """Labels of noisy images in TF32 against those in single precision."""
    numbers = agreement.AgreementSpec(zoo.entry(name).network, COMPARED, spec.device, spec.seed)
    return Item(agreement.agree, numbers, (trained(spec, name),))


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
        spec.device,
    )
    comparison = (compared(spec, name),) if rounded(spec, name) else ()
    return Item(levels.measure, numbers, (trained(spec, name), attacked(spec, name), *comparison))


def row(spec: NetworksSpec, name: str) -> Item[pd.DataFrame]:
    """The network's part of Table 1."""
    parents = (trained(spec, name), attacked(spec, name), levelled(spec, name))
    return Item(rows.summarise, rows.RowSpec(name, spec.seed), parents)


def table(store: Store, spec: NetworksSpec, *, jobs: int = 2) -> pd.DataFrame:
    """Return the rows of every network of the profile, computed side by side where they are not stored."""
    # The largest first: the last to finish should be a small one.
    names = sorted(spec.networks, key=list(zoo.ENTRIES).index, reverse=True)
    parts = side_by_side(store.get, [row(spec, name) for name in names], jobs=jobs)
    return pd.concat(parts[::-1], ignore_index=True)


def kept(spec: NetworksSpec, folder: Path) -> list[str]:
    """Return the networks whose rows the `paper` profile left in a folder, measured as the profile asks."""
    wanted = {"gamma": spec.gamma, "margin": spec.margin, "seed": spec.seed}
    manifests = {name: folder / f"{name}.json" for name in zoo.ENTRIES}
    return [
        name
        for name, path in manifests.items()
        if path.exists() and wanted.items() <= json.loads(path.read_text("utf-8"))["levels"]["spec"].items()
    ]


def computed_at_full_size(spec: NetworksSpec, folder: Path) -> pd.DataFrame:
    """Return the rows that are `kept` in a folder, none where there is none."""
    parts = [pd.read_csv(folder / f"{name}.csv") for name in kept(spec, folder)]
    return pd.concat([pd.DataFrame(columns=["network", "epochs", "level"]), *parts], ignore_index=True)


def comparisons(spec: NetworksSpec, folder: Path) -> pd.DataFrame:
    """Return how the labels of `kept` networks that were measured in TF32 compare, by ``network``."""
    paths = {name: folder / f"{name}.precision.csv" for name in kept(spec, folder)}
    parts = [pd.read_csv(path).assign(network=name) for name, path in paths.items() if path.exists()]
    return pd.concat([pd.DataFrame(columns=["network", "labels", "agreement"]), *parts], ignore_index=True)


def measurements(store: Store, spec: NetworksSpec, folder: Path) -> pd.DataFrame:
    """Return the measurements behind the rows of `together`, with the name of their ``network``."""
    full = kept(spec, folder)
    parts = [
        (
            pd.read_csv(folder / f"{name}.levels.csv") if name in full else store.get(levelled(spec, name))
        ).assign(network=name)
        for name in zoo.ENTRIES
        if name in full or name in spec.networks
    ]
    return pd.concat(parts, ignore_index=True)


def together(full: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at full size and those of other networks, in the order of Table 1.

    A quotient is missing where the median of a side lies below the least σ that is searched.
    """
    rows = pd.concat([full, computed[~computed["network"].isin(full["network"])]], ignore_index=True)
    rows.loc[(rows["ratio"] == 0) | (rows["natural_ratio"] == 0), QUOTIENT] = float("nan")
    order = {name: place for place, name in enumerate(zoo.ENTRIES)}
    return rows.sort_values("network", key=lambda names: names.map(order), kind="stable", ignore_index=True)


def depths(measured: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return what stands behind the quotients as it is printed: a row for each network and depth.

    The distance d is that from the tangent plane of the boundary. Medians are those of points that keep the
    class of their side; the quotient has its 95 % interval.
    """
    sides = measured[(measured["level"] != "natural") & measured["keeps"].astype("boolean").fillna(False)]
    values = sides.assign(ratio=sides["sigma"] / sides["distance"]).pivot_table(
        ["distance", "sigma", "ratio"], ["network", "level"], "side", aggfunc="median"
    )
    found = table.set_index(["network", "level"]).to_dict("index")
    medians = values.to_dict("index")
    rows = {
        (name, DEPTHS[level]): _deep(medians[name, level], found[name, level])
        for name in zoo.ENTRIES
        for level in DEPTHS
        if (name, level) in medians
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["network", "depth"])


def _deep(values: dict[Hashable, float], row: dict[Hashable, float]) -> dict[str, str]:
    return {
        "d": f"{values['distance', 'adversarial']:.2g}",
        "σ* adversary": _positive(values["sigma", "adversarial"], ".2g"),
        "σ* partner": _positive(values["sigma", "natural"], ".2g"),
        "σ*/d adversary": _positive(values["ratio", "adversarial"], ".2f"),
        "σ*/d partner": _positive(values["ratio", "natural"], ".2f"),
        "quotient": _interval(row),
    }


def again(full: pd.DataFrame, computed: pd.DataFrame) -> pd.DataFrame:
    """Return the quotient at the margin of networks that were kept and computed again, side by side."""
    parts = {"kept": full, "here": computed[computed["network"].isin(full["network"])]}
    rows = {
        name: {
            f"{place}: {title}": text
            for place, part in parts.items()
            for title, text in _quotient(part[part["network"] == name].set_index("level")).items()
        }
        for name in zoo.ENTRIES
        if name in set(parts["here"]["network"])
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _quotient(levels: pd.DataFrame) -> dict[str, str]:
    row = levels.to_dict("index")["margin"]
    return {
        "epochs": f"{row['epochs']:.0f}",
        "accuracy %": f"{row['accuracy']:.2f}",
        "quotient (c)": _interval(row),
    }


def _interval(row: dict[Hashable, float]) -> str:
    if math.isnan(row["quotient"]):
        return MISSING
    return f"{row['quotient']:.2f} [{row['quotient_low']:.2f}, {row['quotient_high']:.2f}]"


def _positive(value: float, digits: str) -> str:
    return f"{value:{digits}}" if value > 0 else MISSING


def beside(table: pd.DataFrame, reported: pd.DataFrame) -> pd.DataFrame:
    """Return Table 1 as it is printed: a row for each of the fourteen networks, the draft's value after ours.

    A network that has no row in the table is "not run".
    """
    theirs = reported.to_dict("index")
    found = {str(name): rows.set_index("level") for name, rows in table.groupby("network")}
    rows = {name: _printed(found.get(name), theirs[name]) for name in zoo.ENTRIES}
    return pd.DataFrame.from_dict(rows, orient="index")


def _printed(levels: pd.DataFrame | None, draft: dict[Hashable, float]) -> dict[str, str]:
    ours = dict.fromkeys(COLUMNS, "not run")
    if levels is not None:
        head, quotients = levels.loc["natural"].to_dict(), levels["quotient"].to_dict()
        ours = {
            "epochs": f"{head['epochs']:.0f}",
            "accuracy": f"{head['accuracy']:.2f}",
            "distortion": f"{head['distortion']:.3f}",
            "natural": f"{head['sigma']:.2f}",
            "adversarial": f"{levels['sigma'].to_dict()['draft']:.2f}",
            "quotients": " · ".join(_positive(quotients[level], ".2f") for level in DEPTHS),
        }
    return {
        title: ours[name] + (f" ({draft[name]:g})" if name in draft else "")
        for name, title in COLUMNS.items()
    }
