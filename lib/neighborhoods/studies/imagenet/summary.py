"""From measurements to Table 2 and to verdicts with intervals."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from neighborhoods.kernels.statistics import Status, clopper_pearson

REPORTED = Path(__file__).resolve().parents[4] / "data" / "draft" / "table_2.csv"
DISTORTION = 0.0107  # mean of the draft's Figure 5
VARIANCE = 0.0000999  # of the noise over that of the image, the draft's Figure 6
INDEX = ["network", "method", "image", "target"]
FEWEST = 5  # photographs, below which a median over them has no interval
FAILED = Status.FAILED.name.lower()


def reported() -> pd.DataFrame:
    """Return the draft's Table 2: ``network``, ``method``, ``distortion`` and both mean persistences."""
    return pd.read_csv(REPORTED)


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each adversary, from the rows of `imagenet.measured`.

    Columns: those that name it; ``natural`` and ``adversarial`` with ``low`` and ``high`` (σ* of the
    photograph and of the adversary); ``equal`` (the lesser of their distances from the tangent plane),
    ``inner`` and ``outer`` (σ* at that depth on the adversary's side and on the photograph's), ``kept``
    (whether both have the class of their side); ``label``, ``takeover`` and ``original``.
    """
    ends = rows[(rows["side"] == "adversarial") & (rows["status"] != FAILED)].set_index(INDEX)
    partners = rows[rows["side"].str.endswith("partner")].set_index(INDEX).reindex(ends.index)
    natural_side = partners["side"] == "natural partner"
    kept = [
        "label",
        "natural",
        "natural_low",
        "natural_high",
        "low",
        "high",
        "depth",
        "reach",
        "cosine",
        "takeover",
    ]
    table = ends[[*kept, "original"]].assign(
        adversarial=ends["sigma"],
        equal=ends[["depth", "reach"]].min(axis=1) * ends["cosine"],
        inner=ends["sigma"].where(natural_side, partners["sigma"]),
        outer=partners["sigma"].where(natural_side, ends["natural"]),
        kept=partners["keeps"].astype(bool),
    )
    return table.reset_index()


def table_2(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean distortion and persistence of successful pairs, by network and attack and in all.

    Columns: ``network``, ``method``, ``pairs``, ``success`` (pairs that reached their target),
    ``distortion``, ``depth`` (median distance beyond the boundary), ``natural`` and ``adversarial`` (means)
    with the means of the ends of their 95 % intervals.
    """
    pairs = rows[rows["side"] == "adversarial"]
    parts = [*pairs.groupby(["network", "method"], sort=False)]
    parts += [((name, "all"), some) for name, some in pairs.groupby("network", sort=False)]
    return pd.DataFrame([_row(str(name), str(method), some) for (name, method), some in parts])


