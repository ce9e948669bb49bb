"""Figures of wedges in space: facets and lines, directions of projection, and where recipes go wrong."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER, THEORY

HELD = ("#0072B2", "#E69F00", "#009E73", "#CC3311")  # by the number of facets that hold the point up
Array = npt.NDArray[np.float64]


def facets(ax: Axes3D, rays: Array, size: float) -> None:
    """Draw the facets of the cone of three rays, each as long as the cube [-size/2, size]³ allows."""
    ends = rays * (size / np.maximum(rays, -2 * rays).max(1, keepdims=True))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        corners = np.stack([np.zeros(3), ends[i], ends[j]])
        ax.add_collection3d(Poly3DCollection([corners], alpha=0.25, facecolor=NATURAL, edgecolor=NATURAL))
    ax.set(xlim=(-size / 2, size), ylim=(-size / 2, size), zlim=(-size / 2, size))
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_ticklabels([])
    ax.set_xlabel("x₁", labelpad=-12)
    ax.set_ylabel("x₂", labelpad=-12)
    ax.set_zlabel("x₃", labelpad=-12)
    ax.set_box_aspect((1, 1, 1), zoom=1.1)
    ax.view_init(elev=20, azim=-55)


def path(ax: Axes3D, points: Array, crossings: Array, colour: str, label: str) -> None:
    """Draw a line through a wedge and its crossings with the boundary."""
    ax.plot(*points.T, color=colour, linewidth=1.6, label=label)
    ax.scatter(*crossings.T, color=colour, s=24, depthshade=False)


def directions(
    ax: Axes, starts: Array, moves: Array, held: npt.NDArray[np.int64], *, rays: Array, axis: Array
) -> None:
    """Draw directions to the nearest boundary point in the plane, coloured by the number of facets there."""
    size = float(np.abs(starts).max())
    for ray in rays * (2 * size / np.abs(rays).max(1, keepdims=True)):
        ax.plot([0, ray[0]], [0, ray[1]], color=ORIGINAL, linewidth=2)
    ax.plot([0, 2 * size * axis[0]], [0, 2 * size * axis[1]], color=ORIGINAL, linewidth=1, linestyle="--")
    colours = np.array(HELD)[held]
    ax.quiver(*starts.T, *moves.T, color=colours, angles="xy", scale=24, width=0.006, pivot="mid")
    ax.set(xlim=(-size, size), ylim=(-size, size), xlabel="x₁", ylabel="x₂")
    ax.set_aspect("equal")
    ax.grid(visible=False)


def directions_in_space(ax: Axes3D, starts: Array, moves: Array, held: npt.NDArray[np.int64]) -> None:
    """Draw directions to the nearest point of a wedge in space, coloured by the number of facets there."""
    for number, colour in enumerate(HELD):
        some = held == number
        if some.any():
            ax.quiver(
                *starts[some].T, *moves[some].T, color=colour, length=0.45, linewidth=1, label=f"{number}"
            )
    ax.legend(fontsize=7, title="facets", title_fontsize=7, loc="upper left")


def wrong_regions(ax: Axes, side: Array, wrong: npt.NDArray[np.bool_], rays: Array, title: str) -> None:
    """Shade where in the plane a recipe does not end in the nearest point of the wedge."""
    ax.contourf(side, side, wrong.astype(float), levels=[0.5, 1.5], colors=[ADVERSARIAL], alpha=0.45)
    for ray in rays * (2 * side.max() / np.abs(rays).max(1, keepdims=True)):
        ax.plot([0, ray[0]], [0, ray[1]], color=ORIGINAL, linewidth=2)
    ax.set(
        xlim=(side.min(), side.max()), ylim=(side.min(), side.max()), title=title, xlabel="x₁", ylabel="x₂"
    )
    ax.set_aspect("equal")
    ax.grid(visible=False)


def failures(axes: Sequence[Axes], table: pd.DataFrame) -> None:
    """Plot shares of failures with their intervals against the number of facets, an axes for each lean."""
    styles = dict(
        zip(table["recipe"].unique(), zip((OTHER, NATURAL, ADVERSARIAL), "^os", strict=True), strict=True)
    )
    for ax, (lean, rows) in zip(axes, table.groupby("lean"), strict=True):
        for name, (colour, marker) in styles.items():
            some = rows[rows["recipe"] == name]
            errors = np.abs(some[["low", "high"]].to_numpy().T - some["share"].to_numpy())
            ax.errorbar(
                some["facets"],
                some["share"],
                yerr=errors,
                color=colour,
                marker=marker,
                ms=4,
                lw=1,
                label=name,
            )
        ax.set(title=f"θ = {lean}°", xlabel="facets", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("share of points outside")
    axes[0].legend(fontsize=7, loc="upper left")


def restricted_normals(
    ax: Axes3D, circles: Sequence[Array], normals: Sequence[Array], conormals: Sequence[Array]
) -> None:
    """Draw the boundary on a sphere, with normals of the surrounding space and their parts in the sphere."""
    u, v = np.mgrid[0 : 2 * np.pi : 40j, 0 : np.pi : 20j]
    sphere = (np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v))
    ax.plot_surface(*sphere, color="#DDDDDD", alpha=0.35, linewidth=0)
    for circle, normal, conormal in zip(circles, normals, conormals, strict=True):
        ax.plot(*np.vstack([circle, circle[:1]]).T, color=ORIGINAL, linewidth=1.4)
        some = slice(None, None, max(1, len(circle) // 8))
        ax.quiver(*circle[some].T, *normal[some].T, color=OTHER, length=0.4, linewidth=1)
        ax.quiver(*circle[some].T, *conormal[some].T, color=THEORY, length=0.4, linewidth=1.6)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), zlim=(-0.9, 1.3))
    ax.set_box_aspect((2, 2, 2.2), zoom=1.3)
    ax.set_axis_off()
    ax.view_init(elev=18, azim=-50)
