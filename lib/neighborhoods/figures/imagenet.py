"""Figures of the ImageNet chapter: photographs, class frequencies, lines, and both sides of the boundary."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY, image

Pixels = npt.NDArray[np.float32]
MARKERS = {"FGSM": "x", "MIFGSM": "^", "BIM": "o", "PGD": "s", "R+FGSM": "+", "CW": "D"}
LABELLED = 20  # points of a line that can be told apart with a number each
SHADES = ("#56B4E9", NATURAL, "#003F66", "#002233", "#000000")


def photographs(axes: Sequence[Axes], points: Sequence[Pixels], titles: Sequence[str]) -> None:
    """Show photographs, channels first, side by side."""
    for ax, pixels, title in zip(axes, points, titles, strict=True):
        image(ax, np.clip(np.moveaxis(pixels, 0, -1), 0, 1), title)


def attack(axes: Sequence[Axes], before: Pixels, after: Pixels, factor: float, titles: Sequence[str]) -> None:
    """Show a photograph, the change of it magnified around grey, and the adversary."""
    photographs(axes, [before, 0.5 + factor * (after - before), after], titles)


def frequencies(
    ax: Axes,
    table: pd.DataFrame,
    names: Sequence[str],
    *,
    original: int,
    target: int,
    centre: int | None = None,
    most: int = 3,
) -> None:
    """Plot class shares against σ: the photograph's class black, the target red, others grey and named.

    At σ = 0 all samples have the class of the centre, the photograph's if none is given.
    """
    centre = original if centre is None else centre
    if centre not in set(table["class"]):
        first = table["sigma"].min()
        table = pd.concat([table, pd.DataFrame({"sigma": [first], "class": [centre], "share": [0.0]})])
    peaks = table.groupby("class")["share"].max().drop([original, target], errors="ignore")
    named = set(peaks.nlargest(most).index)
    for number, rows in table.groupby("class"):
        colour = {original: ORIGINAL, target: ADVERSARIAL}.get(int(str(number)), OTHER)
        width = 1.6 if number in (original, target) else 0.8
        sigmas, shares = [0, *rows["sigma"]], [float(number == centre), *rows["share"]]
        ax.plot(sigmas, shares, color=colour, linewidth=width, marker=".", markersize=3)
        if number in named:
            top = rows.nlargest(1, "share").iloc[0]
            ax.text(top["sigma"], top["share"], names[int(str(number))], color=OTHER, fontsize=6, ha="center")
    ax.set_xscale("function", functions=(np.sqrt, np.square))
    ticks = [0.01, 0.1, 0.5, 1, 2]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set(xlabel="σ", ylim=(0, 1.08), xlim=(0, table["sigma"].max()))


def line(ax: Axes, table: pd.DataFrame, *, original: int, target: int) -> None:
    """Plot persistence along a line with its intervals, each point labelled with its class.

    Of many points only those are labelled at which a class begins.
    """
    ax.plot(table["place"], table["sigma"], color=OTHER, linewidth=0.8, zorder=1)
    begins = (table["class"] != table["class"].shift()) | (len(table) <= LABELLED)
    for row in table.assign(begins=begins).to_dict("records"):
        colour = {original: NATURAL, target: ADVERSARIAL}.get(row["class"], ORIGINAL)
        ax.plot([row["place"]] * 2, [row["low"], min(row["high"], 2 * table["sigma"].max())], color=colour)
        ax.plot(row["place"], row["sigma"], "o", color=colour, markersize=4)
        text = f"{row['class']}" if row["begins"] else ""
        ax.annotate(text, (row["place"], row["sigma"]), (3, 4), textcoords="offset points", fontsize=7)
    ax.set(xlabel="place between photograph and adversary", ylabel="σ*", ylim=(0, None))


def by_gamma(ax: Axes, table: pd.DataFrame) -> None:
    """Plot persistence along a line for several γ, and where the line enters the adversary's class."""
    for (gamma, rows), colour in zip(table.groupby("gamma"), SHADES, strict=False):
        ax.plot(rows["place"], rows["sigma"], marker=".", color=colour, label=f"γ = {gamma:g}")
    first = table[table["gamma"] == table["gamma"].min()]
    entry = np.interp(0.0, first["distance"], first["place"])
    ax.axvline(float(entry), color=ADVERSARIAL, linewidth=0.8, linestyle=":")
    ax.set(xlabel="place between photograph and adversary", ylabel="σ*", ylim=(0, None))
    ax.legend(fontsize=7)


def distortions(ax: Axes, values: dict[str, npt.NDArray[np.float64]], draft: float) -> None:
    """Plot histograms of the distortion for each network, and the draft's mean."""
    edges = np.geomspace(
        min(map(np.min, values.values())) / 1.2, max(draft, *map(np.max, values.values())) * 1.2, 16
    )
    for (name, some), colour in zip(values.items(), (NATURAL, ADVERSARIAL, THEORY, ORIGINAL), strict=False):
        ax.hist(some, list(edges), alpha=0.45, color=colour, label=f"{name} ({len(some)})")
    ax.axvline(draft, color=ORIGINAL, linestyle=":", linewidth=0.8, label="the draft's mean, VGG16")
    ax.set(xscale="log", xlabel="distortion", ylabel="adversaries")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize=7)


def pairs(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot the persistence of adversaries against that of their photographs, one axes a network."""
    for ax, (name, rows) in zip(axes, table.groupby("network", sort=False), strict=False):
        for method, some in rows.groupby("method", sort=False):
            ax.plot(
                some["natural"],
                some["adversarial"],
                MARKERS[str(method)],
                color=ADVERSARIAL,
                markersize=5,
                markerfacecolor="none",
                label=str(method),
            )
        _diagonal(ax, rows, ["natural", "adversarial"])
        ax.set(xscale="log", yscale="log", title=name, xlabel="σ* of the photograph")
    axes[0].set_ylabel("σ* of the adversary")
    axes[0].legend(fontsize=7)


def sides(axes: Sequence[Axes], table: pd.DataFrame, slope: float) -> None:
    """Plot persistence against depth on both sides of the boundary, one axes a network."""
    for ax, (name, rows) in zip(axes, table.groupby("network", sort=False), strict=False):
        for side, colour, label in (
            ("inner", ADVERSARIAL, "adversary's side"),
            ("outer", NATURAL, "photograph's side"),
        ):
            ax.plot(
                rows["equal"],
                rows[side],
                "o",
                color=colour,
                markersize=4,
                markerfacecolor="none",
                label=label,
            )
        ends = np.array([rows["equal"].min(), rows["equal"].max()])
        ax.plot(ends, slope * ends, color=ORIGINAL, linewidth=0.8, linestyle=":", label="flat boundary")
        ax.set(xscale="log", yscale="log", title=name, xlabel="distance from the tangent plane")
        ax.xaxis.set_minor_formatter(NullFormatter())  # the labels of a short axis would overlap
    axes[0].set_ylabel("σ*")
    axes[0].legend(fontsize=7)


def _diagonal(ax: Axes, rows: pd.DataFrame, columns: list[str]) -> None:
    values = rows[columns].to_numpy()
    positive = values[np.isfinite(values) & (values > 0)]
    if len(positive):
        ends = [positive.min(), positive.max()]
        ax.plot(ends, ends, color=ORIGINAL, linewidth=0.8, linestyle=":")
