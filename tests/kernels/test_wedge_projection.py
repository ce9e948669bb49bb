"""Projections onto wedges and their boundaries against solvers, exact fractions and their properties."""

import inspect
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.wedge_crossings import centreline
from neighborhoods.kernels.wedge_normals import facet_normals
from neighborhoods.kernels.wedge_projection import boundary_projection, wedge_projection
from neighborhoods.kernels.wedges import contains, facet_distances, require_coordinates
from reference_wedges import (
    boundary_by_brute_force,
    normals_of,
    projection_by_dykstra,
    projection_by_fractions,
    projection_by_nnls,
)
from tolerances import RELATIVE
from torch import Tensor

STEEPEST = 80
SHAPES = 400
coordinate = st.floats(-9, 9, allow_subnormal=False)
degrees = st.integers(-STEEPEST, STEEPEST)
wedge_and_point = st.lists(st.tuples(coordinate, degrees), min_size=0, max_size=8)


def radians(leaning: list[tuple[float, int]]) -> Tensor:
    return torch.tensor([lean for _, lean in leaning], dtype=torch.float64).deg2rad()


def random_angles(k: int, generator: torch.Generator) -> Tensor:
    return (torch.rand(k - 1, generator=generator, dtype=torch.float64) * 2 - 1) * math.radians(STEEPEST)


def mixed_points(angles: Tensor, generator: torch.Generator) -> Tensor:
    """30 points: anywhere, inside, on facets and edges, in the polar cone, on its faces, and the apex."""
    k = len(angles) + 1
    rays = torch.eye(k, k + 2, dtype=torch.float64)
    rays[0, 1:k] = angles.tan()
    normals = facet_normals(angles, k + 2)
    weights = torch.rand(24, k, generator=generator, dtype=torch.float64)
    kept = (torch.rand(24, k, generator=generator) < 0.7).double()
    anywhere = torch.randn(5, k + 2, generator=generator, dtype=torch.float64)
    inside, on_facets = weights[:6] @ rays, (weights * kept)[6:14] @ rays
    polar, on_polar = -weights[14:18] @ normals, -(weights * kept)[18:] @ normals
    return torch.cat([anywhere, inside, on_facets, polar, on_polar, torch.zeros(1, k + 2)])


def test_projection_agrees_with_non_negative_least_squares(generator: torch.Generator) -> None:
    """12 000 points of 400 wedges with 1 to 50 facets, angles within 80 degrees."""
    worst = checked = 0
    for shape in range(SHAPES):
        angles = random_angles(shape % 50 + 1, generator)
        points = mixed_points(angles, generator)
        ours = wedge_projection(points, angles)
        normals = normals_of(angles.numpy(), points.shape[1])
        for i, point in enumerate(points.numpy()):
            nearest, _ = projection_by_nnls(point, normals)
            worst = max(worst, np.abs(ours.point[i].numpy() - nearest).max())
            checked += 1
    assert checked == 12_000
    assert worst < 1e-10


def test_multipliers_certify_the_nearest_point(generator: torch.Generator) -> None:
    """Karush, Kuhn and Tucker: feasible, pushed out by active facets only, complementary."""
    for k in (1, 2, 7, 50):
        angles = random_angles(k, generator)
        points = mixed_points(angles, generator)
        nearest, distance, multipliers = wedge_projection(points, angles)
        slack = facet_distances(nearest, angles)
        assert float(slack.min()) > -1e-13
        assert float(multipliers.min()) >= 0
        assert float((multipliers * slack).abs().max()) < 1e-12
        torch.testing.assert_close(
            nearest - points, multipliers @ facet_normals(angles, k + 2), atol=1e-12, rtol=0
        )
        torch.testing.assert_close(distance, (nearest - points).norm(dim=1), atol=1e-14, rtol=1e-14)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_projection_agrees_with_dykstra(k: int, generator: torch.Generator) -> None:
    angles = random_angles(k, generator) * 0.6
    points = torch.randn(10, k, generator=generator, dtype=torch.float64)
    normals = normals_of(angles.numpy(), k)
    for point, ours in zip(points.numpy(), wedge_projection(points, angles).point.numpy(), strict=True):
        assert projection_by_dykstra(point, normals, 2000) == pytest.approx(ours, abs=1e-10)


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.floats(-1e150, 1e150), st.floats(-85, 85)), max_size=6),
    st.floats(-1e150, 1e150),
)
def test_projection_keeps_its_digits_at_any_scale(leaning: list[tuple[float, float]], first: float) -> None:
    """Coordinates that differ by many orders of magnitude, tiny angles, against exact fractions."""
    angles = torch.tensor([math.radians(lean) for _, lean in leaning], dtype=torch.float64)
    point = torch.tensor([first, *(x for x, _ in leaning)], dtype=torch.float64)
    exact = projection_by_fractions(point.tolist(), angles.tan().tolist())
    scale = float(point.abs().max())
    assert wedge_projection(point, angles).point.tolist() == pytest.approx(
        exact, rel=1e-13, abs=1e-13 * scale
    )


