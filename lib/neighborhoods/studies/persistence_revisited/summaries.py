"""What the chapter says of its tables: rank correlations, and one side of the boundary over the other."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import stats
from torch import Tensor

from neighborhoods.studies.intervals import median, rank_correlation, rank_correlations, resampled
from neighborhoods.studies.persistence_revisited.ends import KINDS

Numbers = npt.NDArray[np.float64]
NARROW = 10
"""Degrees: the opening below which a corner of two facets counts as closed."""


def ranks(table: pd.DataFrame, columns: list[str], against: str, *, seed: int) -> pd.DataFrame:
    """Return Spearman's correlation of columns with one: ``value``, ``low``, ``high`` over resampled rows."""
    one = table[against].to_numpy(float)
    found = {name: rank_correlation(one, table[name].to_numpy(float), seed=seed) for name in columns}
    return pd.DataFrame(found).T


def partial(table: pd.DataFrame, one: str, other: str, given: str, *, seed: int) -> pd.Series:
    r"""Return Spearman's partial correlation of two columns given a third, ``value``, ``low``, ``high``.

    $$ \rho_{ab|c} = \frac{\rho_{ab}-\rho_{ac}\rho_{bc}}{\sqrt{(1-\rho_{ac}^2)(1-\rho_{bc}^2)}} $$
    """
    numbers = table[[one, other, given]].to_numpy(float)

    def statistic(rows: npt.NDArray[np.int64]) -> float:
        r = rank_correlations(numbers[rows])
        ab, ac, bc = r[0, 1], r[0, 2], r[1, 2]
        return float((ab - ac * bc) / np.sqrt((1 - ac**2) * (1 - bc**2)))

    return resampled(statistic, len(numbers), seed=seed)


def angles(crossed: dict[str, Tensor], compared: pd.DataFrame) -> pd.DataFrame:
    """Return one row a segment from an image: ``kind``, ``alpha`` in degrees, ``length`` of the path to the
    boundary, ``plane``, the distance of the tangent plane there, and ``sigma`` and ``free`` of the image.
    """
    from_images = crossed["kind"] < KINDS.index("free")
    kind, row, length, alpha = (
        crossed[name][from_images].numpy() for name in ("kind", "row", "length", "incidence")
    )
    columns = {"kind": np.array(KINDS)[kind], "alpha": np.degrees(alpha), "length": length}
    image = compared.iloc[row].reset_index(drop=True)
    return pd.DataFrame(columns).assign(
        plane=length * np.cos(alpha), sigma=image["sigma"], free=image["free"]
    )


def sides(sloped: pd.DataFrame) -> pd.DataFrame:
    """Return for each kind and distance what the two sides of the crossings have, by pairs.

    Pairs in which a side has lost its class are left out. Columns: ``kind``, ``distance``, ``pairs``;
    ``before``, ``beyond`` and ``quotient`` (the second over the first), each the median over pairs with
    ``_low`` and ``_high``.
    """
    rows = []
    for (kind, distance), group in sloped.groupby(["kind", "distance"], sort=False):
        both = kept(group)
        row: dict[str, Any] = {"kind": kind, "distance": distance, "pairs": len(both)}
        for name in ("before", "beyond", "quotient"):
            value, low, high = median(both[name])
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def kept(group: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of which both sides keep their class: ``before``, ``beyond``, ``quotient``, by ``row``."""
    whole = group.groupby("row")["keeps"].transform("all")
    both: pd.DataFrame = group[whole].pivot_table("ratio", index="row", columns="side")
    return both.assign(quotient=both["beyond"] / both["before"])


def there_and_back(sloped: pd.DataFrame, distance: float, *, seed: int) -> pd.DataFrame:
    r"""Return what being aimed at, and what the adversarial side, does to the quotient of the sides.

    With $q$ the median quotient on the way to the nearest tie from an image and $q'$ that on the way back:
    ``aim`` $\sqrt{qq'}$ and ``side`` $\sqrt{q/q'}$, as ``value``, ``low``, ``high`` over resampled images.
    Both act on $q$ as factors; on the way back the second one acts the other way round.
    """
    at = sloped[sloped["distance"] == distance]
    both = [kept(at[at["kind"] == kind])["quotient"] for kind in ("free", "back")]
    there, back = pd.concat(both, axis=1, join="inner").to_numpy(float).T

    def factor(sign: int) -> pd.Series:
        def statistic(rows: npt.NDArray[np.int64]) -> float:
            return float(np.sqrt(np.median(there[rows]) * np.median(back[rows]) ** sign))

        return resampled(statistic, len(there), seed=seed)

    return pd.DataFrame({"aim": factor(1), "side": factor(-1)}).T


def mirrored(lined: pd.DataFrame) -> pd.DataFrame:
    """Return for each kind and even step of probability up to one half the persistence at the opposite step
    over that at this one: ``kind``, ``u``, and ``median``, ``low``, ``high`` over segments.
    """
    rows = lined[lined["space"] == "probability"]
    wide = rows.pivot_table(index=["kind", "row"], columns="u", values="sigma")
    opposite = wide.iloc[:, ::-1].set_axis(wide.columns, axis=1)  # even steps: the opposite of u is 1 - u
    long = (opposite / wide).iloc[:, : wide.shape[1] // 2].melt(ignore_index=False).reset_index()
    return long.groupby(["kind", "u"])["value"].apply(median).unstack().reset_index()


def goodness(fitted: pd.DataFrame) -> pd.DataFrame:
    """Return for each kind and model: ``points``; medians of ``k``, of ``d`` over the measured distance, and
    of the deviance over its degrees of freedom; ``passes``, the share of fits not rejected at 5 %.
    """
    table = fitted.assign(
        scale=fitted["d"] / fitted["distance"],
        per=fitted["deviance"] / fitted["freedom"],
        passes=fitted["chance"] > 0.05,
    )
    groups = table.groupby(["kind", "model"], sort=False)
    return groups.agg(
        points=("row", "size"),
        k=("k", "median"),
        scale=("scale", "median"),
        per=("per", "median"),
        passes=("passes", "mean"),
    ).reset_index()


def skews(fitted: pd.DataFrame) -> pd.DataFrame:
    """Return for each kind: ``theta``, ``theta-low``, ``theta-high``, median and quartiles in degrees of the
    angle fitted with number and distance; ``narrow``, the percentage of corners of two facets that all but
    close; ``bent``, that of points less stable than before a flat boundary.
    """
    rows = {}
    for kind, group in fitted.groupby("kind", sort=False):
        theta = np.degrees(group.set_index("model")["theta"])
        low, middle, high = theta["skewed"].quantile([0.25, 0.5, 0.75])
        narrow = (theta["wedge"] > 90 - NARROW).mean()
        shares = {"narrow": 100 * narrow, "bent": 100 * (group["facets"] > 1).mean()}
        rows[kind] = {"theta": middle, "theta-low": low, "theta-high": high} | shares
    return pd.DataFrame(rows).T


def flat(gradients: Tensor, gamma: float) -> float:
    r"""Return $1/(z\|\nabla(Z_b-Z_a)\|)$ in the median over boundary points: what a flat boundary makes of a
    unit of the difference of the logits.
    """
    return float((1 / (stats.norm.ppf(gamma) * torch.linalg.vector_norm(gradients, dim=1))).median())
