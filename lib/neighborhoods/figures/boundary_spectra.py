"""Figures of spectra of the boundary: singular values over their null models, vectors as images, radii."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, COLOURS, NATURAL, ORIGINAL, OTHER, THEORY, image

PARTS = {"raw": OTHER, "centred": NATURAL, "differences": ADVERSARIAL}
QUARTILES = [0.25, 0.5, 0.75]
KINDS = {"adversary": ADVERSARIAL, "pair": NATURAL}
LABELS = {"adversary": "image and adversary", "pair": "two images"}
Values = npt.NDArray[np.float64]


def orthants(axes: Sequence[Axes], table: pd.DataFrame, predicted: pd.DataFrame) -> None:
    """Plot the spectra for each number of facets, with lines where they must lie.

    Columns ``facets``, ``part``, ``rank``, ``value`` and, of the prediction, ``facets``, ``part``, ``value``.
    """
    for ax, facets in zip(axes, sorted(table["facets"].unique()), strict=True):
        rows = table[table["facets"] == facets]
        for part, colour in PARTS.items():
            some = rows[rows["part"] == part]
            ax.plot(some["rank"], some["value"], ".", color=colour, markersize=2.5, label=part)
        lines = predicted[(predicted["facets"] == facets) & predicted["part"].isin(PARTS)]
        for value in lines["value"].unique():
            ax.axhline(value, color=THEORY, linewidth=0.7, zorder=1)
        ax.set_title(f"k = {facets!s}", fontsize=8)
        ax.set(ylim=(-0.08, 1.75))
    axes[0].legend(fontsize=6, markerscale=2, loc="lower left")


def displacements(ax: Axes, table: pd.DataFrame, predicted: pd.DataFrame) -> None:
    """Plot the first singular values of displacements by number of facets, with the predicted ones."""
    groups = list(table.groupby("facets"))
    for shade, (facets, rows) in zip(np.linspace(0.75, 0, len(groups)), groups, strict=True):
        colour = (shade, 0.2 + 0.6 * shade, 0.7 - 0.3 * shade)
        label = f"k = {facets!s}" if facets in (1, len(groups)) else None
        ax.plot(rows["rank"], rows["value"], "o-", markersize=3, linewidth=0.8, color=colour, label=label)
    lines = predicted[predicted["part"] == "displacements"]
    ax.plot(lines["rank"], lines["value"], "x", color=THEORY, markersize=5, label="predicted", zorder=3)
    ax.set(xlabel="rank", ylabel="singular value / √m", xlim=(0.5, len(groups) + 2.5))
    ax.legend(fontsize=7)


def spectrum(ax: Axes, curves: Mapping[str, Values], null: Values, title: str, *, log: bool = True) -> None:
    """Plot singular values against their rank over those of a sample in which there is nothing."""
    ax.plot(np.arange(1, len(null) + 1), null, color=THEORY, linewidth=3.5, alpha=0.45, label="nothing there")
    for (label, values), colour in zip(curves.items(), (NATURAL, ADVERSARIAL, OTHER), strict=False):
        ranks = np.arange(1, len(values) + 1)
        ax.plot(ranks, values, color=colour, linewidth=1, label=label)
        ax.plot(ranks[[0, -1]], values[[0, -1]], "o", color=colour, markersize=3.5)
    ax.set_title(title, fontsize=8)
    ax.set(xlabel="rank", yscale="log" if log else "linear")


def pictures(axes: Sequence[Axes], rows: Mapping[str, Values]) -> None:
    """Show images and singular vectors; those that have a sign in blue and red."""
    for ax, (title, pixels) in zip(axes, rows.items(), strict=True):
        if pixels.min() >= 0:
            image(ax, pixels, title)
            continue
        most = float(np.abs(pixels).max())
        ax.imshow(pixels, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
        ax.set_axis_off()
        ax.set_title(title, fontsize=7, pad=2)


def against_radius(ax: Axes, table: pd.DataFrame, column: str, label: str) -> None:
    """Plot the median and the middle half of a column against the radius, by network and kind of point."""
    for (name, kind), rows in table.groupby(["network", "kind"]):
        middle = rows.groupby("radius")[column].quantile(np.array(QUARTILES)).unstack()
        style = "--" if str(name).startswith("C-") else "-"
        colour = KINDS[str(kind)]
        ax.fill_between(middle.index, middle[0.25], middle[0.75], color=colour, alpha=0.15, linewidth=0)
        ax.plot(
            middle.index,
            middle[0.5],
            style,
            color=colour,
            marker="o",
            ms=3,
            label=f"{name}, {LABELS[str(kind)]}",
        )
    ax.set(xscale="log", xlabel="radius r of the local sample", ylabel=label)


def once(ax: Axes, table: pd.DataFrame, share: float = 0.5) -> None:
    """Plot the share of random lines that change class once against the distance followed."""
    for (name, kind), rows in table.groupby(["network", "kind"]):
        middle = rows.groupby("distance")["once"].quantile(np.array(QUARTILES)).unstack()
        style, colour = "--" if str(name).startswith("C-") else "-", KINDS[str(kind)]
        ax.fill_between(middle.index, middle[0.25], middle[0.75], color=colour, alpha=0.15, linewidth=0)
        ax.plot(middle.index, middle[0.5], style, color=colour, label=f"{name}, {LABELS[str(kind)]}")
    ax.axhline(share, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set(xlabel="distance from the boundary point", ylabel="lines that change class once", ylim=(0, 1.03))
    ax.legend(fontsize=7)


def begins(ax: Axes, table: pd.DataFrame, most: float) -> None:
    """Plot the radius at which each point stops being flat, with its interval, in order."""
    place = 0
    for (name, kind), rows in table.groupby(["network", "kind"]):
        label = f"{name}, {LABELS[str(kind)]}"
        ordered = rows.sort_values("planar")
        ranks = place + np.arange(len(ordered))
        value, low, high = (
            ordered[c].clip(upper=1.3 * most) for c in ("planar", "planar_low", "planar_high")
        )
        bars, marker = [value - low, high - value], "s" if str(name).startswith("C-") else "o"
        colour = KINDS[str(kind)]
        ax.errorbar(ranks, value, yerr=bars, fmt=marker, color=colour, ms=2.5, lw=0.7, label=label)
        place += len(ordered) + 3
    ax.axhline(most, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set(yscale="log", xlabel="boundary points, in order", ylabel="radius at which ρ = 0.1", xticks=[])
    ax.legend(fontsize=7)


def angles(axes: Sequence[Axes], table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Plot the distribution of each angle from the normal, one axes a network; columns of the titles."""
    for ax, (name, rows) in zip(axes, table.groupby("network", sort=False), strict=True):
        for place, column in enumerate(titles):
            for shift, (kind, colour) in zip((-0.16, 0.16), COLOURS.items(), strict=True):
                some = rows.loc[rows["kind"] == ("pair" if kind == "natural" else "adversary"), column]
                spot = np.full(len(some), place + shift)
                label = LABELS["pair" if kind == "natural" else "adversary"] if place == 0 else None
                ax.plot(spot, some, "o", color=colour, markersize=2.5, alpha=0.4, label=label)
                ax.plot(spot[:1], [some.median()], "_", color=ORIGINAL, markersize=14)
        ax.set_xticks(range(len(titles)), list(titles.values()), fontsize=7)
        ax.set_title(str(name), fontsize=8)
        ax.set(ylim=(0, 90), yticks=[0, 30, 60, 90])
    axes[0].set_ylabel("angle from the normal, degrees")
    axes[0].legend(fontsize=7)
