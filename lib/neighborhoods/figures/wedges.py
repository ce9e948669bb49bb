"""Figures of wedges: their shape, their stability, and where the bracketing algorithm goes wrong."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY


def orthant(ax: Axes3D, facets: int, *, size: float = 2.0) -> None:
    """Draw the boundary of the wedge x₁, …, x_k ≥ 0 in three dimensions and the point at distance 1 from
    it."""
    # The last k coordinates bound the wedge, so that a single facet is the floor.
    bounded = [3 - 1 - i for i in range(facets)]
    lower = np.array([0.0 if axis in bounded else -size for axis in range(3)])
    point = np.array([1.0 if axis in bounded else 0.0 for axis in range(3)])
    for axis in bounded:
        first, second = (other for other in range(3) if other != axis)
        corners = np.zeros((4, 3))
        corners[:, first] = [lower[first], size, size, lower[first]]
        corners[:, second] = [lower[second], lower[second], size, size]
        ax.add_collection3d(Poly3DCollection([corners], alpha=0.35, facecolor=NATURAL, edgecolor=NATURAL))
        foot = np.where(np.arange(3) == axis, 0.0, point)
        ax.plot(*np.stack([point, foot], 1), color=ORIGINAL, linestyle="--", linewidth=1)
    ax.scatter(*point[:, None], color=ORIGINAL, s=18)
    ax.set(xlim=(-size, size), ylim=(-size, size), zlim=(-size, size), title=f"k = {facets}")
    for axis_object in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis_object.set_ticklabels([])
    ax.view_init(elev=22, azim=35)
    ax.set_box_aspect((1, 1, 1))


def against_facets(ax: Axes, table: pd.DataFrame) -> None:
    """Plot persistence against the number of facets; columns ``theta`` (degrees), ``k``, ``sigma``."""
    colours = [THEORY, NATURAL, ADVERSARIAL, OTHER]
    for colour, (theta, rows) in zip(colours, table.groupby("theta"), strict=False):
        label = "orthant" if theta == 0 else f"facets tilted by {theta:g}°"
        ax.plot(rows["k"], rows["sigma"], marker="o", markersize=3.5, color=colour, label=label)
    ax.axhline(1, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set(xlabel="facets k", ylabel="σ* at distance 1 from each facet", xticks=sorted(table["k"].unique()))
    ax.set_ylim(bottom=0)
    ax.legend()


def outside(ax: Axes, table: pd.DataFrame, gamma: float) -> None:
    """Plot stability outside a two-facet wedge against σ, one curve per L; columns ``L``, ``sigma``,
    ``P``."""
    shades = np.linspace(0.75, 0, table["L"].nunique())
    for shade, (length, rows) in zip(shades, table.groupby("L"), strict=True):
        colour = (shade, shade * 0.6 + 0.2, 0.7 - 0.3 * shade)
        ax.plot(rows["sigma"], rows["P"], color=colour, label=f"L = {length:g} d")
    ax.axhline(gamma, color=ORIGINAL, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", xlabel="σ / d", ylabel="share of noise in the class of x")
    ax.legend()


def islands(
    ax: Axes, sigmas: npt.ArrayLike, shares: npt.ArrayLike, gamma: float, answers: dict[str, float]
) -> None:
    """Plot the stability of a class with an island and mark answers by name; the first is the
    definition's."""
    ax.plot(np.asarray(sigmas), np.asarray(shares), color=NATURAL)
    ax.axhline(gamma, color=ORIGINAL, linewidth=0.8, linestyle=":")
    for (name, sigma), colour in zip(answers.items(), (THEORY, ADVERSARIAL, OTHER), strict=False):
        ax.plot([sigma], [gamma], "o", color=colour, label=name, zorder=3)
    ax.set(xscale="log", xlabel="σ", ylabel="share of noise in the class of x")
    ax.legend()


def shares_beyond(ax: Axes, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Plot probabilities of leaving the annulus against ε, one line a column, on a log scale."""
    for column, colour in zip(columns, (ORIGINAL, THEORY, ADVERSARIAL), strict=False):
        ax.plot(table["epsilon"], table[column], color=colour, label=column)
    ax.set(yscale="log", ylim=(1e-12, 2), xlabel="ε", ylabel="probability of leaving the annulus")
    ax.legend()
