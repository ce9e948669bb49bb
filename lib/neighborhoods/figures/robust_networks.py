"""Figures of networks at random and of networks made robust."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY, image

Values = npt.NDArray[np.float64]
SERIES = (NATURAL, ADVERSARIAL, OTHER)
SIX = (ORIGINAL, OTHER, NATURAL, "#E69F00", "#CC79A7", ADVERSARIAL)
# Of Okabe and Ito, and three greys between them: neighbours differ in lightness too.
DIGITS = ListedColormap(
    [
        "#000000",
        "#E69F00",
        "#56B4E9",
        "#009E73",
        "#F0E442",
        "#0072B2",
        "#D55E00",
        "#CC79A7",
        "#999999",
        "#DDDDDD",
    ]
)


def decay(ax: Axes, table: pd.DataFrame) -> None:
    """Plot excess kurtosis with its interval against width, one series a depth, over the exact values."""
    for (depth, rows), colour in zip(table.groupby("depth"), SERIES, strict=False):
        bars = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        ax.plot(rows["width"], rows["expected"], color=THEORY, linewidth=2.5, alpha=0.5, zorder=1)
        label = f"{depth} hidden layer" + ("s" if depth != 1 else "")
        ax.errorbar(rows["width"], rows["value"], yerr=bars, fmt="o", ms=3.5, lw=1, color=colour, label=label)
    widths = sorted(table["width"].unique())
    ax.set(xscale="log", yscale="log", xlabel="width", ylabel="excess kurtosis")
    ax.set_xticks(widths, [str(width) for width in widths])
    ax.minorticks_off()
    ax.legend(fontsize=7)


def outputs(ax: Axes, samples: Mapping[str, Values], edges: Values, normal: Values) -> None:
    """Plot densities of standardised outputs over that of a normal variable, on a logarithmic scale.

    Args:
        ax: where to draw.
        samples: values by label.
        edges: of the bins.
        normal: the normal density in the middle of each bin.
    """
    ax.plot((edges[1:] + edges[:-1]) / 2, normal, color=THEORY, linewidth=2.5, alpha=0.5, label="normal")
    for (label, values), colour in zip(samples.items(), SERIES, strict=False):
        ax.hist(values, list(edges), density=True, histtype="step", color=colour, label=label)
    ax.set(yscale="log", xlabel="output / its standard deviation", ylabel="density")
    ax.legend(fontsize=7)


def strip(axes: Sequence[Axes], pictures: Sequence[Values]) -> None:
    """Show the images along a segment."""
    for ax, pixels in zip(axes, pictures, strict=True):
        image(ax, pixels)


def classes(axes: Sequence[Axes], walks: Mapping[str, npt.NDArray[np.int64]]) -> None:
    """Show the class of each place (column) of each walk (row) in a colour of its own, with a key."""
    shown = sorted({int(value) for found in walks.values() for value in np.unique(found)})
    for ax, (title, found) in zip(axes, walks.items(), strict=True):
        extent = (0.0, 1.0, len(found), 0.0)
        ax.imshow(
            found, cmap=DIGITS, vmin=-0.5, vmax=9.5, aspect="auto", interpolation="nearest", extent=extent
        )
        ax.set_title(title, fontsize=8)
        ax.set(xlabel="place t on the segment", yticks=[])
        ax.grid(visible=False)
    axes[0].set_ylabel("walks")
    for digit in shown:
        axes[-1].plot([], [], "s", color=DIGITS(digit), label=str(digit))
    axes[-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5), title="class", title_fontsize=7)


def locations(ax: Axes, values: Values, edges: Values, density: Values) -> None:
    """Plot the density of locations over a curve, given in the middle of each bin."""
    ax.hist(values, list(edges), density=True, color=NATURAL, alpha=0.5, label="one mask a segment")
    ax.plot((edges[1:] + edges[:-1]) / 2, density, color=THEORY, label="normal")
    ax.set(xlabel="place t of the first change of class", ylabel="density")
    ax.legend(fontsize=7)


def changes(ax: Axes, table: pd.DataFrame, normal: Values) -> None:
    """Plot changes of class between neighbouring places over what shares of classes, and normals, predict."""
    width = 1 / len(table)
    ax.bar(table["place"], table["counted"], width, color=ADVERSARIAL, alpha=0.5, label="a mask a place")
    ax.plot(table["place"], table["expected"], color=ORIGINAL, label="1 − Σ p(t) p(t′)", linewidth=1)
    ax.plot(table["place"], normal, "--", color=THEORY, label="2 Φ (1 − Φ)")
    ax.set(xlabel="place t of a change of class", ylabel="changes")
    ax.legend(fontsize=7)


def by_width(axes: Sequence[Axes], table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Plot columns against width: a point for each pair, and the median."""
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        groups = list(table.groupby("width"))
        for place, (_, rows) in enumerate(groups):
            spots = place + np.linspace(-0.2, 0.2, len(rows))
            ax.plot(spots, rows[column], "o", color=NATURAL, ms=2.5, alpha=0.6)
            ax.plot([place - 0.3, place + 0.3], [rows[column].median()] * 2, color=ORIGINAL)
        ax.set_xticks(range(len(groups)), [str(width) for width, _ in groups])
        ax.set_title(title, fontsize=8)
        ax.set_xlabel("width")


def defences(axes: Sequence[Axes], tables: Mapping[str, pd.DataFrame], names: Mapping[str, str]) -> None:
    """Plot a value with its interval for each defence, one axes a quantity, from top to bottom."""
    for ax, (title, table) in zip(axes, tables.items(), strict=True):
        rows = table.set_index("defence").loc[list(names)]
        bars = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        ax.errorbar(rows["value"], range(len(rows)), xerr=bars, fmt="o", color=NATURAL, ms=3.5, lw=1)
        ax.set_title(title, fontsize=8)
        ax.set_yticks(range(len(rows)), list(names.values()))
        ax.set_ylim(len(rows) - 0.5, -0.5)


def order(ax: Axes, means: pd.DataFrame, slope: float, names: Mapping[str, str]) -> None:
    """Plot mean persistence against mean distance, a point a network, with the line of a half-space."""
    for (defence, name), colour in zip(names.items(), SIX, strict=False):
        rows = means[means["defence"] == defence]
        ax.plot(rows["distance"], rows["persistence"], "o", color=colour, ms=4, label=name)
    reach = np.array([0.0, means["distance"].max()])
    middle = float((means["persistence"] / means["distance"]).median())
    ax.plot(reach, slope * reach, color=THEORY, label="half-space")
    ax.plot(reach, middle * reach, ":", color=ORIGINAL, linewidth=0.8)
    ax.set(xlabel="mean distance to the nearest adversary", ylabel="mean persistence")
    ax.legend(fontsize=7)
