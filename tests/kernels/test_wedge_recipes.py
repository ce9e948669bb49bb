"""The draft's recipes against their literal transcriptions, where they are right, and where they are not."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.wedge_normals import facet_normals
from neighborhoods.kernels.wedge_projection import wedge_projection
from neighborhoods.kernels.wedge_recipes import iterated_projection, printed_projection, violated_projection
from neighborhoods.kernels.wedges import contains
from reference_wedges import (
    normals_of,
    projection_as_printed,
    projection_by_nnls,
    projection_on_violated,
)
from torch import Tensor


def random_angles(k: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return (low + (high - low) * torch.rand(k - 1, generator=generator, dtype=torch.float64)).deg2rad()


@pytest.mark.parametrize("k", [1, 2, 3, 6, 12])
def test_recipes_are_the_draft_s(k: int, generator: torch.Generator) -> None:
    angles = random_angles(k, -70, 70, generator)
    points = torch.randn(60, k + 1, generator=generator, dtype=torch.float64)
    printed, violated = printed_projection(points, angles), violated_projection(points, angles)
    normals = normals_of(angles.numpy(), k + 1)
    for i, point in enumerate(points.numpy()):
        assert printed[i].numpy() == pytest.approx(projection_as_printed(point, angles.numpy()), abs=1e-11)
        assert violated[i].numpy() == pytest.approx(projection_on_violated(point, normals), abs=1e-11)


@given(st.permutations(list(range(4))), st.integers(0, 1000))
def test_lemma_30_11_iterated_projection_is_exact_for_orthonormal_normals(
    order: list[int], seed: int
) -> None:
    """Lemma 30.11: four orthonormal normals in six dimensions, in every order."""
    noise = torch.Generator().manual_seed(seed)
    normals = torch.linalg.qr(torch.randn(6, 4, generator=noise, dtype=torch.float64)).Q.T
    point = torch.randn(6, generator=noise, dtype=torch.float64)
    nearest, _ = projection_by_nnls(point.numpy(), normals.numpy())
    assert iterated_projection(point, normals[order]).numpy() == pytest.approx(nearest, abs=1e-12)


def test_order_matters_for_other_normals() -> None:
    angles = torch.tensor([1.0, -0.5], dtype=torch.float64)
    normals, point = facet_normals(angles), torch.tensor([1.0, -2.0, -3.0], dtype=torch.float64)
    there, back = iterated_projection(point, normals), iterated_projection(point, normals.flip(0))
    exact = wedge_projection(point, angles).point
    assert float((there - back).norm()) > 0.1
    assert min(float((there - exact).norm()), float((back - exact).norm())) > 0.1


@pytest.mark.parametrize("k", [2, 3, 5, 10])
def test_obtuse_corners_need_violated_facets_only(k: int, generator: torch.Generator) -> None:
    """No angle inwards: all products of normals are at least 0, and Definition 30.10 is the projection."""
    angles = random_angles(k, -80, 0, generator)
    points = torch.randn(500, k, generator=generator, dtype=torch.float64)
    exact = wedge_projection(points, angles).point
    torch.testing.assert_close(violated_projection(points, angles), exact, atol=1e-12, rtol=0)


def test_definition_30_10_may_leave_the_wedge() -> None:
    angles = torch.tensor([-45.0, 45.0], dtype=torch.float64).deg2rad()
    point = torch.tensor([1.0, -5.0, 2.0], dtype=torch.float64)
    assert not bool(contains(violated_projection(point, angles), angles))
    assert wedge_projection(point, angles).point.tolist() == pytest.approx([8 / 3, -8 / 3, 8 / 3])


def test_printed_recipe_goes_to_the_apex_of_an_orthant_too_often() -> None:
    point = torch.tensor([-1.0, 2.0], dtype=torch.float64)
    assert printed_projection(point, torch.zeros(1)).tolist() == [0, 0]
    assert wedge_projection(point, torch.zeros(1)).point.tolist() == [0, 2]


def test_recipes_leave_the_wedge_alone(generator: torch.Generator) -> None:
    angles = random_angles(3, -50, 50, generator)
    points = torch.randn(400, 4, generator=generator, dtype=torch.float64)
    inside = points[contains(points, angles)]
    assert len(inside) > 10
    for recipe in (violated_projection, printed_projection):
        torch.testing.assert_close(recipe(inside, angles), inside)
    normals = facet_normals(angles, 4)
    assert torch.equal(iterated_projection(inside, normals), inside)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: iterated_projection(torch.ones(2), 2 * torch.eye(2)),
            r"normals: got lengths \[2\.0, 2\.0\]",
        ),
        (
            lambda: iterated_projection(torch.ones(1), torch.tensor([[math.nan]])),
            r"normals: got 1 of 1 numbers that are NaN or infinite",
        ),
        (
            lambda: printed_projection(torch.tensor([math.nan, 1.0]), torch.zeros(1)),
            "points: got 1 of 2 numbers that are NaN or infinite",
        ),
        (lambda: violated_projection(torch.ones(1), torch.zeros(1)), "points: got 1 coordinates"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
