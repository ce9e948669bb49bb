"""A row of Table 1: accuracy, distortion, and persistence at each level with intervals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from torch import Tensor

FEWEST = 5
SIDES = ["adversarial", "natural"]
LEVELS = ("natural", "minimum", "draft", "margin")


@dataclass(frozen=True)
class RowSpec:
    """What a row is about: the network's name in Table 1, and the seed of its bootstrap."""

    name: str
    seed: int


def summarise(
    spec: RowSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor], levels: pd.DataFrame
) -> pd.DataFrame:
    """Return one row a level, in the order of `LEVELS`.

    Columns: ``network``, ``epochs``, ``accuracy`` (%), ``success`` (share), ``distortion`` (mean of these);
    ``level``, ``points`` (measured), ``depth`` (median), ``sigma``, ``low``, ``high`` (median persistence and
    its 95 % bootstrap interval), ``mean`` (of the finite ones), ``censored`` (share of infinite ones),
    ``ratio`` (median of σ* over the distance from the tangent plane) and ``natural_ratio`` (the same for the
    partners); ``quotient``, ``quotient_low``, ``quotient_high`` (median of σ* over that of the partner, in
    pairs where both keep their class). A statistic of fewer than five values is missing.
    """
    success = attacked["success"]
    head = {
        "network": spec.name,
        "epochs": len(trained["history/loss"]),
        "accuracy": 100 * trained["history/accuracy"].item(),
        "success": success.double().mean().item(),
        "distortion": attacked["distortion"][success].double().mean().item(),
    }
    return pd.DataFrame(
        [head | _level(level, levels[levels["level"] == level], spec.seed) for level in LEVELS]
    )


def _level(level: str, table: pd.DataFrame, seed: int) -> dict[str, object]:
    measured = table[(table["status"] != "failed") & table["keeps"].astype("boolean").fillna(False)]
    own = measured[measured["side"] == ("natural" if level == "natural" else "adversarial")]
    finite = own.loc[np.isfinite(own["sigma"]), "sigma"]
    sigma, low, high = _median(own["sigma"], seed)
    row: dict[str, object] = {"level": level, "points": len(own), "sigma": sigma, "low": low, "high": high}
    row |= {"mean": finite.mean(), "censored": 1 - len(finite) / max(len(own), 1)}
    if level == "natural":
        return row
    ratio = (measured["sigma"] / measured["distance"]).groupby(measured["side"]).median().reindex(SIDES)
    sides = measured.pivot_table("sigma", index="pair", columns="side").reindex(columns=SIDES)
    quotients = sides["adversarial"] / sides["natural"]
    quotient, quotient_low, quotient_high = _median(quotients.dropna(), seed)
    return row | {
        "depth": own["depth"].median(),
        "ratio": ratio["adversarial"],
        "natural_ratio": ratio["natural"],
        "quotient": quotient,
        "quotient_low": quotient_low,
        "quotient_high": quotient_high,
    }


def _median(values: pd.Series, seed: int) -> tuple[float, float, float]:
    """Return the median and its 95 % percentile interval; the values are of different images, independent."""
    if len(values) < FEWEST:
        return (np.nan,) * 3
    # Ranks stand in for the values: a resampled median of infinities would be no number.
    ordered = np.sort(values.to_numpy())
    ranks = (np.arange(len(ordered)),)
    draws = bootstrap(
        ranks, np.median, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    low, middle, high = (ordered[round(rank)] for rank in (draws.low, (len(ordered) - 1) / 2, draws.high))
    return float(middle), float(low), float(high)
