"""Figures of persistence against distance, angle, path, probability and whole stability curves."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.ticker import FixedLocator

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

KINDS = {
    "least": ("nearest adversary", ADVERSARIAL, "o"),
    "igsm": ("adversary by signs", "#E69F00", "^"),
    "partner": ("another image", NATURAL, "s"),
    "free": ("nearest tie", ADVERSARIAL, "o"),
    "back": ("and back", NATURAL, "s"),
}
SIDES = {"before": NATURAL, "beyond": ADVERSARIAL, "third": OTHER}
FITS = {
    "half-space": ("flat", THEORY, ":"),
    "distance": ("d fitted", OTHER, "-."),
    "facets": ("k fitted", ORIGINAL, "--"),
    "both": ("both fitted", ADVERSARIAL, "-"),
    "wedge": ("two facets, θ and d", "#56B4E9", (0, (5, 1, 1, 1, 1, 1))),
}
POINTS = {"image": "images", "igsm": "adversaries by signs", "mirror": "deep adversaries"}
QUARTILES = [0.25, 0.5, 0.75]


def against_distance(
    ax: Axes, table: pd.DataFrame, column: str, *, slope: float, label: str
) -> PathCollection:
    """Scatter persistence against a distance, darker for more classes nearby, over a line of that slope.

    Columns ``sigma``, ``nearby`` and the one named. Returns the points, for a colour bar.
    """
    finite = table[np.isfinite(table["sigma"])]
    shades = ax.scatter(
        finite[column], finite["sigma"], c=finite["nearby"], s=9, cmap="viridis_r", vmin=1, vmax=9
    )
    top = 1.05 * float(finite["sigma"].max())
    ax.plot([0, top / slope], [0, top], ":", color=THEORY, zorder=3)
    ax.set(xlim=(0, None), ylim=(0, top), xlabel=label)
    return shades


def angles(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Scatter persistence of images against the angle of a crossing, and its tangent plane's distance.

    Columns ``kind``, ``alpha``, ``plane``, ``sigma``.
    """
    for kind, rows in table.groupby("kind", sort=False):
        label, colour, marker = KINDS[str(kind)]
        for ax, column in zip(axes, ("alpha", "plane"), strict=True):
            ax.plot(rows[column], rows["sigma"], marker, color=colour, ms=2.5, alpha=0.5, label=label)
    axes[0].set(xlim=(0, 90), xticks=[0, 30, 60, 90], xlabel="angle of the crossing from the normal, degrees")
    axes[0].set(ylabel="persistence of the image")
    axes[1].set(xlim=(0, None), xlabel="distance of the tangent plane at the crossing")
    axes[0].legend(fontsize=7, markerscale=1.6)


def sides(axes: Sequence[Axes], table: pd.DataFrame, kinds: Sequence[str]) -> None:
    """Plot on both sides of a crossing the persistence over that before a flat boundary, by distance.

    Columns ``kind``, ``distance``; ``before`` and ``beyond``, each with ``_low`` and ``_high``.
    """
    for ax, kind in zip(axes, kinds, strict=True):
        rows = table[table["kind"] == kind]
        for side in ("before", "beyond"):
            reach = [rows[side] - rows[f"{side}_low"], rows[f"{side}_high"] - rows[side]]
            ax.errorbar(
                rows["distance"], rows[side], yerr=reach, fmt="o-", ms=3, lw=1, color=SIDES[side], label=side
            )
        ax.axhline(1, color=THEORY, linewidth=0.8, linestyle=":")
        ax.set(xscale="log", xlabel="distance")
        ax.xaxis.set_minor_locator(FixedLocator([]))
        places = sorted(rows["distance"])[::2]
        ax.set_xticks(places, [f"{place:g}" for place in places])
        ax.set_title(KINDS[kind][0], fontsize=8)
    axes[0].set_ylabel("persistence over flat one")
    axes[0].legend(fontsize=7)


