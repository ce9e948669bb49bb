"""One plotting style for the whole book: colours that survive colour blindness and both page themes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

NATURAL = "#0072B2"
ADVERSARIAL = "#CC3311"
OTHER = "#8C8C8C"
ORIGINAL = "#000000"
THEORY = "#009E73"
COLOURS = {"natural": NATURAL, "adversarial": ADVERSARIAL}


def use() -> None:
    """Set matplotlib's parameters for every figure of the book; SVG output is the same bytes each time."""
    plt.style.use("default")
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 3.2),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#E6E6E6",
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "legend.frameon": False,
            "lines.linewidth": 1.4,
            "image.cmap": "gray_r",
            "svg.hashsalt": "neighborhoods",
            "svg.fonttype": "path",
        }
    )


def image(ax: Axes, pixels: object, title: str = "") -> None:
    """Show one digit, ink dark, pixels clipped to [0, 1]."""
    ax.imshow(pixels, vmin=0, vmax=1, interpolation="nearest")  # type: ignore[arg-type]
    ax.set_axis_off()
    ax.set_title(title, fontsize=7, pad=2)
