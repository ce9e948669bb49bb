"""Naive transcriptions for Voronoi, Delaunay and Gabriel: definitions, point by point and pair by pair."""

import itertools

import numpy as np
from scipy import optimize, spatial


def nearest_label(point: np.ndarray, sites: np.ndarray, labels: np.ndarray) -> int:
    """The class of the site at the least distance."""
    return int(labels[min(range(len(sites)), key=lambda i: float(np.linalg.norm(point - sites[i])))])


def is_gabriel(sites: np.ndarray, i: int, j: int) -> bool:
    """Whether every other site lies outside the closed ball over the pair."""
    middle, radius = (sites[i] + sites[j]) / 2, float(np.linalg.norm(sites[i] - sites[j])) / 2
    others = (k for k in range(len(sites)) if k not in (i, j))
    return all(float(np.linalg.norm(sites[k] - middle)) > radius for k in others)


def delaunay_edges(sites: np.ndarray) -> set[tuple[int, int]]:
    """The edges that SciPy's triangulation has."""
    simplices = spatial.Delaunay(sites).simplices
    return {tuple(sorted(map(int, pair))) for s in simplices for pair in itertools.combinations(s, 2)}


def best_slack(sites: np.ndarray, i: int, j: int) -> float:
    """The slack of the largest empty ball through a pair, from one programme in the plain coordinates.

    In squared half-lengths of the pair, at most 1.
    """
    others = np.delete(sites, [i, j], 0)
    n, unit = sites.shape[1], ((sites[i] - sites[j]) ** 2).sum() / 4
    rows = np.c_[2 * (others - sites[i]), np.ones(len(others))]
    level = (others**2).sum(1) - (sites[i] ** 2).sum()
    equal = np.r_[2 * (sites[j] - sites[i]), 0.0][None]
    ends = [(None, None)] * n + [(None, unit)]
    found = optimize.linprog(
        np.r_[np.zeros(n), -1.0],
        A_ub=rows,
        b_ub=level,
        A_eq=equal,
        b_eq=[(sites[j] ** 2).sum() - (sites[i] ** 2).sum()],
        bounds=ends,
    )
    return float(-found.fun / unit)


def weights_by_scipy(points: np.ndarray, sites: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Sums of SciPy's barycentric coordinates over the vertices of each class."""
    triangulation = spatial.Delaunay(sites)
    weights = np.zeros((len(points), classes))
    for row, (point, place) in enumerate(zip(points, triangulation.find_simplex(points), strict=True)):
        transform = triangulation.transform[place]
        first = transform[:-1] @ (point - transform[-1])
        for vertex, part in zip(triangulation.simplices[place], [*first, 1 - first.sum()], strict=True):
            weights[row, labels[vertex]] += part
    return weights


def exit_by_steps(
    start: np.ndarray, end: np.ndarray, sites: np.ndarray, labels: np.ndarray, steps: int
) -> float:
    """The first of many equal steps at which the class of the nearest site is not that of the start."""
    first = nearest_label(start, sites, labels)
    for step in range(1, steps + 1):
        if nearest_label(start + step / steps * (end - start), sites, labels) != first:
            return step / steps
    return 1.0
