"""Projections onto wedges by slow and obvious means: solvers, alternating projections, exact fractions."""

import math
from fractions import Fraction

import numpy as np
from scipy import optimize


def normals_of(angles: np.ndarray, dimension: int) -> np.ndarray:
    """v_1 = e_1 and w_i = e_i cos θ − e_1 sin θ, one row each."""
    rows = [np.eye(dimension)[0]]
    for i, theta in enumerate(angles, start=1):
        row = np.zeros(dimension)
        row[i], row[0] = math.cos(theta), -math.sin(theta)
        rows.append(row)
    return np.array(rows)


def projection_by_nnls(point: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest x with ⟨n_i, x⟩ ≥ 0 through the dual: x = p + Σ λ_i n_i, and ‖x‖ is least for λ ≥ 0.

    SciPy's `nnls` stops early on some points that lie on facets, as its own answer shows: a multiplier is
    positive where the product is not zero. Its bounded solver takes over there.
    """
    multipliers, _ = optimize.nnls(normals.T, -point, maxiter=100 * len(normals))
    products = normals @ (point + normals.T @ multipliers)
    if products.min(initial=0) < -1e-9 or np.abs(multipliers * products).max(initial=0) > 1e-9:
        bounds = (0, np.inf)
        multipliers = optimize.lsq_linear(normals.T, -point, bounds=bounds, method="bvls", tol=1e-15).x
    return point + normals.T @ multipliers, multipliers


def boundary_by_brute_force(point: np.ndarray, normals: np.ndarray) -> list[np.ndarray]:
    """The nearest point of every facet: on it one product is zero, so that its multiplier has no sign."""
    feet = []
    for i in range(len(normals)):
        with_both_signs = np.vstack([normals, -normals[i]])
        feet.append(projection_by_nnls(point, with_both_signs)[0])
    return feet


def projection_by_dykstra(point: np.ndarray, normals: np.ndarray, cycles: int) -> np.ndarray:
    """Dykstra's alternating projections, which remember what each half-space has added."""
    x, added = point.copy(), np.zeros_like(normals)
    for _ in range(cycles):
        for i, normal in enumerate(normals):
            before = x - added[i]
            x = before - min(before @ normal, 0.0) * normal
            added[i] = x - before
    return x


def projection_by_fractions(point: list[float], slopes: list[float]) -> list[float]:
    """The nearest point in exact arithmetic: every piece of the quadratic in x_1 is tried."""
    p, tau = [Fraction(x) for x in point], [Fraction(0), *(Fraction(t) for t in slopes)]

    def cost(u: Fraction) -> Fraction:
        return (u - p[0]) ** 2 + sum(max(u * t - x, Fraction(0)) ** 2 for x, t in zip(p, tau, strict=True))

    kinks = sorted({x / t for x, t in zip(p, tau, strict=True) if t} | {Fraction(0)})
    candidates = [u for u in kinks if u >= 0]
    for left in [kinks[0] - 1, *kinks]:
        right = min((k for k in kinks if k > left), default=left + 1)
        middle = (left + right) / 2
        active = [i for i in range(1, len(p)) if middle * tau[i] > p[i]]
        top, bottom = p[0] + sum(tau[i] * p[i] for i in active), 1 + sum(tau[i] ** 2 for i in active)
        candidates.append(max(top / bottom, Fraction(0)))
    best = min(candidates, key=cost)
    return [float(best), *(float(max(x, best * t)) for x, t in zip(p[1:], tau[1:], strict=True))]


def projection_as_printed(point: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The text after (139): along the unit chain (137)-(139) of the violated planes, then to the apex."""
    x, k = point.copy(), len(angles) + 1
    normals = normals_of(angles, len(point))
    violated = [i for i in range(1, k) if normals[i] @ point < 0]
    for place, i in enumerate(violated):
        a = np.zeros(len(point))
        for j in violated[:place]:
            a[j] = -math.sin(angles[i - 1]) * math.tan(angles[j - 1])
            a[i] += math.cos(angles[i - 1]) * math.tan(angles[j - 1]) ** 2
        w = normals[i] + a
        w = w / np.linalg.norm(w)
        x = x - (x @ w) * w
    if x[0] < 0:
        x[:k] = 0
    return x


def projection_on_violated(point: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Definition 30.10: the nearest point of the half-spaces that do not contain the point."""
    violated = normals @ point < 0
    return projection_by_nnls(point, normals[violated])[0] if violated.any() else point
