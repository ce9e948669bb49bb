"""Estimates with their intervals, as columns of a table."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from neighborhoods.kernels.statistics import clopper_pearson, order_statistic_ranks

CONFIDENCE = 0.95
Numbers = npt.NDArray[np.float64]


def share(hits: npt.ArrayLike) -> pd.Series:
    """Return the ``share`` of true values, with its exact binomial interval ``low``, ``high``."""
    true = np.asarray(hits, bool)
    low, high = clopper_pearson(int(true.sum()), len(true), CONFIDENCE)
    return pd.Series({"share": true.mean(), "low": float(low), "high": float(high)})


def median(values: npt.ArrayLike) -> pd.Series:
    """Return the ``median``, with the interval ``low``, ``high`` that order statistics give."""
    ordered = np.sort(np.asarray(values, np.float64))
    lower, upper = order_statistic_ranks(len(ordered), 0.5, CONFIDENCE)
    low = ordered[lower - 1] if lower else -math.inf
    high = ordered[upper - 1] if upper <= len(ordered) else math.inf
    return pd.Series({"median": float(np.median(ordered)), "low": low, "high": high})


def mean(values: npt.ArrayLike) -> pd.Series:
    """Return the ``mean``, with Student's interval ``low``, ``high``."""
    numbers = np.asarray(values, np.float64)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, len(numbers) - 1) * stats.sem(numbers)
    centre = numbers.mean()
    return pd.Series({"mean": centre, "low": centre - reach, "high": centre + reach})


def resampled(
    statistic: Callable[[npt.NDArray[np.int64]], float], count: int, *, seed: int, draws: int = 999
) -> pd.Series:
    """Return a ``value`` of units 0, …, count − 1 and its percentile interval over resampled units.

    Draws for which the statistic has no value (NaN), such as one unit drawn every time, are left out.
    """
    rows = np.random.default_rng(seed).integers(count, size=(draws, count))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile([statistic(draw) for draw in rows], [tail, 1 - tail])
    return pd.Series({"value": statistic(np.arange(count)), "low": low, "high": high})


def rank_correlation(one: Numbers, other: Numbers, *, seed: int) -> pd.Series:
    """Return Spearman's correlation of two columns as ``value``, ``low``, ``high``."""

    numbers = np.stack([one, other], 1)

    def statistic(rows: npt.NDArray[np.int64]) -> float:
        return float(rank_correlations(numbers[rows])[0, 1])

    return resampled(statistic, len(one), seed=seed)


def rank_correlations(numbers: Numbers) -> Numbers:
    """Return Spearman's correlations of all columns; `scipy.stats.spearmanr` spends its time on p-values."""
    return np.asarray(np.corrcoef(stats.rankdata(numbers, axis=0), rowvar=False), np.float64)
