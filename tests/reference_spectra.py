"""Naive transcriptions for the kernels of the boundary: slow, obvious, and independent of them."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor


def singular_values(sample: Tensor) -> Tensor:
    """The singular values by LAPACK, without the Gram matrix."""
    return torch.linalg.svdvals(sample.double())


def flat_svd(sample: Tensor) -> Tensor:
    """The draft's flat sample with the corrected factor: U V^T times ||X||_F / sqrt(r), by a full SVD."""
    U, S, Vh = torch.linalg.svd(sample.double(), full_matrices=False)
    return U @ Vh * (S.square().sum() / len(S)).sqrt()


def orthant_boundary_of(sample: Tensor, facets: int) -> Tensor:
    """The nearest boundary point of the orthant, one row after the other."""
    rows = []
    for point in sample.tolist():
        inner = [max(value, 0.0) for value in point[:facets]]
        if inner == point[:facets]:
            inner[int(np.argmin(inner))] = 0.0
        rows.append(inner + point[facets:])
    return torch.tensor(rows, dtype=sample.dtype)


def changes_of_one(classify: Callable[[Tensor], int], x: Tensor, v: Tensor, distances: list[float]) -> int:
    """How often the class changes along a line through x, one point after the other."""
    places = [-t for t in reversed(distances)] + distances
    classes = [classify(x + t * v) for t in places]
    return sum(one != other for one, other in pairwise(classes))


def exit_of_one(classify: Callable[[Tensor], int], x: Tensor, v: Tensor, limit: float, steps: int) -> float:
    """The first step of a walk that has another class than the origin, infinite where there is none."""
    own = classify(x)
    for step in range(1, steps + 1):
        if classify(x + limit * step / steps * v) != own:
            return limit * step / steps
    return float("inf")
