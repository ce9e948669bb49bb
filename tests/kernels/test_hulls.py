"""Projections on hulls: known ones, the optimality conditions, and invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.hulls import hull_projection

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("point", "nearest"),
    [
        ([2.0, 0.5], [1.0, 0.5]),
        ([3.0, -1.0], [1.0, 0.0]),
        ([0.25, 0.5], [0.25, 0.5]),
        ([0.5, 1.5], [0.5, 1.0]),
    ],
)
def test_projections_on_a_square(point: list[float], nearest: list[float]) -> None:
    found = hull_projection([point], SQUARE)
    np.testing.assert_allclose(found.weights[0] @ np.array(SQUARE), nearest, atol=1e-12)
    assert found.distance[0] == pytest.approx(np.linalg.norm(np.subtract(point, nearest)), abs=1e-12)


@given(st.integers(0, 1000), st.integers(1, 12), st.integers(1, 30))
def test_no_vertex_lies_beyond_the_supporting_plane(seed: int, dimension: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    vertices, points = rng.normal(size=(count, dimension)), 2 * rng.normal(size=(4, dimension))
    found = hull_projection(points, vertices)
    nearest = found.weights @ vertices
    beyond = np.einsum("pd,pvd->pv", points - nearest, vertices[None] - nearest[:, None])
    assert found.weights.min() >= 0
    np.testing.assert_allclose(found.weights.sum(1), 1)
    assert beyond.max() < 1e-9


def test_moving_and_scaling_moves_and_scales() -> None:
    rng = np.random.default_rng(3)
    vertices, points = rng.normal(size=(8, 3)), 3 * rng.normal(size=(5, 3))
    one, other = hull_projection(points, vertices), hull_projection(100 * points + 7, 100 * vertices + 7)
    np.testing.assert_allclose(other.weights, one.weights, atol=1e-9)
    np.testing.assert_allclose(other.distance, 100 * one.distance)


@pytest.mark.parametrize("vertices", [np.zeros((0, 2)), np.zeros((3, 3)), [[np.nan, 0.0]]])
def test_bad_input_is_named(vertices: object) -> None:
    with pytest.raises(ValueError, match="vertices: got"):
        hull_projection([[0.0, 0.0]], vertices)
