"""Figures of what a path kernel is good for: tidy tables to axes."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY, image

SIDE = 28
COLOURS = (ORIGINAL, NATURAL, ADVERSARIAL, THEORY, OTHER, "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")

Numbers = npt.NDArray[np.float64]


def trios(
    grid: npt.NDArray[np.object_], pictures: Sequence[Sequence[npt.ArrayLike]], rows: pd.DataFrame
) -> None:
    """Show a test image, its nearest in kernel space and its nearest in pixel space, one column each.

    The rows of the table name the classes: ``label``, ``kernel``, ``pixel``; a wrong one has a red frame.
    """
    classes = rows[["label", "kernel", "pixel"]].to_numpy()
    for column, (trio, names) in enumerate(zip(pictures, classes, strict=True)):
        for place, (ax, picture, name) in enumerate(zip(grid[:, column], trio, names, strict=True)):
            image(ax, np.reshape(picture, (SIDE, SIDE)))
            ax.set_axis_on()
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            wrong = bool(name != names[0])
            for spine in ax.spines.values():
                spine.set(
                    visible=True, color=ADVERSARIAL if wrong else OTHER, linewidth=2.0 if wrong else 0.5
                )
            if column == 0:
                ax.set_ylabel(("test", "kernel", "pixel")[place], fontsize=8)


def interval_rows(
    ax: Axes, table: pd.DataFrame, *, rows: str, series: str, value: str, names: Mapping[str, str]
) -> None:
    """Plot values with their intervals, one line of the axes for each row, one marker for each series.

    Columns `rows`, `series`, `value`, ``low``, ``high``; `names` says what the series are called.
    """
    lines = list(dict.fromkeys(table[rows]))
    for shift, name in enumerate(names):
        some = table[table[series] == name].set_index(rows).reindex(lines)
        place = np.arange(len(lines)) + 0.7 * ((shift + 0.5) / len(names) - 0.5)
        reach = np.abs(some[["low", "high"]].to_numpy().T - some[value].to_numpy())
        ax.errorbar(
            some[value],
            place,
            xerr=reach,
            fmt=MARKERS[shift],
            color=COLOURS[shift],
            ms=4,
            lw=1,
            label=names[name],
        )
    ax.set_yticks(range(len(lines)), lines)
    ax.set_ylim(len(lines) - 0.4, -0.6)


def contributors(
    axes: Sequence[Axes], picture: npt.ArrayLike, title: str, strongest: Sequence[tuple[npt.ArrayLike, str]]
) -> None:
    """Show an image and beside it the training examples that contribute most, each with its words."""
    image(axes[0], np.reshape(picture, (SIDE, SIDE)), title)
    for ax, (example, words) in zip(axes[1:], strongest, strict=True):
        image(ax, np.reshape(example, (SIDE, SIDE)), words)


def changes(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Scatter the change by retraining against the change attributed, one axes for each size of set."""
    for ax, (size, rows) in zip(axes, table.groupby("size"), strict=True):
        ax.plot(rows["attributed"], rows["actual"], ".", color=NATURAL, markersize=2.5, alpha=0.4)
        ends = np.array([rows["attributed"].min(), rows["attributed"].max()])
        ax.plot(ends, ends, color=ORIGINAL, linewidth=0.8, linestyle=":")
        ax.axhline(0, color=ORIGINAL, linewidth=0.6)
        title = "single examples" if size == 1 else f"groups of {size}"
        ax.set(title=title, xlabel="change attributed", ylabel="change after retraining")


def columns(
    axes: Sequence[Axes], grid: Numbers, values: Sequence[Numbers], points: Numbers, centres: Numbers
) -> None:
    """Map columns of the kernel over the plane, each in units of its value at its own point.

    A thin line marks zero, a dashed one the value at the point itself.
    """
    side = round(len(grid) ** 0.5)
    x, y = (grid[:, axis].reshape(side, side) for axis in (0, 1))
    for ax, column, centre in zip(axes, values, centres, strict=True):
        height, most = column.reshape(side, side), float(np.abs(column).max())
        ax.contourf(x, y, height, levels=list(np.linspace(-most, most, 25)), cmap="RdBu_r")
        ax.contour(x, y, height, [0.0, 1.0], colors=ORIGINAL, linestyles=["-", "--"], linewidths=[0.6, 1.2])
        ax.plot(points[:, 0], points[:, 1], ".", color=OTHER, markersize=1)
        ax.plot(*centre, "o", color=ORIGINAL, markersize=5)
        ax.set(title=f"x′ = ({centre[0]:g}, {centre[1]:g}), up to {most:.1f}", aspect="equal")
        ax.grid(False)


def interpolation(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot the gradient's projection, then loss and norm, then accuracy, along the line of parameters."""
    axes[0].plot(table["t"], table["slope"], color=NATURAL, linestyle="--", marker="o", markersize=2.5)
    axes[0].axhline(0, color=ORIGINAL, linewidth=0.6)
    axes[0].set(xlabel="t", title="slope towards the end")
    axes[1].plot(table["t"], table["loss"], color=ADVERSARIAL, marker="o", markersize=2.5, label="loss")
    axes[1].plot(table["t"], table["norm"], color=ORIGINAL, linestyle=":", label="|w|² / |w₀|²")
    axes[1].set(xlabel="t", title="loss and norm", ylim=(0, None))
    axes[1].legend(fontsize=7)
    axes[2].plot(table["t"], table["accuracy"], color=NATURAL, marker="o", markersize=2.5)
    axes[2].set(xlabel="t", title="accuracy", ylim=(0, 1))


def costs(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot the error of contributions, and their rank correlation, against arithmetic, by method."""
    for place, name in enumerate(("fewer steps", "last layer", "random projection"), start=1):
        rows = table[table["method"] == name]
        middle = rows.groupby("setting")[["operations", "error", "order"]].mean()
        for ax, column in zip(axes, ("error", "order"), strict=True):
            ax.plot(
                middle["operations"],
                middle[column],
                MARKERS[place],
                ls="-",
                ms=4,
                color=COLOURS[place],
                label=name,
            )
    for ax in axes:
        ax.axvline(1, color=ORIGINAL, linewidth=0.8, linestyle=":")
        ax.set(xscale="log", xlabel="arithmetic / that of the exact kernel")
    axes[0].set(yscale="log", ylabel="relative error")
    axes[1].set(ylabel="rank correlation", ylim=(None, 1.02))
    axes[0].legend(fontsize=7)


def projections(ax: Axes, table: pd.DataFrame) -> None:
    """Plot how well kernel cosine and pixel distance tell which vertices a projection uses."""
    edges = list(np.linspace(min(table["kernel"].min(), table["pixel"].min()), 1.0, 41))
    for name, colour in (("kernel", ADVERSARIAL), ("pixel", NATURAL)):
        ax.hist(table[name], bins=edges, histtype="stepfilled", alpha=0.4, color=colour, label=name)
    ax.set(xlabel="chance that a vertex used ranks above one not used", ylabel="test images")
    ax.legend()
