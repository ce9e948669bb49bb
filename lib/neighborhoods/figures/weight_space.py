"""Figures of the space of weights: tidy tables to axes."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

ACTIVATIONS = {"tanh": NATURAL, "relu": ADVERSARIAL}
TARGETS = {"end": (ORIGINAL, "-"), "training": (NATURAL, "--"), "back": (ADVERSARIAL, ":")}
KINDS = {"noise": (OTHER, "o"), "other run": (NATURAL, "s"), "trained": (ADVERSARIAL, "D")}


def _band(ax: Axes, table: pd.DataFrame, x: pd.Series, target: str, label: str) -> None:
    """Draw a mean with its interval: columns ``mean``, ``low``, ``high``."""
    colour, style = TARGETS[target]
    ax.fill_between(x, table["low"], table["high"], color=colour, alpha=0.18, linewidth=0)
    ax.plot(x, table["mean"], style, color=colour, marker="o", ms=2.5, label=label)


def pointing(
    axes: Sequence[Axes], table: pd.DataFrame, chance: tuple[float, float], names: Mapping[str, str]
) -> None:
    """Plot cosines against the distance from the path, one axes an activation; the null's interval green.

    Columns ``activation``, ``target``, ``distance``, ``mean``, ``low``, ``high``; distance 0 is drawn at the
    left end.
    """
    for ax, (activation, rows) in zip(axes, table.groupby("activation", sort=False), strict=True):
        least = rows.loc[rows["distance"] > 0, "distance"].min()
        ax.axhspan(*chance, color=THEORY, alpha=0.4, linewidth=0)
        for target, words in names.items():
            some = rows[rows["target"] == target].sort_values("distance")
            _band(ax, some, some["distance"].clip(lower=least / 3), target, words)
        ax.set(xscale="log", xlabel="distance from the path / chord", title=str(activation), ylim=(-0.15, 1))
    axes[0].set_ylabel("cosine with minus the gradient")
    axes[-1].legend(fontsize=7)


def steps(axes: Sequence[Axes], table: pd.DataFrame, rate: float) -> None:
    """Plot the change of the gradient along a step, and the sign changes, against the size of the step.

    Columns ``activation``, ``size``, ``change`` and ``flips``, one row a run; dotted at the run's own size.
    """
    for activation, colour in ACTIVATIONS.items():
        rows = table[table["activation"] == activation].groupby("size")
        for ax, column in zip(axes, ("change", "flips"), strict=True):
            middle = rows[column].median()
            ax.fill_between(
                middle.index, rows[column].min(), rows[column].max(), color=colour, alpha=0.18, linewidth=0
            )
            ax.plot(middle.index, middle, "o-", color=colour, ms=2.5, label=activation)
    for ax, words in zip(axes, ("relative change of the gradient", "hidden signs changed"), strict=True):
        ax.axvline(rate, color=ORIGINAL, linewidth=0.8, linestyle=":")
        ax.set(xscale="log", yscale="log", xlabel="size of the step", ylabel=words)
    axes[1].set_ylim(0.8, None)
    axes[0].legend()


def random_arcs(ax: Axes, table: pd.DataFrame, limit: float) -> None:
    """Plot arc over chord of random pairs against the dimension: sampled quantiles over the exact ones."""
    dimension, ends = table["dimension"], (table["exact_low"], table["exact_high"])
    ax.fill_between(dimension, *ends, color=THEORY, alpha=0.3, linewidth=0, label="exact")
    ax.axhline(limit, color=ORIGINAL, linewidth=0.8, linestyle=":")
    for name, marker in (("low", "v"), ("median", "o"), ("high", "^")):
        ax.plot(dimension, table[name], marker, color=NATURAL, ms=3, label=f"sampled, {name}")
    ax.set_xscale("log", base=2)
    ax.set(xlabel="dimension", ylabel="arc / chord", title="random pairs")
    ax.legend(fontsize=7)


def shapes(ax: Axes, table: pd.DataFrame, quarter: pd.DataFrame) -> None:
    """Plot paths beside their chords: columns ``name``, ``run``, ``along``, ``off``."""
    colours = {"tanh": NATURAL, "relu": ADVERSARIAL, "relu, minibatches": OTHER}
    for (name, run), rows in table.groupby(["name", "run"], sort=False):
        label = str(name) if run == 0 else None
        ax.plot(rows["along"], rows["off"], color=colours[str(name)], linewidth=0.9, label=label)
    ax.plot(quarter["along"], quarter["off"], ":", color=ORIGINAL, label="quarter circle")
    ax.plot([0, 1], [0, 0], color=ORIGINAL, linewidth=0.6)
    ax.set(xlabel="along the chord", ylabel="distance from the chord", title="training")
    ax.set(aspect="equal", ylim=(-0.03, 0.62))
    ax.legend(fontsize=7, loc="upper center", ncols=2)


def line(axes: Sequence[Axes], accuracy: pd.DataFrame, ratios: pd.DataFrame) -> None:
    """Plot accuracy on the line and the path, then ratios of the least distortion to that at the end.

    Columns ``activation``, ``kind``, ``t``, ``mean``, ``low``, ``high``, and ``contrast`` for ``kind``; the
    ratios are logarithms to base 2.
    """
    for (activation, kind), rows in accuracy.groupby(["activation", "kind"], sort=False):
        style = "-" if kind == "line" else "--"
        axes[0].plot(
            rows["t"], rows["mean"], style, color=ACTIVATIONS[str(activation)], label=f"{activation}, {kind}"
        )
    axes[0].set(xlabel="t, or share of the steps", ylabel="accuracy", ylim=(0, 1))
    axes[0].legend(fontsize=7)
    for place, (names, rows) in enumerate(ratios.groupby(["activation", "contrast"], sort=False)):
        activation, contrast = map(str, names)
        value, low, high = (2 ** rows[name] for name in ("mean", "low", "high"))
        axes[1].errorbar(
            rows["t"] + 0.01 * (place - 1.5),
            value,
            yerr=[value - low, high - value],
            fmt="o" if contrast == "line" else "s",
            mfc=None if contrast == "line" else "white",
            color=ACTIVATIONS[activation],
            ms=4,
            lw=1,
            label=f"{activation}, {contrast}",
        )
    axes[1].axhline(1, color=ORIGINAL, linewidth=0.8, linestyle=":")
    axes[1].set(xlabel="t", ylabel="least distortion / that at t = 1")
    axes[1].legend(fontsize=7)


def population(axes: Sequence[Axes], table: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Scatter accuracy against each measure of nearness, by kind of parameters."""
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        for kind, (colour, marker) in KINDS.items():
            rows = table[table["kind"] == kind]
            ax.plot(rows[column], rows["accuracy"], marker, color=colour, ms=2.5, alpha=0.6, label=kind)
        ax.set(xlabel=title, ylim=(0, 1))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(fontsize=7, markerscale=1.6)


def quarter_circle(points: int = 61) -> pd.DataFrame:
    """Return the arc of 90° beside its chord, in chords: columns ``along``, ``off``."""
    angle = np.linspace(-np.pi / 4, np.pi / 4, points)
    return pd.DataFrame({"along": 0.5 + np.sin(angle) / np.sqrt(2), "off": np.cos(angle) / np.sqrt(2) - 0.5})
