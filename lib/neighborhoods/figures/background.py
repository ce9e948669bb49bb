"""Figures of the background chapter: diagrams of networks, pictures of attacks, and their distortions."""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY, image

SOURCES = {"ours": NATURAL, "torchattacks": ADVERSARIAL, "foolbox": THEORY}
NODE = 210
Pixels = npt.NDArray[np.float32]


def network(ax: Axes, widths: Sequence[int], labels: Sequence[str], classifier: str) -> None:
    """Draw a feed-forward network, a column of nodes a layer, and the classifier behind it.

    Args:
        ax: where to draw.
        widths: nodes of the input, of each layer, and of the output.
        labels: what stands below each column.
        classifier: what the box behind the output says.
    """
    heights = [np.arange(width) - (width - 1) / 2 for width in widths]
    for place, (left, right) in enumerate(pairwise(heights)):
        for low, high in product(left, right):
            ax.plot([place, place + 1], [low, high], color=OTHER, linewidth=0.5, zorder=1)
    for place, (column, label) in enumerate(zip(heights, labels, strict=True)):
        colour = "white" if place == 0 else NATURAL
        nodes = np.full(len(column), place)
        ax.scatter(nodes, column, NODE, color=colour, edgecolors=ORIGINAL, linewidths=0.8, zorder=2)
        ax.text(place, -max(widths) / 2 - 0.35, label, ha="center", va="top", fontsize=8)
    last = len(widths) - 1
    for height in heights[-1]:
        ax.plot([last, last + 0.8], [height, height], color=OTHER, linewidth=0.8, zorder=1)
    ax.text(
        last + 1.05, 0, classifier, ha="center", va="center", fontsize=8,
        bbox={"boxstyle": "round,pad=0.6", "facecolor": "white", "edgecolor": ORIGINAL},
    )  # fmt: skip
    ax.set(xlim=(-0.5, last + 1.6), ylim=(-max(widths) / 2 - 1.2, max(widths) / 2 + 0.2))
    ax.set_axis_off()


def recursion(ax: Axes, layers: int = 3) -> None:
    """Draw the chain of layers with what goes forward (blue) above and what comes back (red) below it."""
    for layer in range(layers + 1):
        name = rf"$a^{layer}=A(z^{layer})$" if layer else r"$a^0=x$"
        _box(ax, 2 * layer, name)
        if layer:
            start, end = 2 * layer - 1.38, 2 * layer - 0.62
            _arrow(ax, start, end, 0.12, NATURAL)
            _arrow(ax, end, start, -0.12, ADVERSARIAL)
            ax.text(2 * layer - 1, 0.3, rf"$W^{layer},b^{layer}$", ha="center", fontsize=9, color=NATURAL)
            ax.text(
                2 * layer - 1,
                -0.42,
                rf"$(W^{layer})^T\delta^{layer}$",
                ha="center",
                fontsize=9,
                color=ADVERSARIAL,
            )
            ax.text(2 * layer, -0.72, rf"$\delta^{layer}$", ha="center", fontsize=10, color=ADVERSARIAL)
            ax.text(
                2 * layer,
                0.62,
                rf"$\nabla_{{W^{layer}}}L=\delta^{layer}(a^{layer - 1})^T$",
                ha="center",
                fontsize=9,
            )
    _arrow(ax, 2 * layers + 0.62, 2 * layers + 1.38, 0.12, NATURAL)
    _arrow(ax, 2 * layers + 1.38, 2 * layers + 0.62, -0.12, ADVERSARIAL)
    _box(ax, 2 * layers + 1.9, r"$L=\ell(a^" + str(layers) + ")$")
    ax.text(2 * layers + 1, -0.42, r"$\nabla\ell$", ha="center", fontsize=9, color=ADVERSARIAL)
    ax.set(xlim=(-0.8, 2 * layers + 2.6), ylim=(-1.0, 1.0))
    ax.set_axis_off()


def _box(ax: Axes, place: float, text: str) -> None:
    frame = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": ORIGINAL}
    ax.text(place, 0, text, ha="center", va="center", fontsize=9, bbox=frame, zorder=3)


def _arrow(ax: Axes, start: float, end: float, height: float, colour: str) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.2}
    ax.annotate("", (end, height), (start, height), arrowprops=style)


def triptychs(
    axes: npt.NDArray[np.object_], original: Pixels, attacked: Pixels, targets: Sequence[int]
) -> None:
    """Show original, perturbation (red where darker, blue where lighter) and adversarial image, a row of axes
    each.

    Args:
        axes: one row of three for each attacked image.
        original: the image that was attacked.
        attacked: the images made of it.
        targets: their classes.
    """
    largest = float(np.abs(attacked - original).max())
    for row, picture, target in zip(axes, attacked, targets, strict=True):
        image(row[0], original, "original")
        row[1].imshow(picture - original, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
        row[1].set_axis_off()
        row[1].set_title("perturbation", fontsize=7, pad=2)
        image(row[2], picture, f"read as {target}")


def distortions(ax: Axes, values: pd.Series, reported: float) -> None:
    """Plot a histogram of distortions with their mean and the mean that the draft reports."""
    sns.histplot(x=values, bins=40, element="step", alpha=0.35, color=ADVERSARIAL, ax=ax)
    ax.axvline(values.mean(), color=ADVERSARIAL, label="mean")
    ax.axvline(reported, color=ORIGINAL, linestyle=":", label="mean of the draft")
    ax.set(xlabel="distortion", ylabel="adversarial examples", xlim=(0, None))
    ax.legend()


def attacks(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot success, and mean (dot) and median (bar) distortion with intervals, one line an attack."""
    rows = table.iloc[::-1].reset_index(drop=True)
    place = np.arange(len(rows))
    colours = [SOURCES.get(str(name).rpartition(", ")[2], NATURAL) for name in rows["attack"]]
    for ax, name in zip(axes, ("success", "mean"), strict=True):
        middle = rows[name].to_numpy()
        ends = rows[[f"{name}_low", f"{name}_high"]].to_numpy()
        ax.hlines(place, ends[:, 0], ends[:, 1], colors=colours, linewidth=1.2)
        ax.scatter(middle, place, 22, color=colours, zorder=3)
    axes[1].scatter(rows["median"], place, 60, color=colours, marker="|", zorder=3)
    axes[0].set_yticks(place, [str(name) for name in rows["attack"]])
    axes[1].tick_params(labelleft=False)
    axes[0].set(xlabel="success", xlim=(-0.02, 1.02))
    axes[1].set(xlabel="distortion of successes", xlim=(0, None))
