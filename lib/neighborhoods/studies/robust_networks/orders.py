"""Whether two measures of robustness put defences in the same order, and images of one network."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from neighborhoods.studies import intervals

QUANTITIES = ("distance", "persistence", "quotient", "incidence", "inside")


def averages(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row a defence and quantity: ``defence``, ``quantity``, ``value``, ``low``, ``high``.

    Means over seeds and images, of successful attacks; intervals over resampled images, for these networks.
    """
    rows = []
    for defence, some in table[table["success"]].groupby("defence", sort=False):
        for quantity in QUANTITIES:
            values = some.groupby("image")[quantity].mean().to_numpy()
            found = intervals.resampled(_mean_of(values), len(values), seed=seed)
            rows.append({"defence": defence, "quantity": quantity, **found})
    return pd.DataFrame(rows)


def accuracy(counts: pd.DataFrame) -> pd.DataFrame:
    """Return one row a defence: ``defence``, and its mean accuracy in percent, ``value``, ``low``, ``high``,
    with Student's interval over seeds, of which there must be two or more.
    """
    rows = []
    for defence, some in counts.groupby("defence", sort=False):
        part = 100 * intervals.mean((some["right"] / some["count"]).to_numpy())
        rows.append({"defence": defence, "value": part["mean"], "low": part["low"], "high": part["high"]})
    return pd.DataFrame(rows)


def agreement(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return Kendall's correlation of the defences' mean distances and mean persistences.

    Columns ``networks`` (a seed, or "all"), ``value``, ``low``, ``high`` over resampled images.
    """
    groups = {str(one): some for one, some in table.groupby("seed")} | {"all": table}
    rows = []
    for name, some in groups.items():
        wide = [_wide(some, quantity) for quantity in ("distance", "persistence")]

        def order(draw: npt.NDArray[np.int64], wide: list[npt.NDArray[np.float64]] = wide) -> float:
            return float(stats.kendalltau(*(values[draw].mean(0) for values in wide)).statistic)

        rows.append({"networks": name, **intervals.resampled(order, len(wide[0]), seed=seed)})
    return pd.DataFrame(rows)


def lead(table: pd.DataFrame, first: str, quantity: str, seed: int) -> pd.Series:
    """Return by how much the mean of a defence exceeds the largest of all others, over resampled images."""
    wide = table.pivot_table(quantity, index="image", columns="defence")
    own, others = wide[first].to_numpy(), wide.drop(columns=first).to_numpy()

    def excess(draw: npt.NDArray[np.int64]) -> float:
        return float(own[draw].mean() - others[draw].mean(0).max())

    return intervals.resampled(excess, len(own), seed=seed)


def gains(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row a defence but "none": ``defence``, and its mean distance over that without a defence,
    ``value``, ``low``, ``high`` over resampled images.
    """
    wide, rows = table.pivot_table("distance", index="image", columns="defence"), []
    bare = wide.pop("none").to_numpy()
    for defence, values in wide.items():

        def gain(draw: npt.NDArray[np.int64], values: pd.Series = values) -> float:
            return float(values.to_numpy()[draw].mean() / bare[draw].mean())

        rows.append({"defence": defence, **intervals.resampled(gain, len(bare), seed=seed)})
    return pd.DataFrame(rows)


def within(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a network: ``defence``, ``seed``, ``value``, Kendall's correlation over its images."""
    rows = []
    for (defence, seed), some in table.groupby(["defence", "seed"], sort=False):
        value = stats.kendalltau(some["distance"], some["persistence"]).statistic
        rows.append({"defence": defence, "seed": seed, "value": value})
    return pd.DataFrame(rows)


def _wide(table: pd.DataFrame, quantity: str) -> npt.NDArray[np.float64]:
    """Return the means over seeds, images by defences."""
    return table.pivot_table(quantity, index="image", columns="defence").to_numpy()


def _mean_of(values: npt.NDArray[np.float64]) -> Callable[[npt.NDArray[np.int64]], float]:
    return lambda draw: float(values[draw].mean())
