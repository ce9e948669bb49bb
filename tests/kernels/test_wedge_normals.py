"""Normals of wedges, their angles and their chain, against Gram and Schmidt and the draft's equations."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.wedge_normals import dihedral_angles, facet_normals, normal_chain
from neighborhoods.kernels.wedges import facet_distances
from reference_wedges import normals_of
from torch import Tensor

some_angles = st.lists(st.integers(-80, 80), min_size=1, max_size=12)


def radians(degrees: list[int]) -> Tensor:
    return torch.tensor(degrees, dtype=torch.float64).deg2rad()


@given(some_angles)
def test_products_with_the_normals_are_the_facet_distances(degrees: list[int]) -> None:
    angles = radians(degrees)
    points = torch.linspace(-2, 3, 3 * (len(degrees) + 3), dtype=torch.float64).reshape(3, -1)
    normals = facet_normals(angles, points.shape[1])
    torch.testing.assert_close(points @ normals.T, facet_distances(points, angles))
    assert normals.numpy() == pytest.approx(normals_of(angles.numpy(), points.shape[1]), abs=1e-15)


@given(some_angles)
def test_products_of_normals_are_equations_108_to_113(degrees: list[int]) -> None:
    normals, sines = facet_normals(radians(degrees)), radians(degrees).sin()
    products = normals @ normals.T
    torch.testing.assert_close(products[0, 1:], -sines)
    off = ~torch.eye(len(degrees), dtype=torch.bool)
    torch.testing.assert_close(products[1:, 1:][off], torch.outer(sines, sines)[off])


@pytest.mark.parametrize(("degrees", "expected"), [([40], [50]), ([-30], [120]), ([0], [90])])
def test_the_angle_with_the_first_facet_shrinks_as_the_other_leans(
    degrees: list[int], expected: list[int]
) -> None:
    assert dihedral_angles(radians(degrees))[0, 1:].rad2deg().tolist() == pytest.approx(expected)


def test_facets_that_lean_to_the_same_side_open_to_one_another() -> None:
    """Measured on the plane across the edge: directions inside each facet, orthogonal to the edge."""
    angles = radians([50, 35])
    edge = torch.tensor([1.0, math.tan(angles[0]), math.tan(angles[1])], dtype=torch.float64)
    edge = edge / edge.norm()
    rays = torch.eye(3, dtype=torch.float64)[[2, 1]]  # on the facets 2 and 3, away from their common edge
    across = rays - (rays @ edge)[:, None] * edge
    across = across / across.norm(dim=1, keepdim=True)
    measured = torch.arccos(across[0] @ across[1])
    assert float(dihedral_angles(angles)[1, 2]) == pytest.approx(float(measured))
    assert float(measured) > math.pi / 2


@given(some_angles)
def test_chain_is_what_gram_and_schmidt_leave(degrees: list[int]) -> None:
    angles = radians(degrees)
    normals, chain = facet_normals(angles)[1:], normal_chain(angles)
    left = []
    for normal in normals:
        rest = normal.clone()
        for earlier in left:
            rest -= (rest @ earlier) * earlier
        left.append(rest / rest.norm())
    torch.testing.assert_close(chain, torch.stack(left), atol=1e-12, rtol=0)
    eye = torch.eye(len(degrees), dtype=torch.float64)
    torch.testing.assert_close(chain @ chain.T, eye, atol=1e-12, rtol=0)


@given(st.tuples(st.integers(-80, 80), st.integers(-80, 80)))
def test_equation_125_is_right_up_to_its_length(degrees: tuple[int, int]) -> None:
    angles = radians(list(degrees))
    first, second = facet_normals(angles)[1:]
    printed = normal_chain(angles, unit=False)[1]
    t = angles.tan()
    literal = second - torch.stack([t[0] * 0, angles[1].sin() * t[0], -angles[1].cos() * t[0] ** 2])
    torch.testing.assert_close(printed, literal, atol=1e-13, rtol=1e-13)
    left = second - (second @ first) * first
    torch.testing.assert_close(angles[0].cos() ** 2 * printed, left, atol=1e-13, rtol=0)


@given(some_angles)
def test_printed_vectors_have_the_stated_length(degrees: list[int]) -> None:
    angles = radians(degrees)
    printed = normal_chain(angles, len(degrees) + 4, unit=False)
    before = torch.tensor([float((angles[:i].tan() ** 2).sum()) for i in range(len(angles))]).double()
    stated = ((1 + before) * (1 + before * angles.cos() ** 2)).sqrt()
    torch.testing.assert_close(printed.norm(dim=1), stated)
    unit = normal_chain(angles, len(degrees) + 4)
    torch.testing.assert_close(printed / stated[:, None], unit)


def test_the_sum_up_to_k_that_the_draft_prints_is_not_orthogonal() -> None:
    angles = radians([40, 30])
    normals, chain = facet_normals(angles), normal_chain(angles, unit=False)
    wrong = chain[1].clone()
    wrong[2] += angles[1].cos() * angles[1].tan() ** 2  # the term i = k of the sum after (139)
    edge = torch.tensor([1.0, *angles.tan().tolist()], dtype=torch.float64)
    assert float(chain[1] @ edge) == pytest.approx(0, abs=1e-15)
    assert abs(float(wrong @ edge)) > 0.1
    assert float(wrong @ normals[1]) == pytest.approx(0, abs=1e-15)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="dimension: got 2; required at least 3"):
        facet_normals(torch.zeros(2), 2)
    with pytest.raises(ValueError, match=r"angles: got \[2\.0\]"):
        normal_chain(torch.tensor([2.0]))
    with pytest.raises(ValueError, match=r"angles: got 1 of 1 numbers that are NaN or infinite"):
        dihedral_angles(torch.tensor([math.nan]))