@given(wedge_and_point, coordinate)
def test_projection_is_idempotent_to_the_last_bit(leaning: list[tuple[float, int]], first: float) -> None:
    angles = radians(leaning)
    point = torch.tensor([first, *(x for x, _ in leaning), 3.0], dtype=torch.float64)
    once = wedge_projection(point, angles).point
    twice = wedge_projection(once, angles)
    assert torch.equal(once, twice.point)
    assert float(twice.distance) == 0
    assert not bool(twice.multipliers.any())


@given(st.lists(st.tuples(coordinate, coordinate, degrees), min_size=1, max_size=8), coordinate, coordinate)
def test_projection_is_1_lipschitz(
    leaning: list[tuple[float, float, int]], first: float, other: float
) -> None:
    angles = torch.tensor([lean for _, _, lean in leaning], dtype=torch.float64).deg2rad()
    a = torch.tensor([first, *(x for x, _, _ in leaning)], dtype=torch.float64)
    b = torch.tensor([other, *(x for _, x, _ in leaning)], dtype=torch.float64)
    moved = wedge_projection(torch.stack([a, b]), angles).point
    assert float((moved[0] - moved[1]).norm()) <= float((a - b).norm()) * (1 + 1e-12) + 1e-12
    inner = (moved[0] - moved[1]) @ (a - b)  # firmly non-expansive
    assert float((moved[0] - moved[1]).square().sum()) <= float(inner) * (1 + 1e-12) + 1e-11


@given(wedge_and_point, coordinate, st.floats(1e-3, 1e3))
def test_projection_scales_with_the_point(
    leaning: list[tuple[float, int]], first: float, scale: float
) -> None:
    angles = radians(leaning)
    point = torch.tensor([first, *(x for x, _ in leaning)], dtype=torch.float64)
    torch.testing.assert_close(
        wedge_projection(scale * point, angles).point,
        scale * wedge_projection(point, angles).point,
        rtol=1e-12,
        atol=1e-11 * scale,
    )


@given(st.permutations(list(range(5))))
def test_leaning_facets_may_be_permuted(order: list[int]) -> None:
    angles = torch.tensor([0.9, -0.4, 0.3, 1.2, -1.0], dtype=torch.float64)
    point = torch.tensor([0.3, -2.0, 1.0, 0.4, -3.0, -0.2], dtype=torch.float64)
    expected = wedge_projection(point, angles).point[1:][order]
    shuffled = wedge_projection(torch.cat([point[:1], point[1:][order]]), angles[order])
    torch.testing.assert_close(shuffled.point[1:], expected)


def test_a_negative_first_coordinate_need_not_lead_to_the_apex() -> None:
    angles = torch.full((2,), math.radians(60), dtype=torch.float64)
    nearest = wedge_projection(torch.tensor([0.1, -5.0, 7.0], dtype=torch.float64), angles)
    assert nearest.point.tolist() == [0, 0, 7]
    assert (nearest.multipliers > 0).tolist() == [True, True, False]


def test_gradient_of_half_the_squared_distance_is_the_displacement(generator: torch.Generator) -> None:
    angles = random_angles(6, generator)
    points = torch.randn(50, 8, generator=generator, dtype=torch.float64).requires_grad_()
    nearest = wedge_projection(points, angles).point
    half = ((nearest - points) ** 2).sum() / 2
    [gradient] = torch.autograd.grad(half, points)
    torch.testing.assert_close(gradient, (points - nearest).detach(), atol=1e-13, rtol=1e-12)


def test_boundary_agrees_with_brute_force_over_facets(generator: torch.Generator) -> None:
    compared = {True: 0, False: 0}
    for k in (1, 2, 3, 5, 9):
        for _ in range(8):
            angles = random_angles(k, generator)
            points = mixed_points(angles, generator)
            ours = boundary_projection(points, angles)
            inside = contains(points, angles)
            for i, point in enumerate(points.numpy()):
                feet = boundary_by_brute_force(point, normals_of(angles.numpy(), k + 2))
                distances = [float(np.linalg.norm(foot - point)) for foot in feet]
                best = feet[int(np.argmin(distances))]
                assert abs(float(ours.distance[i])) == pytest.approx(min(distances), abs=1e-12)
                assert ours.point[i].numpy() == pytest.approx(best, abs=1e-11)
                compared[bool(inside[i])] += 1
            assert torch.equal(ours.distance < 0, ~inside & (ours.distance != 0))
            on_boundary = facet_distances(ours.point, angles)
            torch.testing.assert_close(
                on_boundary.amin(-1), torch.zeros(len(points)).double(), atol=1e-13, rtol=0
            )
    assert min(compared.values()) > 300


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_all_facets_hold_a_nearest_point_of_the_centreline(
    k: int, dtype: torch.dtype, generator: torch.Generator
) -> None:
    angles = random_angles(k, generator)
    line = centreline(angles, k + 1)
    points = (torch.tensor([[0.1], [1.0], [7.0]]).double() * line.direction).to(dtype)
    found = boundary_projection(points, angles)
    assert found.feet.tolist() == [k] * 3
    assert bool(found.facets.all())
    feet = points[:, None].double() - found.distance.double()[:, None, None] * facet_normals(angles, k + 1)
    slack = facet_distances(feet.reshape(-1, k + 1), angles)
    assert float(slack.amin()) > -20 * RELATIVE[dtype]


