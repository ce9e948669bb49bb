"""Figures of the fourteen networks: persistence by network, depth and side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, COLOURS, NATURAL, ORIGINAL

MARKERS = {"minimum": "v", "draft": "s", "margin": "o"}
NAMES = {"minimum": "least distortion", "draft": "the draft's distortion", "margin": "margin"}


def histograms(axes: Sequence[Axes], levels: pd.DataFrame, names: Sequence[str], level: str) -> None:
    """Plot persistence of natural images (blue) and adversaries at one depth (red), one axes a network."""
    for ax, name in zip(axes, names, strict=True):
        rows = levels[levels["network"] == name]
        shown = rows[
            (rows["level"] == "natural") | ((rows["level"] == level) & (rows["side"] == "adversarial"))
        ]
        shown = shown[np.isfinite(shown["sigma"])]
        edges = list(np.linspace(0, shown["sigma"].quantile(0.99), 30))
        for kind, group in (("natural", "natural"), ("adversarial", level)):
            sns.histplot(
                x=shown.loc[shown["level"] == group, "sigma"].clip(upper=edges[-1]),
                bins=edges,
                stat="proportion",
                element="step",
                alpha=0.35,
                color=COLOURS[kind],
                label=kind,
                ax=ax,
            )
        ax.set(title=name, xlabel="σ*", ylabel="share of points" if ax is axes[0] else "")
    handles = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(*handles, loc="outside upper right", ncols=2, fontsize=8)


def ratios(axes: Sequence[Axes], levels: pd.DataFrame, names: Sequence[str], flat: float) -> None:
    """Plot σ* over the distance from the boundary by depth and side, one axes a network.

    Depths at which the median of a side lies below the least σ that is searched are left out.
    """
    kept = levels["keeps"].astype("boolean").fillna(False)
    shown = levels[levels["level"].isin(MARKERS) & kept & np.isfinite(levels["sigma"])]
    shown = shown.assign(ratio=shown["sigma"] / shown["distance"])
    medians = shown.groupby(["network", "level", "side"])["ratio"].transform("median")
    seen = medians.groupby([shown["network"], shown["level"]]).transform("min") > 0
    shown = shown[seen & (shown["ratio"] > 0)]
    for ax, name in zip(axes, names, strict=True):
        sns.boxplot(
            shown[shown["network"] == name],
            x="level",
            y="ratio",
            hue="side",
            order=list(MARKERS),
            hue_order=list(COLOURS),
            palette=COLOURS,
            showfliers=False,
            linewidth=0.7,
            legend=False,
            ax=ax,
        )
        ax.axhline(flat, color=ORIGINAL, linewidth=0.8, linestyle=":")
        ax.set(yscale="log", xlabel="depth", ylabel="σ*/d" if ax is axes[0] else "")
        ax.set_xticks(range(len(MARKERS)), ["(a)", "(b)", "(c)"])


def against_depth(ax: Axes, table: pd.DataFrame, slope: float) -> None:
    """Plot median persistence of adversaries against median depth, one point a network and level."""
    for level, marker in MARKERS.items():
        rows = table[(table["level"] == level) & (table["depth"] > 0) & (table["sigma"] > 0)]
        for convolutional, colour in ((False, NATURAL), (True, ADVERSARIAL)):
            some = rows[rows["network"].str.startswith("C-") == convolutional]
            kind = "convolutional" if convolutional else "fully connected"
            ax.plot(some["depth"], some["sigma"], marker, color=colour, label=f"{kind}, {NAMES[level]}")
    ends = np.array([1e-5, 10.0])
    ax.plot(
        ends, slope * ends, color=ORIGINAL, linewidth=0.8, linestyle=":", label="flat boundary, met head on"
    )
    ax.set(xscale="log", yscale="log", xlabel="median depth beyond the boundary", ylabel="median σ*")
    ax.legend(fontsize=7)


def quotients(ax: Axes, table: pd.DataFrame) -> None:
    """Plot persistence of adversaries over that of their natural partners, by network and level."""
    names = list(dict.fromkeys(table["network"]))
    for shift, (level, marker) in enumerate(MARKERS.items()):
        rows = table[table["level"] == level].set_index("network").reindex(names)
        place = np.arange(len(names)) + 0.18 * (shift - 1)
        errors = np.abs(rows[["quotient_low", "quotient_high"]].to_numpy().T - rows["quotient"].to_numpy())
        colour = (ORIGINAL, NATURAL, ADVERSARIAL)[shift]
        ax.errorbar(
            place, rows["quotient"], yerr=errors, fmt=marker, color=colour, ms=4, lw=1, label=NAMES[level]
        )
    ax.axhline(1, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right")
    ax.set(yscale="log", ylabel="σ* adversary / partner")
    ax.legend(fontsize=7)
