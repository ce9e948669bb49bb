"""Means over independent replicates, with Student's interval."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats


def over_replicates(
    table: pd.DataFrame, keys: Sequence[str], column: str, confidence: float = 0.95
) -> pd.DataFrame:
    """Return one row a group: the keys, ``mean``, ``low``, ``high`` of a column, and ``replicates``.

    Args:
        table: one row a group and replicate.
        keys: columns that name a group.
        column: what is averaged; missing values are left out and not counted.
        confidence: of the interval; a group of one replicate has none.
    """
    rows = []
    for key, group in table.groupby(list(keys), sort=False):
        values = group[column].dropna().to_numpy()
        reach = np.nan
        if len(values) > 1:
            error = values.std(ddof=1) / np.sqrt(len(values))
            reach = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * error
        mean = values.mean() if len(values) else np.nan
        rows.append((*key, mean, mean - reach, mean + reach, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "low", "high", "replicates"])
