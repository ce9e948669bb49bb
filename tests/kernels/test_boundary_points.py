"""Boundary points against planes, spheres and wedges, whose normals, feet and angles are known."""

import math

import pytest
import torch
from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.boundary_points import boundary_points, descend, interpolated
from neighborhoods.kernels.normals import incidence, margins, unit
from neighborhoods.kernels.spectra import flattened, spectrum
from neighborhoods.kernels.statistics import Status
from torch import Tensor


def plane(x: Tensor) -> Tensor:
    """Two logits that agree where the first two coordinates add up to 1, and a third one far below."""
    height = x[:, 0] + x[:, 1] - 1
    return torch.stack([torch.zeros_like(height), height, height - 50], 1)


def sphere(x: Tensor) -> Tensor:
    """Class 1 outside the sphere of radius 2."""
    return torch.stack([torch.full_like(x[:, 0], 4.0), x.square().sum(1)], 1)


def quadrant(x: Tensor) -> Tensor:
    """Class 1 where both coordinates are positive."""
    return torch.stack([torch.zeros_like(x[:, 0]), torch.minimum(x[:, 0], x[:, 1])], 1)


def thirds(x: Tensor) -> Tensor:
    """Classes 0 and 1 on both sides of zero, and class 2 in a strip between them."""
    return torch.stack([-x[:, 0], x[:, 0], torch.full_like(x[:, 0], 0.5)], 1)


def pair(m: int, first: int = 0, second: int = 1) -> tuple[Tensor, Tensor]:
    return torch.full((m,), first), torch.full((m,), second)


def test_points_of_a_plane_know_their_normal_and_angle(generator: torch.Generator) -> None:
    start = torch.randn(40, 6, generator=generator, dtype=torch.float64) - 2
    end = start + 8 * torch.rand(40, 6, generator=generator, dtype=torch.float64)
    found = crossing(plane, start, end, iterations=50)
    at = boundary_points(plane, start, end, found)
    crossed = at.status == Status.CONVERGED
    assert 20 < int(crossed.sum()) < 40
    assert torch.equal(crossed, found.status == Status.CONVERGED)
    normal = torch.tensor([1.0, 1, 0, 0, 0, 0], dtype=torch.float64) / math.sqrt(2)
    torch.testing.assert_close(at.normals[crossed], normal.expand(int(crossed.sum()), 6))
    cosine = (end - start)[crossed] @ normal / (end - start)[crossed].norm(dim=1)
    torch.testing.assert_close(at.incidence[crossed].cos(), cosine, rtol=1e-9, atol=1e-9)
    assert at.first[crossed].unique().tolist() == [0]
    assert at.second[crossed].unique().tolist() == [1]
    assert float(at.residual.max()) < 1e-12
    assert at.incidence[~crossed].unique().tolist() == [0]


def test_gradient_normals_of_spheres_and_wedges_are_exact(generator: torch.Generator) -> None:
    inner = torch.nn.functional.normalize(torch.randn(50, 9, generator=generator, dtype=torch.float64))
    end = 5 * torch.nn.functional.normalize(torch.randn(50, 9, generator=generator, dtype=torch.float64))
    at = boundary_points(sphere, inner, end, crossing(sphere, inner, end, iterations=50))
    torch.testing.assert_close(at.normals, at.points / 2, rtol=1e-12, atol=1e-12)
    start = torch.tensor([[-1.0, 3.0], [3.0, -1.0]], dtype=torch.float64)
    end = torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64)
    at = boundary_points(quadrant, start, end, crossing(quadrant, start, end))
    assert at.normals.tolist() == [[1, 0], [0, 1]]


def test_third_classes_that_lead_are_undecided() -> None:
    start, end = torch.tensor([[-2.0]]), torch.tensor([[2.0]])
    strip = boundary_points(thirds, start, end, crossing(thirds, start, end))
    assert (int(strip.first), int(strip.second), int(strip.status)) == (2, 1, Status.CONVERGED)
    middle = crossing(lambda x: thirds(x)[:, :2], start, end)
    forced = boundary_points(thirds, start, end, middle._replace(points=middle.points))
    # At zero the two agree, and the third one leads: the point is on no boundary of class 1.
    assert int(forced.first) == 2
    assert float(forced.residual) > 0.1
    assert float(margins(thirds, middle.points, *pair(1)).lead) == pytest.approx(-0.5, abs=1e-6)


def test_constant_classifiers_and_flat_spots_fail_as_rows() -> None:
    flat = lambda x: (x * 0)[:, :2] + torch.tensor([0.0, 1.0])  # noqa: E731
    start, end = torch.zeros(2, 3), torch.ones(2, 3)
    at = boundary_points(flat, start, end, crossing(flat, start, end))
    assert at.status.tolist() == [Status.FAILED] * 2
    fell = descend(flat, start, *pair(2))
    assert fell.status.tolist() == [Status.FAILED] * 2
    assert torch.equal(fell.points, start)


def test_classifiers_without_logits_are_named() -> None:
    with pytest.raises(ValueError, match="no gradient; required logits"):
        margins(lambda x: (x[:, 0] > 0).long(), torch.zeros(1, 2), *pair(1))


