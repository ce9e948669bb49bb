"""Projection on the convex hull of finitely many points, by non-negative least squares."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

from neighborhoods.kernels.arguments import checked


class HullProjection(NamedTuple):
    """The nearest points of a hull, one row for each point projected.

    Attributes:
        weights: of the vertices, none negative, each row summing to one.
        distance: to the hull, in the unit of the points.
    """

    weights: npt.NDArray[np.float64]
    distance: npt.NDArray[np.float64]


@checked(points=1)
def hull_projection(points: npt.ArrayLike, vertices: npt.ArrayLike) -> HullProjection:
    r"""Project points on the convex hull of vertices.

    $$ \min_w\Big\|\sum_iw_iv_i - x\Big\| \quad\text{over } w_i\ge0,\ \sum_iw_i = 1. $$

    With $u = cw$ the problem $\min_{u\ge0}\|\sum_iu_i(v_i - x)\|^2 + s^2(\sum_iu_i - 1)^2$ has the same $w$
    for every $s > 0$, since for each $c$ its first term is $c^2$ times the square above. So non-negative
    least squares solves it exactly, without a penalty that would have to grow.

    Args:
        points: $x$, rows.
        vertices: $v_i$, rows of the same length.

    Raises:
        ValueError: no vertex, rows of different lengths, or a value that is not finite.
        RuntimeError: where SciPy's solver does not end.

    Source: Lawson and Hanson (1974), chapter 23, for least distances by non-negative least squares.

    >>> hull_projection([[2.0, 0.5]], [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).weights.round(6).tolist()
    [[0.0, 0.5, 0.5]]
    """
    x, v = (np.atleast_2d(np.asarray(side, np.float64)) for side in (points, vertices))
    if not len(v) or x.ndim != 2 or x.shape[1:] != v.shape[1:]:
        raise ValueError(f"points, vertices: got shapes {x.shape} and {v.shape}; required rows of one length")
    if not (np.isfinite(x).all() and np.isfinite(v).all()):
        raise ValueError("points, vertices: got a value that is not finite; required finite coordinates")
    # In an orthonormal basis of their span the vertices have no more coordinates than there are vertices.
    basis = np.linalg.qr(v.T)[0]
    inside, corners = x @ basis, v @ basis
    weights = np.stack([_weights(point, corners) for point in inside])
    return HullProjection(weights, np.linalg.norm(x - weights @ v, axis=1))


def _weights(point: npt.NDArray[np.float64], corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    differences = (corners - point).T
    scale = np.linalg.norm(differences, axis=0).mean() or 1.0
    matrix = np.vstack([differences / scale, np.ones(len(corners))])
    target = np.zeros(len(matrix))
    target[-1] = 1.0
    found = optimize.nnls(matrix, target)[0]
    return np.asarray(found / found.sum())