def _row(network: str, method: str, pairs: pd.DataFrame) -> dict[str, object]:
    some = pairs[pairs["status"] != FAILED]
    return {
        "network": network,
        "method": method,
        "pairs": len(pairs),
        "success": len(some),
        "distortion": some["distortion"].mean(),
        "depth": some["depth"].median(),
        "natural": some["natural"].mean(),
        "natural_low": some["natural_low"].mean(),
        "natural_high": some["natural_high"].mean(),
        "adversarial": some["sigma"].mean(),
        "low": some["low"].mean(),
        "high": some["high"].mean(),
    }


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Return Table 2 as it is printed: the draft's columns with intervals, and what it does not say.

    Where pairs were ``planned``, their number stands beside those that were attacked.
    """
    interval = "{:.3g} [{:.3g}, {:.3g}]".format
    natural = table[["natural", "natural_low", "natural_high"]].itertuples(index=False)
    adversarial = table[["adversarial", "low", "high"]].itertuples(index=False)
    shown = {
        "network": table["network"],
        "attack": table["method"],
        "reached": [_reached(row) for row in table.to_dict("records")],
        "distortion": [f"{value:.4f}" for value in table["distortion"]],
        "depth": [f"{value:.3f}" for value in table["depth"]],
        "σ* natural": [interval(*row) for row in natural],
        "σ* adversarial": [interval(*row) for row in adversarial],
    }
    return pd.DataFrame(shown).replace(r"^nan.*", "–", regex=True).set_index(["network", "attack"])


def _reached(row: dict[Hashable, Any]) -> str:
    if np.isnan(row["pairs"]):
        return "not run"
    of = f" ({row['planned']:.0f} planned)" if "planned" in row else ""
    return f"{row['success']:.0f} of {row['pairs']:.0f}{of}"


def less(table: pd.DataFrame, smaller: str, larger: str) -> dict[str, float]:
    """Return in how many pairs one persistence is less than another: ``count``, ``pairs``, and the share with
    its exact 95 % interval ``share``, ``low``, ``high``, as if the pairs were independent."""
    pairs = len(table)
    count = int((table[smaller] < table[larger]).sum())
    low, high = clopper_pearson(count, pairs) if pairs else (np.nan, np.nan)
    return {
        "count": count,
        "pairs": pairs,
        "share": count / max(pairs, 1),
        "low": float(low),
        "high": float(high),
    }


def quotient(table: pd.DataFrame, above: str, below: str, seed: int) -> tuple[float, float, float]:
    """Return the median over photographs of the median quotient over their adversaries, with a 95 % interval.

    A photograph at one network is one draw, however often it is attacked: the bootstrap resamples these. The
    interval is missing for fewer than five.
    """
    quotients = (table[above] / table[below]).replace([np.inf, -np.inf], np.nan)
    units = quotients.groupby([table["network"], table["image"]]).median().dropna().to_numpy()
    if len(units) < FEWEST:
        return float(np.median(units)) if len(units) else np.nan, np.nan, np.nan
    draws = bootstrap((units,), np.median, method="percentile", rng=np.random.default_rng(seed))
    ends = draws.confidence_interval
    return float(np.median(units)), float(ends.low), float(ends.high)


def takeovers(table: pd.DataFrame) -> dict[str, float]:
    """Return how often a class that is neither the target's nor the photograph's takes over from the target.

    Keys: ``count`` of ``pairs`` in which another class ever leads, ``share``, ``low``, ``high`` (exact 95 %
    interval), and ``returns`` (share in which the photograph's class leads at some level).
    """
    lost = table[table["takeover"] >= 0]
    background = int((lost["takeover"] != lost["label"]).sum())
    low, high = clopper_pearson(background, len(lost)) if len(lost) else (np.nan, np.nan)
    returns = float(lost["original"].astype(bool).mean()) if len(lost) else np.nan
    share = background / max(len(lost), 1)
    return {
        "count": background,
        "pairs": len(lost),
        "share": share,
        "low": float(low),
        "high": float(high),
        "returns": returns,
    }


def slopes(line: pd.DataFrame, gamma: float) -> pd.DataFrame:
    """Return the points of a line, away from the boundary, with their ``side`` and ``slope``, σ*/|d|."""
    rows = line[(line["gamma"] == gamma) & (line["distance"] != 0)]
    side = np.where(rows["distance"] > 0, "adversarial", "natural")
    return rows.assign(side=side, slope=rows["sigma"] / rows["distance"].abs())


def changes(lines: pd.DataFrame, gamma: float) -> pd.DataFrame:
    """Return of each line, a network and a method, the places at which the class changes.

    Columns: ``network``, ``method``, ``place`` (of the last point before), there ``class`` and ``sigma`` with
    ``low`` and ``high``, and the same of the next point with ``next_`` before their names.
    """
    kept = ["class", "sigma", "low", "high"]
    parts = []
    for _, line in lines[lines["gamma"] == gamma].groupby(["network", "method"], sort=False):
        after = line[["place", *kept]].shift(-1).add_prefix("next_")
        parts.append(line[["network", "method", "place", *kept]].join(after))
    rows = pd.concat(parts).dropna(subset="next_class").astype({"next_class": int})
    return rows[rows["class"] != rows["next_class"]].reset_index(drop=True)


def spread(line: pd.DataFrame) -> pd.Series:
    """Return for each place of a line its persistence at the least γ over that at the greatest."""
    wide = line.pivot_table("sigma", index="place", columns="gamma")
    ratio = wide[wide.columns.min()] / wide[wide.columns.max()]
    return ratio.replace([np.inf, -np.inf], np.nan).dropna()


def verdict(low: float, high: float) -> str:
    """Say what an interval for a quotient says: below one, above one, or neither.

    >>> verdict(0.2, 0.9), verdict(0.5, 2.0), verdict(1.1, 1.3)
    ('reproduced', 'undecided', 'not reproduced')
    """
    if high < 1:
        return "reproduced"
    return "not reproduced" if low > 1 else "undecided"