def test_descent_ends_at_the_foot_of_the_perpendicular(generator: torch.Generator) -> None:
    points = torch.randn(40, 9, generator=generator, dtype=torch.float64)
    fell = descend(sphere, points, *pair(40))
    assert fell.status.unique().tolist() == [Status.CONVERGED]
    torch.testing.assert_close(fell.points, 2 * torch.nn.functional.normalize(points), rtol=1e-6, atol=1e-6)
    assert float(fell.tilt.max()) < 1e-5
    feet = descend(plane, points, *pair(40)).points
    height = (points[:, 0] + points[:, 1] - 1) / 2
    torch.testing.assert_close(points - feet, height[:, None] * torch.eye(9, dtype=torch.float64)[:2].sum(0))


def test_descent_to_a_facet_of_a_wedge_is_its_projection() -> None:
    points = torch.tensor([[-1.0, 2.0], [3.0, 0.5], [0.5, 3.0]], dtype=torch.float64)
    fell = descend(quadrant, points, *pair(3))
    torch.testing.assert_close(fell.points, torch.tensor([[0.0, 2], [3, 0], [0, 3]], dtype=torch.float64))


def test_descent_from_the_boundary_stays_and_from_nan_fails() -> None:
    points = torch.tensor([[0.5, 0.5], [math.nan, 0.0], [0.0, 0.0]], dtype=torch.float64)
    fell = descend(plane, points, *pair(3))
    assert fell.status.tolist() == [Status.CONVERGED, Status.FAILED, Status.CONVERGED]
    assert fell.points[0].tolist() == [0.5, 0.5]
    assert float(fell.tilt[0]) == 0
    with pytest.raises(ValueError, match="iterations: got 0"):
        descend(plane, points, *pair(3), iterations=0)


def test_a_descent_that_finds_no_boundary_is_undecided() -> None:
    never = lambda x: torch.stack([torch.zeros_like(x[:, 0]), 1 + x[:, 0] ** 2], 1)  # noqa: E731
    fell = descend(never, torch.full((1, 1), 0.7, dtype=torch.float64), *pair(1))
    assert int(fell.status) == Status.UNDECIDED
    assert float(fell.residual) > 0


def test_interpolation_goes_to_the_parent_of_the_other_class(generator: torch.Generator) -> None:
    points = torch.randn(60, 4, generator=generator, dtype=torch.float64)
    parents = torch.full((4,), -3.0, dtype=torch.float64), torch.full((4,), 3.0, dtype=torch.float64)
    found = interpolated(plane, points, parents, iterations=50)
    assert found.status.unique().tolist() == [Status.CONVERGED]
    torch.testing.assert_close(found.points[:, 0] + found.points[:, 1], torch.ones(60, dtype=torch.float64))
    behind = (points[:, 0] + points[:, 1] > 1)[:, None]
    torch.testing.assert_close(
        found.points, points + found.fraction[:, None] * (torch.where(behind, *parents) - points)
    )
    with pytest.raises(ValueError, match="parents: got two points of class 0"):
        interpolated(plane, points, (parents[0], parents[0]))


@pytest.mark.parametrize("degrees", [0, 30, 60, 70])
def test_oblique_projection_stretches_one_direction(degrees: int, generator: torch.Generator) -> None:
    """Proposition oblique-projection."""
    n, radius = 40, 1e-4
    alpha = math.radians(degrees)
    wall = lambda x: torch.stack([torch.zeros_like(x[:, 0]), x[:, 0]], 1)  # noqa: E731
    along = torch.zeros(n, dtype=torch.float64)
    along[:2] = torch.tensor([math.cos(alpha), math.sin(alpha)], dtype=torch.float64)
    sample = flattened(torch.randn(200, n, generator=generator, dtype=torch.float64))
    found = interpolated(wall, radius * sample, (-along, along), iterations=52)
    values = spectrum(found.points).values / (radius * spectrum(sample).values[0])
    expected = torch.cat([torch.tensor([1 / math.cos(alpha)]), torch.ones(n - 2), torch.zeros(1)])
    torch.testing.assert_close(values, expected.double(), rtol=0, atol=5e-3)


def test_incidence_of_small_and_large_angles() -> None:
    angles = torch.tensor([0.0, 1e-8, 0.3, math.pi / 2], dtype=torch.float64)
    directions = torch.stack([angles.cos(), angles.sin()], 1)
    for sign in (1, -7):
        normal = torch.tensor([sign, 0.0], dtype=torch.float64)
        torch.testing.assert_close(incidence(3 * directions, normal), angles, rtol=1e-7, atol=1e-12)
    with pytest.raises(ValueError, match="directions, normals: got a vector that is zero or not finite"):
        incidence(torch.zeros(2), torch.ones(2))


def test_units_of_nothing_fail() -> None:
    vectors, status = unit(torch.tensor([[3.0, 4.0], [0.0, 0.0], [math.nan, 1.0]]))
    assert vectors[:2].tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0]]
    assert status.tolist() == [Status.CONVERGED, Status.FAILED, Status.FAILED]
