"""Figures of the persistence chapter's measurements: tidy tables to axes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, COLOURS, NATURAL, ORIGINAL, OTHER, image

QUARTILES = np.array([0.25, 0.5, 0.75])
LEADERS = {"target": ADVERSARIAL, "original": ORIGINAL, "background": OTHER}
SIDES = {"adversarial": "adversarial side", "natural": "natural side"}


def frequencies(ax: Axes, table: pd.DataFrame, target: int, original: int, *, labels: bool = True) -> None:
    """Plot class shares against σ around one point: target red, original black, the rest grey."""
    around = table[table["target"] == target]
    for number in sorted(around["class"].unique()):
        rows = around[around["class"] == number]
        named = {original: ORIGINAL, target: ORIGINAL if target == original else ADVERSARIAL}
        colour, width = named.get(number, OTHER), 1.6 if number in named else 0.9
        ax.plot(
            rows["sigma"], rows["share"], color=colour, linewidth=width, zorder=3 if number in named else 2
        )
        last = rows.iloc[-1]
        if last["share"] > 0.05:
            ax.text(last["sigma"], last["share"], f" {number}", color=colour, fontsize=7, va="center")
    ax.set(ylim=(0, 1.08), xlim=(0, None))
    if labels:
        ax.set(xlabel="σ", ylabel="share of samples")
    else:
        ax.tick_params(labelleft=False)


def strip(axes: Sequence[Axes], pixels: npt.NDArray[np.float32], sigmas: Sequence[float]) -> None:
    """Show noisy versions of one image, clipped to [0, 1], each with its σ."""
    for ax, picture, sigma in zip(axes, pixels, sigmas, strict=True):
        image(ax, picture, f"σ = {sigma:.1f}")


def histogram(ax: Axes, table: pd.DataFrame, gamma: float) -> None:
    """Plot persistence of natural (blue) and adversarial (red) points as densities that each sum to one."""
    edges = np.linspace(0, table["sigma"].max(), 60)
    for kind, colour in COLOURS.items():
        rows = table[table["kind"] == kind]
        sns.histplot(
            x=rows["sigma"],
            bins=list(edges),
            stat="proportion",
            element="step",
            alpha=0.35,
            color=colour,
            label=f"{kind} ({len(rows)})",
            ax=ax,
        )
    ax.set(xlabel=f"{gamma:g}-persistence σ*", ylabel="share of points")
    ax.legend()


def by_gamma(ax: Axes, table: pd.DataFrame) -> None:
    """Plot the median and the middle half of persistence against γ, by kind."""
    for kind, rows in table.groupby("kind"):
        middle = rows.groupby("gamma")["sigma"].quantile(QUARTILES).unstack()
        colour = COLOURS[str(kind)]
        ax.fill_between(middle.index, middle[0.25], middle[0.75], color=colour, alpha=0.2, linewidth=0)
        ax.plot(middle.index, middle[0.5], color=colour, marker="o", markersize=3.5, label=str(kind))
    ax.set(xlabel="γ", ylabel="persistence", yscale="log")
    ax.legend()


def balls(ax: Axes, table: pd.DataFrame) -> None:
    """Scatter persistence under ball noise against persistence under Gaussian noise, by kind."""
    wide = table.pivot_table(index=["kind", "pair"], columns="noise", values="sigma").reset_index()
    for kind, rows in wide.groupby("kind"):
        ax.plot(rows["gaussian"], rows["ball"], ".", markersize=3, color=COLOURS[str(kind)], label=str(kind))
    ends = [wide["gaussian"].min(), wide["gaussian"].max()]
    ax.plot(ends, ends, color=ORIGINAL, linewidth=0.8)
    ax.set(xscale="log", yscale="log", xlabel="σ*, Gaussian noise", ylabel="σ*, balls of radius σ√n")
    ax.legend()


def leaders(ax: Axes, table: pd.DataFrame) -> None:
    """Stack the shares of adversaries led by the target, the original or a background class, against σ."""
    shares = table.groupby("sigma")["leader"].value_counts(normalize=True).unstack().fillna(0.0)
    shares = shares.reindex(columns=list(LEADERS), fill_value=0.0)
    ax.stackplot(
        shares.index, shares.to_numpy().T, colors=list(LEADERS.values()), labels=list(LEADERS), alpha=0.75
    )
    ax.set(
        xlabel="σ", ylabel="share of adversaries", ylim=(0, 1), xlim=(shares.index.min(), shares.index.max())
    )
    ax.legend(loc="lower right", title="most frequent class", frameon=True)


def matched(ax: Axes, table: pd.DataFrame, slope: float) -> None:
    """Plot median σ*/d against the distance d from the boundary on both sides, with the flat boundary's
    slope."""
    for side, rows in table.groupby("side"):
        middle = rows.groupby("distance")["ratio"].quantile(QUARTILES).unstack()
        colour = COLOURS[str(side)]
        ax.fill_between(middle.index, middle[0.25], middle[0.75], color=colour, alpha=0.2, linewidth=0)
        ax.plot(middle.index, middle[0.5], color=colour, marker="o", markersize=3.5, label=SIDES[str(side)])
    ax.axhline(slope, color=ORIGINAL, linewidth=0.8, linestyle=":", label="flat boundary")
    ax.set(
        xscale="log", xlabel="distance from the boundary along the attack", ylabel="σ* / d", ylim=(0, None)
    )
    ax.legend()


def overshoots(ax: Axes, table: pd.DataFrame, slope: float) -> None:
    """Plot median persistence against median overshoot, one point an attack setting and side."""
    for (side, stop), rows in table.groupby(["side", "stop"]):
        marker = "o" if stop == "success" else "s"
        label = f"{SIDES[str(side)]}, {'first success' if stop == 'success' else 'all steps'}"
        ax.plot(
            rows["distance"],
            rows["sigma"],
            marker,
            color=COLOURS[str(side)],
            markersize=5,
            label=label,
            markerfacecolor=COLOURS[str(side)] if stop == "success" else "none",
        )
    ends = np.array([table["distance"].min(), table["distance"].max()])
    ax.plot(ends, slope * ends, color=ORIGINAL, linewidth=0.8, linestyle=":", label="flat boundary")
    ax.set(xscale="log", yscale="log", xlabel="median distance from the tangent plane", ylabel="median σ*")
    ax.legend(fontsize=7)


def norms(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot densities of the norms of ball and Gaussian samples, one axes a dimension."""
    colours = {"ball": NATURAL, "gaussian": ADVERSARIAL}
    for ax, (dimension, rows) in zip(axes, table.groupby("dimension"), strict=True):
        for noise, colour in colours.items():
            norm = rows.loc[rows["noise"] == noise, "norm"]
            sns.histplot(
                x=norm, bins=60, stat="density", element="step", alpha=0.35, color=colour, label=noise, ax=ax
            )
        ax.set(xlabel="norm", title=f"n = {dimension}", yscale="log")
    axes[0].legend()


def montage(ax: Axes, pixels: npt.NDArray[np.float32], title: str) -> None:
    """Show several noisy versions of one image side by side in one axes."""
    image(ax, np.concatenate(list(pixels), axis=1), title)
