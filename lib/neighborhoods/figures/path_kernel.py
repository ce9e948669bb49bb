"""Figures of the path kernel: network against kernel, errors on log axes, kernel values in the plane."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

RULES = {"left": ADVERSARIAL, "midpoint": NATURAL, "gauss": THEORY}
RULE_NAMES = {"left": "equal steps from the left", "midpoint": "midpoints", "gauss": "Gauss-Legendre"}
QUANTITIES = {
    "symmetric": ("symmetric kernel, training images", ADVERSARIAL, "o"),
    "flow": ("network, step size halved", NATURAL, "s"),
    "forms": ("asymmetric against continuous form", THEORY, "^"),
    "asymmetry": ("asymmetry of (16)", ORIGINAL, "v"),
}
VARIED = {
    "queries": (NATURAL, "o"),
    "examples": (ADVERSARIAL, "s"),
    "inputs": (THEORY, "^"),
    "hidden": (ORIGINAL, "v"),
    "inputs and hidden": (OTHER, "D"),
    "second hidden": (NATURAL, "x"),
}
FLOOR = 1e-17


def scientific(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a table with some columns as powers of ten that no line break can part."""
    return table.assign(**{name: table[name].map("{:.1e}".format).str.replace("-", "−") for name in columns})


def classes(ax: Axes, points: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> None:
    """Plot the training points of two classes."""
    for label, colour, name in ((0, NATURAL, "class A"), (1, ADVERSARIAL, "class B")):
        some = points[labels == label]
        ax.plot(some[:, 0], some[:, 1], ".", color=colour, markersize=2, alpha=0.5, label=name)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.legend(markerscale=4, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, fontsize=7)


def agreement(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot kernel against network outputs, and the absolute residual against the output on a log scale."""
    network, kernel = table["network"].to_numpy(), table["kernel"].to_numpy()
    ends = [network.min(), network.max()]
    axes[0].plot(ends, ends, color=ORIGINAL, linewidth=0.8, linestyle=":")
    axes[0].plot(network, kernel, ".", color=NATURAL, markersize=2.5, alpha=0.5)
    axes[0].set(xlabel="output of the network", ylabel="output of the kernel machine")
    axes[1].plot(network, np.maximum(np.abs(kernel - network), FLOOR), ".", color=NATURAL, markersize=2.5)
    unit = np.spacing(np.abs(network).max())
    axes[1].axhline(unit, color=ORIGINAL, linewidth=0.8, linestyle=":")
    axes[1].set(yscale="log", xlabel="output of the network", ylabel="|kernel − network|")


def values(
    ax: Axes,
    points: npt.NDArray[np.float64],
    kernel: npt.NDArray[np.float64],
    place: Sequence[float],
    top: float,
) -> None:
    """Plot kernel values of one place with all training points by colour, with their sum in the title."""
    low = min(0.0, float(kernel.min()))
    drawn = ax.scatter(
        points[:, 0], points[:, 1], c=kernel, s=3, cmap="viridis", vmin=low, vmax=top, rasterized=True
    )
    ax.plot(*place, "*", color=ADVERSARIAL, markersize=9, clip_on=False)
    ax.set_title(f"$x$ = ({place[0]:g}, {place[1]:g}): sum {kernel.sum():.0f}".replace("-", "−"), fontsize=8)
    ax.figure.colorbar(drawn, ax=ax)


def nodes(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot the gap of fixed rules against nodes, one axes a network, with the exact one as a line."""
    groups = list(table.groupby(["network", "activation"], sort=False))
    for ax, ((network, activation), rows) in zip(axes, groups, strict=True):
        for rule, colour in RULES.items():
            some = rows[rows["rule"] == rule]
            ax.plot(some["nodes"], some["gap"], "o-", ms=3, color=colour, label=RULE_NAMES[rule])
        exact = float(rows.loc[rows["rule"] == "exact", "gap"].iloc[0])
        ax.axhline(
            max(exact, FLOOR), color=ORIGINAL, linewidth=1, linestyle="--", label="exact pieces, adaptive"
        )
        ax.set(xscale="log", yscale="log", xlabel="nodes on each chord", title=f"{network}, {activation}")
    axes[0].set(ylabel="gap")
    axes[0].legend(fontsize=6.5, loc="center")


def orders(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot what vanishes with the step size, one axes an activation, with a line of order one."""
    for ax, (activation, rows) in zip(axes, table.groupby("activation", sort=False), strict=True):
        for name, (label, colour, marker) in QUANTITIES.items():
            ax.plot(rows["rate"], rows[name], marker=marker, ms=4, color=colour, label=label)
        ends = np.array([rows["rate"].min(), rows["rate"].max()])
        ax.plot(ends, 0.2 * ends, color=OTHER, linewidth=0.8, linestyle=":", label="order one")
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", xlabel="step size ε", title=str(activation))
    axes[0].set(ylabel="relative size")
    axes[0].legend(fontsize=6.5)


def definiteness(ax: Axes, table: pd.DataFrame) -> None:
    """Plot the least over the greatest eigenvalue against the step size, one point a step and form."""
    for form, colour, shift in (("asymmetric", ADVERSARIAL, 0.96), ("dpk", NATURAL, 1.04)):
        rows = table[table["form"] == form]
        name = "symmetric kernel" if form == "dpk" else "asymmetric form (16)"
        ax.plot(rows["rate"] * shift, rows["ratio"], "o", ms=3.5, color=colour, alpha=0.7, label=name)
    ax.axhline(0, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", xlabel="step size ε", ylabel="least / greatest eigenvalue")
    ax.set_yscale("symlog", linthresh=1e-3)
    ax.set_ylim(-1, 0.1)
    ax.legend()


def widths(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot distances from the frozen tangent kernel against width, one axes a data set, points for seeds."""
    shown = {
        "frozen": ("kernel frozen, coefficients of the network", ADVERSARIAL, "o"),
        "linearised": ("linearised network", NATURAL, "s"),
        "moved": ("change of the tangent kernel", THEORY, "^"),
    }
    for ax, (data, rows) in zip(axes, table.groupby("data", sort=False), strict=True):
        for name, (label, colour, marker) in shown.items():
            ax.plot(rows["width"], rows[name], marker, ms=2.5, alpha=0.5, color=colour)
            ax.plot(rows.groupby("width")[name].median(), "-", color=colour, label=label)
        name = "MNIST" if data == "mnist" else "two Gaussians"
        ax.set_xscale("log", base=2)
        ax.set(yscale="log", xlabel="hidden units", title=name)
    axes[0].set(ylabel="relative size")
    axes[-1].legend(fontsize=6.5)


def spectrum(ax: Axes, table: pd.DataFrame) -> None:
    """Plot eigenvalues of Gram matrices in descending order, one line a column."""
    for column, colour in zip(table.columns, (NATURAL, ADVERSARIAL), strict=False):
        ax.plot(np.arange(1, len(table) + 1), table[column].to_numpy()[::-1], color=colour, label=column)
    ax.set(yscale="log", xlabel="number", ylabel="eigenvalue")
    ax.legend()


def costs(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot costs against sizes, both as multiples of their first: operations as lines, seconds as points."""
    for ax, (output, some) in zip(axes, table.groupby("output", sort=False), strict=True):
        for varied, (colour, marker) in VARIED.items():
            rows = some[some["varied"] == varied]
            first = rows.iloc[0]
            size = rows["value"] / first["value"]
            ax.plot(size, rows["gflop"] / first["gflop"], color=colour, linewidth=1)
            ax.plot(size, rows["seconds"] / first["seconds"], marker, ms=4, color=colour, label=varied)
        both = some[some["varied"] == "inputs and hidden"]
        size, products = (both[name] / both[name].iloc[0] for name in ("value", "gflop_of_jacobian_products"))
        ax.plot(size, products, "--", color=OTHER, linewidth=1, label="the same, products of Jacobians")
        ax.plot([1, 8], [1, 8], color=ORIGINAL, linewidth=0.8, linestyle=":", label="linear")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log", base=2)
        ax.set(xlabel="size, in multiples", title="full tensor" if output == "full" else str(output))
    axes[0].set(ylabel="cost of a step, in multiples")
    axes[0].legend(fontsize=6.5)
