"""Figures of argmax, of the three definitions of a boundary, and of its image in probability space."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Circle, Polygon

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

CLASSES = (NATURAL, "#E69F00", THEORY)
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
Array = npt.NDArray[np.float64]


def balls(ax: Axes, outputs: Array, radii: Mapping[str, float]) -> None:
    """Draw the balls of three norms, named l1, l2 and linf, around two outputs, and the line of ties."""
    reach = 1.4 * radii["l1"]
    ax.axline((0, 0), slope=1, color=ORIGINAL, linewidth=1.6, label="ties")
    turned = radii["l1"] * np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    straight = radii["linf"] * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    shapes = {
        "ℓ¹, radius = gap": Polygon(outputs + turned),
        "ℓ², radius = gap/√2": Circle((outputs[0], outputs[1]), radii["l2"]),
        "ℓ∞, radius = gap/2": Polygon(outputs + straight),
    }
    for (name, patch), colour in zip(shapes.items(), CLASSES, strict=True):
        patch.set(facecolor="none", edgecolor=colour, linewidth=1.6, label=name)
        ax.add_patch(patch)
    ax.plot(*outputs[:, None], "o", color=ORIGINAL, markersize=5)
    ax.set(xlim=(outputs[0] - reach, outputs[0] + reach), ylim=(outputs[1] - 1.5 * reach, outputs[1] + reach))
    ax.set(xlabel="output of class 1", ylabel="output of class 2")
    ax.set_aspect("equal")
    ax.legend(fontsize=7, loc="lower right")


def winning_sets(top: Axes, bottom: Axes, t: Array, outputs: Array, sets: npt.NDArray[np.bool_]) -> None:
    """Plot outputs along a path, and under them for each class where it is among the winners."""
    for number, colour in enumerate(CLASSES):
        top.plot(t, outputs[:, number], color=colour, label=f"class {number + 1}")
        won = t[sets[:, number]]
        bottom.plot(won, np.full_like(won, -number), "|", color=colour, markersize=9)
    top.legend(fontsize=7, ncols=3, loc="upper center")
    top.set(ylabel="outputs", xticklabels=[], ylim=(outputs.min() - 0.1, outputs.max() + 0.6))
    bottom.set(xlabel="place on a path", ylim=(-2.6, 0.6), yticks=[0, -1, -2], yticklabels=["1", "2", "3"])
    bottom.set_ylabel("wins")


def counterexample(
    ax: Axes, x: Array, outputs: Array, sets: Mapping[str, npt.NDArray[np.bool_]], title: str
) -> None:
    """Plot two outputs on a line, and under them where each of the named sets lies."""
    for number, colour in enumerate(CLASSES[:2]):
        jump = np.abs(np.diff(outputs[:, number], prepend=outputs[0, number])) > 0.1
        ax.plot(x, np.where(jump, np.nan, outputs[:, number]), color=colour, label=f"output {number + 1}")
    for row, (name, members) in enumerate(sets.items()):
        height = -0.12 - 0.17 * row
        ax.axhline(height, color="#E6E6E6", linewidth=5, zorder=0)
        ax.plot(x[members], np.full(int(members.sum()), height), "s", color=ORIGINAL, markersize=4)
        ax.text(x[0], height + 0.045, name, fontsize=7, va="bottom", clip_on=False)
    ax.axhline(0, color=OTHER, linewidth=0.6)
    ax.set(title=title, xlim=(x[0], x[-1]), ylim=(-0.4, 1.02), yticks=[0, 0.5, 1])
    ax.grid(visible=False)


def classes_near(ax: Axes, counts: npt.NDArray[np.int64], ties: Array, size: float, title: str) -> None:
    """Show how many classes meet the ball around each point of a square, and points of special interest."""
    shades = ListedColormap(["#F2F2F2", "#9ECAE1", "#08519C"])
    ax.imshow(counts, cmap=shades, vmin=1, vmax=3, origin="lower", extent=(-size, size, -size, size))
    ax.plot(ties[:, 0], ties[:, 1], "o", markerfacecolor="white", markeredgecolor=ADVERSARIAL, markersize=7)
    ax.set(title=title, xticks=[], yticks=[])
    ax.grid(visible=False)


def square(ax: Axes, free: Array, shares: Array) -> None:
    """Draw two outputs in the unit square: free ones grey, those that sum to one orange, ties black."""
    ax.plot(free[:, 0], free[:, 1], ".", color=OTHER, markersize=3, label="two free outputs")
    ax.plot([0, 1], [0, 1], color=ORIGINAL, linewidth=2, label="ties")
    ax.plot(shares[:, 0], shares[:, 1], ".", color=CLASSES[1], markersize=5, label="outputs that sum to one")
    ax.plot([0.5], [0.5], "o", color=ADVERSARIAL, markersize=7, zorder=3, label="both: (½, ½)")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="F₁", ylabel="F₂")
    ax.set_aspect("equal")
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.02, 1))


def segment(ax: Axes, shares: Array) -> None:
    """Draw outputs of two classes that sum to one on their segment, with the one tie."""
    for number in (0, 1):
        mine = shares[shares.argmax(1) == number]
        ax.plot(mine[:, 1], np.zeros(len(mine)), "|", color=CLASSES[number], markersize=12)
    ax.plot([0.5], [0], "o", color=ORIGINAL, markersize=7)
    ax.set(xlim=(-0.05, 1.05), ylim=(-0.5, 0.5), yticks=[], xticks=[0, 0.5, 1], title="two classes: a point")
    ax.set_xlabel("share of class 2")
    ax.spines["left"].set_visible(False)


def simplex(ax: Axes, shares: Array, pieces: Sequence[Array]) -> None:
    """Draw outputs of three classes in the triangle, and the pieces of their boundary in black."""
    ax.add_patch(Polygon(CORNERS, facecolor="none", edgecolor=OTHER))
    for number, colour in enumerate(CLASSES):
        mine = shares[shares.argmax(1) == number] @ CORNERS
        ax.plot(mine[:, 0], mine[:, 1], ".", color=colour, markersize=3)
        x, y = CORNERS[number] + 0.16 * (CORNERS[number] - CORNERS.mean(0))
        ax.text(x, y, f"{number + 1}", ha="center", va="center")
    for piece in pieces:
        ends = piece @ CORNERS
        ax.plot(ends[:, 0], ends[:, 1], ".", color=ORIGINAL, markersize=3)
    ax.plot(*CORNERS.mean(0)[:, None], "o", color=ORIGINAL, markersize=7)
    ax.set(xlim=(-0.15, 1.15), ylim=(-0.12, 1.02), title="three classes: three segments and their end")
    ax.set_aspect("equal")
    ax.set_axis_off()
