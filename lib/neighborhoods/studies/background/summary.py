"""What the rows of the attacks come to: a line an attack, and pairs of attacks at equal success."""

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from neighborhoods.kernels.statistics import clopper_pearson, order_statistic_ranks

FEWEST = 6
"""Values below which neither the bootstrap nor the ranks give an interval."""


def summarise(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one line an attack, in the order in which they come.

    Columns: ``attack``, ``goal``, ``settings``; ``images``; ``success``, ``success_low``, ``success_high``
    (share, exact binomial interval); ``mean``, ``mean_low``, ``mean_high`` (of the distortion of successes,
    percentile bootstrap) and ``median``, ``median_low``, ``median_high`` (exact interval by order
    statistics), each at 95 %; ``undecided`` (rows without a gradient). Fewer than six successes have no
    interval.
    """
    groups = rows.groupby("attack", sort=False)
    return pd.DataFrame([_line(str(name), group, seed) for name, group in groups])


def _line(name: str, group: pd.DataFrame, seed: int) -> dict[str, object]:
    reached = group.loc[group["success"], "distortion"]
    low, high = clopper_pearson(len(reached), len(group))
    mean_low, mean_high = mean_interval(reached.to_numpy(), seed)
    median_low, median_high = median_interval(reached.to_numpy())
    return {
        "attack": name,
        "goal": group["goal"].iloc[0],
        "settings": group["settings"].iloc[0],
        "images": len(group),
        "success": len(reached) / len(group),
        "success_low": float(low),
        "success_high": float(high),
        "mean": reached.mean(),
        "mean_low": mean_low,
        "mean_high": mean_high,
        "median": reached.median(),
        "median_low": median_low,
        "median_high": median_high,
        "undecided": int((group["status"] == "undecided").sum()),
    }


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of `summarise` as they are printed, each estimate with its interval in brackets."""
    return pd.DataFrame(
        {
            "goal": table["goal"],
            "settings": table["settings"],
            "images": table["images"],
            "success %": _bracketed(100 * table[["success", "success_low", "success_high"]], 1),
            "mean distortion": _bracketed(table[["mean", "mean_low", "mean_high"]], 4),
            "median distortion": _bracketed(table[["median", "median_low", "median_high"]], 4),
        }
    ).set_index(table["attack"])


def _bracketed(estimates: pd.DataFrame, digits: int) -> list[str]:
    return [
        f"{middle:.{digits}f}" + ("" if np.isnan(low) else f" ({low:.{digits}f}–{high:.{digits}f})")
        for middle, low, high in estimates.itertuples(index=False)
    ]


def beside(rows: pd.DataFrame, ours: str, others: list[str], seed: int) -> pd.DataFrame:
    """Compare distortions image by image where both attacks reach the target: at equal success.

    Columns: ``attack``; ``images`` (where both succeed) and ``missed`` (where only one of both does);
    ``ours`` and ``theirs`` (mean distortions there); ``excess``, ``excess_low``, ``excess_high`` (mean of
    theirs minus ours, in parts of our mean, with its 95 % bootstrap interval); ``nearer`` (share of images
    where ours is the shorter).
    """
    wide = rows[rows["attack"].isin([ours, *others])].pivot(
        index="image", columns="attack", values=["success", "distortion"]
    )
    return pd.DataFrame([_pair(wide, ours, other, seed) for other in others])


def _pair(wide: pd.DataFrame, ours: str, other: str, seed: int) -> dict[str, object]:
    success, lengths = wide["success"].astype(bool), wide["distortion"].astype(float)
    mine_there, theirs_there = (np.asarray(success[name]) for name in (ours, other))
    both = mine_there & theirs_there
    mine, theirs = lengths.loc[both, ours].to_numpy(), lengths.loc[both, other].to_numpy()
    low, high = mean_interval(theirs - mine, seed)
    return {
        "attack": other,
        "images": int(both.sum()),
        "missed": int((mine_there != theirs_there).sum()),
        "ours": mine.mean(),
        "theirs": theirs.mean(),
        "excess": (theirs - mine).mean() / mine.mean(),
        "excess_low": low / mine.mean(),
        "excess_high": high / mine.mean(),
        "nearer": float((mine < theirs).mean()),
    }


def mean_interval(values: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean; the values are of different images, independent."""
    if len(values) < FEWEST:
        return np.nan, np.nan
    draws = bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(seed))
    return float(draws.confidence_interval.low), float(draws.confidence_interval.high)


def median_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the order statistics that enclose the median with 95 % confidence."""
    if len(values) < FEWEST:
        return np.nan, np.nan
    lower, upper = order_statistic_ranks(len(values), 0.5)
    ordered = np.sort(values)
    return float(ordered[lower - 1]), float(ordered[upper - 1])
