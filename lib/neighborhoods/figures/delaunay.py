"""Figures of Voronoi and Delaunay boundaries in the plane, and of what is measured on them."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, NullFormatter

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

PALE = LinearSegmentedColormap.from_list("classes", ["#D6E6F2", "#F6D9D2"])
CLASS_COLOURS = (NATURAL, ADVERSARIAL, THEORY)
EDGES = (0.05, 0.1, 0.2, 0.4)
DISTANCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LEVELS = LinearSegmentedColormap.from_list("levels", [NATURAL, ADVERSARIAL])


def cells(ax: Axes, sites: npt.ArrayLike, nearest: npt.ArrayLike, extent: Sequence[float]) -> None:
    """Shade the cells of few sites, whose numbers stand on a square grid, and mark the sites."""
    points, grid = np.asarray(sites), np.asarray(nearest)
    shades = LinearSegmentedColormap.from_list("cells", ["#D6E6F2", "#F6D9D2", "#D5EFE6"])
    ax.imshow(grid, origin="lower", extent=tuple(extent), cmap=shades, aspect="equal")  # type: ignore[arg-type]
    for point, colour, name in zip(points, CLASS_COLOURS, "xyz", strict=False):
        ax.plot(*point, "o", color=colour)
        ax.annotate(f"${name}$", point, xytext=(5, 5), textcoords="offset points")
    ax.grid(visible=False)


def counterexample(ax: Axes, sites: npt.ArrayLike, crossing: npt.ArrayLike) -> None:
    """Draw the segment between the first two sites, where it leaves the first cell, and the normal there."""
    points, place = np.asarray(sites), np.asarray(crossing)
    ax.plot(*points[:2].T, color=ORIGINAL, linewidth=1)
    normal = (points[2] - points[0]) / np.linalg.norm(points[2] - points[0])
    arrow = {"arrowstyle": "->", "color": ADVERSARIAL, "lw": 1.4}
    ax.annotate("", tuple(place + 0.9 * normal), tuple(place), arrowprops=arrow)
    ax.plot(*place, "s", color=ORIGINAL, markersize=4)
    ax.set(xlabel="first coordinate", ylabel="second coordinate")


def boundaries(
    axes: Sequence[Axes], answers: Mapping[str, npt.ArrayLike], sites: npt.ArrayLike, labels: npt.ArrayLike
) -> None:
    """Draw the classes of a grid of the square [-1, 1]² for each rule, the sites on top; one axes a rule."""
    points, classes = np.asarray(sites), np.asarray(labels)
    truth = np.asarray(next(iter(answers.values())))
    for ax, (name, grid) in zip(axes, answers.items(), strict=True):
        ends = (-1, 1, -1, 1)
        ax.imshow(np.asarray(grid), origin="lower", extent=ends, cmap=PALE, aspect="equal")
        ax.contour(np.asarray(grid), [0.5], extent=ends, colors=ORIGINAL, linewidths=0.9)
        ax.contour(truth, [0.5], extent=ends, colors=THEORY, linewidths=0.9, linestyles="--")
        for value, colour in enumerate(CLASS_COLOURS[:2]):
            ax.plot(*points[classes == value].T, ".", color=colour, markersize=2)
        ax.set(title=name, xticks=[], yticks=[])


def levels(
    ax: Axes, segments: npt.ArrayLike, level: npt.ArrayLike, sites: npt.ArrayLike, labels: npt.ArrayLike
) -> None:
    """Draw segments of a boundary of three classes coloured by decision level, and the labelled sites."""
    lines = LineCollection(list(np.asarray(segments)), cmap=LEVELS, linewidths=2)
    lines.set_array(np.asarray(level))
    lines.set_clim(1 / 3, 1 / 2)
    ax.add_collection(lines)
    points, classes = np.asarray(sites), np.asarray(labels)
    for value, marker in enumerate("os^"):
        ax.plot(*points[classes == value].T, marker, color=OTHER, markersize=3)
    ax.figure.colorbar(lines, ax=ax, label="decision level", ticks=[1 / 3, 0.4, 0.5], format="%.2f")
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])


def by_dimension(
    ax: Axes, table: pd.DataFrame, known: Mapping[int, float] | None = None, *, ylabel: str
) -> None:
    """Plot means with intervals against the dimension, one line a kind of data, and known values."""
    for (data, rows), colour in zip(table.groupby("data", sort=False), (OTHER, NATURAL), strict=False):
        reach = np.abs(rows[["low", "high"]].to_numpy().T - rows["mean"].to_numpy())
        ax.errorbar(
            rows["dimension"], rows["mean"], yerr=reach, fmt="o-", ms=3.5, lw=1, color=colour, label=str(data)
        )
    if known:
        ax.plot(list(known), list(known.values()), "x", color=THEORY, ms=6, label="uniform points, exactly")
    ax.set(xlabel="dimension", ylabel=ylabel, ylim=(0, None))
    ax.legend()


def order(ax: Axes, table: pd.DataFrame, column: str, cases: Mapping[str, str]) -> None:
    """Plot a distance against the longest edge, one colour a case, and the bound of the theorem."""
    for (case, name), colour in zip(cases.items(), (NATURAL, THEORY, ADVERSARIAL, OTHER), strict=False):
        rows = table[table["case"] == case]
        ax.plot(rows["epsilon"], rows[column], ".", color=colour, markersize=4, label=name)
    ends = np.array([table["epsilon"].min(), table["epsilon"].max()])
    ax.plot(ends, ends, ":", color=ORIGINAL, linewidth=0.8, label="ε")
    ax.set(xscale="log", yscale="log", xlabel="longest edge ε", ylabel="distance")
    _plain_ticks(ax.xaxis, EDGES)
    _plain_ticks(ax.yaxis, DISTANCES)
    ax.legend(fontsize=7)


def normals(ax: Axes, table: pd.DataFrame, cases: Mapping[str, str]) -> None:
    """Plot the median angle between normals against the longest edge."""
    for (case, name), colour in zip(cases.items(), (NATURAL, THEORY), strict=False):
        rows = table[table["case"] == case]
        ax.plot(rows["epsilon"], rows["normal"], ".", color=colour, markersize=4, label=name)
    ax.set(xscale="log", ylim=(0, None), xlabel="longest edge ε", ylabel="median angle of normals (°)")
    _plain_ticks(ax.xaxis, EDGES)
    ax.legend(fontsize=7)


def _plain_ticks(axis: Axis, values: Sequence[float]) -> None:
    low, high = axis.get_view_interval()
    axis.set_ticks([value for value in values if low <= value <= high])
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def places(axes: Sequence[Axes], tables: Mapping[str, pd.DataFrame]) -> None:
    """Plot where segments cross the boundary of a network, nearest and random pairs; one axes a network."""
    edges = np.linspace(0, 1, 21)
    for ax, (name, table) in zip(axes, tables.items(), strict=True):
        for kind, colour in (("nearest", NATURAL), ("random", ADVERSARIAL)):
            values = table.loc[(table["kind"] == kind) & (table["status"] == "converged"), "fraction"]
            share = np.full(len(values), 1 / max(len(values), 1))
            style = {"histtype": "stepfilled", "alpha": 0.4, "color": colour, "label": f"{kind} pairs"}
            ax.hist(values, edges, weights=share, **style)  # type: ignore[arg-type]
        ax.axhline(1 / 20, color=ORIGINAL, linewidth=0.8, linestyle=":")
        ax.axvline(0.5, color=ORIGINAL, linewidth=0.8)
        ax.set(title=name, xlabel="place of the crossing", ylabel="share of pairs" if ax is axes[0] else "")
    axes[0].legend(fontsize=7)