def paths(axes: Sequence[Axes], table: pd.DataFrame, slope: float) -> None:
    """Plot persistence along segments: each against its path, all against probability and log odds.

    Columns ``row``, ``space``, ``t``, ``q``, ``odds``, ``side``, ``sigma``. The slope is that of a flat
    boundary per unit of the odds.
    """
    image, even = (table[table["space"] == name] for name in ("image", "probability"))
    for ax, rows, column in zip(axes, (image, even, image), ("t", "q", "odds"), strict=True):
        for _, one in rows.groupby("row"):
            ordered = one.sort_values(column)
            ax.plot(ordered[column], ordered["sigma"], color=OTHER, linewidth=0.4, alpha=0.6, zorder=1)
        for side, colour in SIDES.items():
            some = rows[rows["side"] == side]
            ax.plot(some[column], some["sigma"], ".", color=colour, ms=2, alpha=0.6)
    middle = even.groupby("u")[["q", "sigma"]].median()
    axes[1].plot(middle["q"], middle["sigma"], color=ORIGINAL, zorder=3)
    q = np.linspace(0.005, 0.995, 199)
    axes[1].plot(q, slope * np.abs(np.log(q / (1 - q))), "--", color=THEORY, zorder=3)
    top = float(table.loc[np.isfinite(table["sigma"]), "sigma"].max())
    reach = float(np.abs(image["odds"]).max())
    near = np.array([-reach, 0, reach])
    axes[2].plot(near, slope * np.abs(near), "--", color=THEORY, zorder=3)
    inside = even.loc[even["u"].between(0, 1, inclusive="neither"), "sigma"]
    for ax, most in zip(axes, (top, float(inside[np.isfinite(inside)].max()), top), strict=True):
        ax.set_ylim(0, 1.05 * most)


def stability(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot counted stability with its intervals, and the curves of the models, one axes a kind of point.

    Columns ``kind``, ``model``, ``sigma``, ``stability``, ``low``, ``high``.
    """
    for ax, (kind, rows) in zip(axes, table.groupby("kind", sort=False), strict=True):
        for model, (label, colour, line) in FITS.items():
            some = rows[rows["model"] == model]
            ax.plot(some["sigma"], some["stability"], ls=line, color=colour, lw=1.1, label=label)
        own = rows[rows["model"] == "counted"]
        reach = [own["stability"] - own["low"], own["high"] - own["stability"]]
        ax.errorbar(own["sigma"], own["stability"], yerr=reach, fmt="o", ms=3, lw=1, color=NATURAL, zorder=3)
        ax.set(xscale="log", xlabel="noise σ", ylim=(0, 1.03))
        ax.set_title(POINTS[str(kind)], fontsize=8)
        ax.minorticks_off()
        ticks = own["sigma"].iloc[[0, len(own) // 2, -1]]
        ax.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes[0].set_ylabel("share that keeps the class")
    axes[0].legend(fontsize=7)


def orthants(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot facets fitted to whole curves against those at one level, and how well each model fits.

    Columns ``kind``, ``model``, ``k``, ``facets``, ``deviance``, ``freedom``.
    """
    colours = dict(zip(POINTS, (NATURAL, "#E69F00", ADVERSARIAL), strict=True))
    fitted = ("nothing", "d", "k", "k, d", "θ, d", "k, θ, d", "nine\ndistances")
    models = dict(zip((*FITS, "skewed", "nine"), fitted, strict=True))
    for place, (kind, rows) in enumerate(table.groupby("kind", sort=False)):
        both, colour = rows[rows["model"] == "both"], colours[str(kind)]
        axes[0].plot(both["facets"], both["k"], "o", color=colour, ms=2.5, alpha=0.6, label=POINTS[str(kind)])
        for spot, model in enumerate(models):
            some = rows[rows["model"] == model]
            ratio = some["deviance"] / some["freedom"]
            low, middle, high = np.quantile(ratio, QUARTILES)
            at = spot + 0.22 * (place - 1)
            axes[1].errorbar(at, middle, yerr=[[middle - low], [high - middle]], fmt="o", ms=3, color=colour)
    ends: npt.NDArray[np.float64] = np.array([table["facets"].min(), table["facets"].max()])
    axes[0].plot(ends, ends, ":", color=THEORY, zorder=1)
    axes[0].set(xscale="log", yscale="log")
    axes[0].set(xlabel="effective number of facets at one level", ylabel="facets fitted to the curve")
    for axis in (axes[0].xaxis, axes[0].yaxis):
        axis.set_major_locator(FixedLocator([0.5, 1, 2, 4, 8, 16]))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(FixedLocator([]))
    axes[0].legend(fontsize=7, markerscale=1.6)
    axes[1].axhline(1, color=THEORY, linewidth=0.8, linestyle=":")
    axes[1].set(yscale="log", ylabel="deviance / degrees of freedom")
    axes[1].set_xticks(range(len(models)), list(models.values()), fontsize=7)
