"""What the runs say together: means over them with intervals, orders, paired ratios and rank correlations."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neighborhoods.studies import intervals

MEASURES = ("nearness", "cosine", "product")
MANY = 30  # sign changes along a step


def across(table: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Return the ``mean`` of a column over runs, each the mean of its own rows, with Student's interval.

    Columns: those of `by`, ``mean``, ``low``, ``high``.
    """
    own = table.groupby([*by, "run"])[value].mean()
    return own.groupby(list(by)).apply(intervals.mean).unstack().reset_index()


def halfway(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return for each run the ``distance`` at which a mean cosine first falls to half of that on the path.

    Between two distances the cosine is taken to be linear in the distance's logarithm; the distance is
    infinite where it does not fall so far. Columns: ``activation``, ``run``, ``distance``.
    """
    rows = []
    for (activation, run), group in table.groupby(["activation", "run"]):
        curve = group.groupby("distance")[value].mean()
        half, beside = curve.iloc[0] / 2, curve.iloc[1:]
        below = np.flatnonzero(beside <= half)
        distance = np.inf
        if len(below) and below[0]:
            ends = slice(below[0] - 1, below[0] + 1)
            logs, values = np.log(beside.index.to_numpy()[ends]), beside.to_numpy()[ends]
            distance = float(np.exp(np.interp(half, values[::-1], logs[::-1])))
        rows.append({"activation": activation, "run": run, "distance": distance})
    return pd.DataFrame(rows)


def orders(table: pd.DataFrame) -> pd.DataFrame:
    """Return the order of a gradient's change in the size of the step, by least squares on logarithms.

    All states of a run have the slope in common, and each a level of its own. Columns: ``activation``,
    ``run``, ``regime`` ("none": steps at which no sign changes, "many": those with `MANY` changes or more),
    ``order``, missing where no state has two such steps.
    """
    logs = table.assign(x=np.log(table["size"]), y=np.log(table["change"]))
    regimes = {"none": logs[logs["flips"] == 0], "many": logs[logs["flips"] >= MANY]}
    rows = []
    for regime, some in regimes.items():
        for (activation, run), group in some.groupby(["activation", "run"]):
            apart = group[["x", "y"]] - group.groupby("step")[["x", "y"]].transform("mean")
            square = (apart["x"] ** 2).sum()
            order = (apart["x"] * apart["y"]).sum() / square if square > 0 else np.nan
            rows.append({"activation": activation, "run": run, "regime": regime, "order": order})
    return pd.DataFrame(rows)


def contrasts(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return mean logarithms to base 2 of ratios of a measure, over images that both networks get right.

    ``contrast``: "line" and "path" against the end of training, "path over line" against each other at
    equal accuracy. One row for each ``activation``, ``run``, ``contrast`` and ``t``: ``mean``, ``low``,
    ``high`` over images.
    """
    finite = table[table["right"] & np.isfinite(table[measure])]
    rows = []
    for (activation, run), group in finite.groupby(["activation", "run"]):
        values = {key: some.set_index("image")[measure] for key, some in group.groupby(["kind", "t"])}
        pairs = {key: (value, values["line", 1.0]) for key, value in values.items() if key[1] != 1}
        pairs |= {
            ("path over line", t): (value, values["line", t])
            for (kind, t), value in values.items()
            if kind == "path"
        }
        for (contrast, t), (above, below) in pairs.items():
            logs = np.log2(above / below).dropna()
            head = {"activation": activation, "run": run, "contrast": contrast, "t": t}
            rows.append(head | dict(intervals.mean(logs)))
    return pd.DataFrame(rows)


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Return Spearman's correlation of accuracy with each measure of nearness, for each run and population.

    Columns: ``activation``, ``run``, ``population`` ("noise", "other run", or "all", trained networks
    included); the measures; ``gain``: that of the product less that of the nearness.
    """
    rows = []
    for (activation, run), group in table.groupby(["activation", "run"]):
        kinds = {kind: group[group["kind"] == kind] for kind in ("noise", "other run")}
        for name, some in {**kinds, "all": group}.items():
            # Equal angles are ties, and must not be told apart by their rounding.
            order = some[list(MEASURES)].round(4).corrwith(some["accuracy"], method="spearman")
            rows.append({"activation": activation, "run": run, "population": name, **order})
    found = pd.DataFrame(rows)
    return found.assign(gain=found["product"] - found["nearness"])