def test_nearest_boundary_points_are_single_off_the_medial_axis(generator: torch.Generator) -> None:
    """Gaussian points miss the axis almost surely; two facets tie where their distances are made equal."""
    angles = random_angles(4, generator) * 0.5
    points = torch.randn(500, 4, generator=generator, dtype=torch.float64)
    assert bool((boundary_projection(points, angles).feet == 1).all())
    tied = torch.linalg.solve(facet_normals(angles), torch.tensor([2.0, 1.0, 1.0, 3.0]).double())
    found = boundary_projection(tied, angles)
    assert found.facets.tolist() == [False, True, True, False]
    assert int(found.feet) == 2
    assert int(boundary_projection(tied + 1e-6, angles, tolerance=1e-3).feet) == 2
    assert int(boundary_projection(tied, angles, tolerance=0.0).feet) in (1, 2)


def test_points_of_the_boundary_stay_where_they_are(generator: torch.Generator) -> None:
    angles = random_angles(4, generator)
    rays = torch.eye(4, dtype=torch.float64)
    rays[0, 1:] = angles.tan()
    edge = rays[1] + 2 * rays[3]  # on the facets 1 and 3
    for point, meeting in ((edge, 2), (torch.zeros(4).double(), 4)):
        found = boundary_projection(point, angles)
        torch.testing.assert_close(found.point, point, atol=1e-15, rtol=0)
        assert float(found.distance) == pytest.approx(0, abs=1e-15)
        assert int(found.feet) == 1
        assert int(found.facets.sum()) == meeting


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_leading_shapes_and_precision_are_kept(dtype: torch.dtype, generator: torch.Generator) -> None:
    angles = random_angles(3, generator)
    points = torch.randn(2, 3, 4, 6, generator=generator, dtype=torch.float64).to(dtype)
    whole, boundary = wedge_projection(points, angles), boundary_projection(points, angles)
    assert whole.point.shape == points.shape
    assert whole.multipliers.shape == boundary.facets.shape == (2, 3, 4, 3)
    assert {part.dtype for part in (*whole, boundary.point, boundary.distance)} == {dtype}
    single = torch.stack([wedge_projection(p, angles).point for p in points.reshape(-1, 6)])
    assert torch.equal(whole.point.reshape(-1, 6), single)
    assert torch.equal(whole.point[..., 3:], points[..., 3:])
    exact = wedge_projection(points.double(), angles).point
    torch.testing.assert_close(whole.point, exact.to(dtype), rtol=RELATIVE[dtype], atol=0)
    assert wedge_projection(points[:0], angles).point.shape == (0, 3, 4, 6)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_projections_follow_the_device(generator: torch.Generator) -> None:
    angles = random_angles(5, generator)
    points = torch.randn(100, 7, generator=generator, dtype=torch.float64)
    there = boundary_projection(points.cuda(), angles.cuda())
    assert there.point.is_cuda
    torch.testing.assert_close(there.point.cpu(), boundary_projection(points, angles).point)


@pytest.mark.parametrize("project", [wedge_projection, boundary_projection])
@pytest.mark.parametrize(
    ("point", "angles", "words"),
    [
        ([math.nan, 1.0], [0.0], "points: got 1 of 2 numbers that are NaN or infinite"),
        ([1.0, -math.inf], [0.0], "points: got 1 of 2 numbers that are NaN or infinite"),
        ([1.0, 1e200], [0.0], r"points: got 1 of 1 .* required at most 1e\+150"),
        ([1.0], [0.0], "points: got 1 coordinates; required at least 2"),
        ([1.0, 1.0], [1.5], r"angles: got \[1\.5\] radians; required within ±1\.48"),
        ([1.0, 1.0], [math.nan], r"angles: got 1 of 1 numbers that are NaN or infinite"),
    ],
)
def test_wrong_arguments_are_named(project, point: list[float], angles: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        project(torch.tensor(point, dtype=torch.float64), torch.tensor(angles, dtype=torch.float64))


def test_wrong_types_and_tolerances_are_named() -> None:
    unchecked = inspect.unwrap(require_coordinates)  # while tests run the types are checked before
    with pytest.raises(ValueError, match=r"points: got torch\.int64; required a floating type"):
        unchecked(torch.tensor([1, 2]), torch.zeros(1))
    with pytest.raises(ValueError, match="points: got 0 coordinates; required at least 1"):
        unchecked(torch.tensor(1.0), torch.zeros(0))
    with pytest.raises(ValueError, match=r"tolerance: got -1\.0; required 0 or more"):
        boundary_projection(torch.ones(2), torch.zeros(1), tolerance=-1.0)
