"""Local samples of planes, spheres and wedges: their normals, flatness, dimension and curvature."""

import math
from collections.abc import Callable

import pytest
import torch
from neighborhoods.kernels.curvature import curvature_radius, planarity_radius
from neighborhoods.kernels.dimension import dropped_directions
from neighborhoods.kernels.flatness import Flatness, flatness
from neighborhoods.kernels.normals import incidence, least_squares_normal
from neighborhoods.kernels.patches import Patch, between, in_row_space, patch
from neighborhoods.kernels.spectra import spectrum
from neighborhoods.kernels.statistics import Status
from neighborhoods.models import networks
from scipy import stats
from tolerances import COVERAGE_LEVEL, ERRORS
from torch import Tensor

RADIUS = 2.0
Boundary = Callable[[Tensor], Tensor]


def sphere(x: Tensor) -> Tensor:
    return torch.stack([torch.full_like(x[:, 0], RADIUS**2), x.square().sum(1)], 1)


def plane(x: Tensor) -> Tensor:
    return torch.stack([torch.full_like(x[:, 0], RADIUS), x[:, 0]], 1)


def ridge(x: Tensor) -> Tensor:
    """Two half-planes that meet at an edge through (2, 0, ...) at 45 degrees each."""
    return torch.stack([torch.full_like(x[:, 0], RADIUS), x[:, 0] + x[:, 1].abs()], 1)


def around(boundary: Boundary, n: int, radius: float, samples: int, generator: torch.Generator) -> Patch:
    """A sample around the point (2, 0, ..., 0), whose normal is the first axis."""
    centre = torch.zeros(n, dtype=torch.float64)
    centre[0] = RADIUS
    normal = torch.eye(n, dtype=torch.float64)[0]
    return patch(boundary, centre, normal, radius, samples=samples, iterations=30, generator=generator)


def of_sphere(batch: int, n: int, radius: float, samples: int, generator: torch.Generator) -> Tensor:
    """Exact samples of a sphere, many at once: offsets from its point (2, 0, ..., 0)."""
    u = radius * torch.randn(batch, samples, n - 1, generator=generator, dtype=torch.float64)
    height = (RADIUS**2 - u.square().sum(-1, keepdim=True)).sqrt() - RADIUS
    return torch.cat([height, u], -1)


@pytest.mark.parametrize("n", [3, 10, 50, 200])
def test_patches_lie_on_the_sphere(n: int, generator: torch.Generator) -> None:
    radius = 0.2 / math.sqrt(n)
    found = around(sphere, n, radius, 3 * n, generator)
    assert found.status.unique().tolist() == [Status.CONVERGED]
    centre = torch.zeros(n, dtype=torch.float64)
    centre[0] = RADIUS
    assert float(((centre + found.offsets).norm(dim=1) - RADIUS).abs().max()) <= found.width
    spread = float(found.offsets[:, 1:].std())
    assert spread == pytest.approx(radius, rel=ERRORS / math.sqrt(2 * 3 * n * (n - 1)))


@pytest.mark.parametrize("n", [3, 10, 50, 200, 784])
def test_spheres_have_their_radius(n: int, generator: torch.Generator) -> None:
    """The interval covers the truth in every dimension."""
    radii = torch.tensor([0.01, 0.02, 0.04, 0.08], dtype=torch.float64) * RADIUS / math.sqrt(n)
    confidence = 0.999
    flats = [
        flatness(around(sphere, n, float(r), 2 * n + 40, generator).offsets, confidence)[0] for r in radii
    ]
    joined = Flatness(*(torch.stack(ends) for ends in zip(*flats, strict=True)))
    found = curvature_radius(joined, radii, n, confidence=confidence)
    assert int(found.status) == Status.CONVERGED
    assert float(found.low) < RADIUS < float(found.high)
    assert float(found.value) == pytest.approx(RADIUS, rel=0.35 if n < 10 else 0.1)
    assert float(found.slope) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(("n", "samples"), [(4, 400), (10, 80), (20, 60)])
def test_flatness_and_radius_are_covered(n: int, samples: int, generator: torch.Generator) -> None:
    """Coverage of both intervals at the stated 90 %, over 300 spheres."""
    radii = torch.tensor([0.02, 0.04], dtype=torch.float64) * RADIUS / math.sqrt(n)
    flats = [flatness(of_sphere(300, n, float(r), samples, generator), 0.9)[0] for r in radii]
    truth = radii[0] / RADIUS * math.sqrt((n - 1) / 2)
    inside = int(((flats[0].low <= truth) & (truth <= flats[0].high)).sum())
    assert stats.binom.cdf(inside, 300, 0.9) > COVERAGE_LEVEL
    covered = 0
    for row in range(300):
        one = Flatness(*(torch.stack([flat[part][row] for flat in flats]) for part in range(3)))
        found = curvature_radius(one, radii, n, confidence=0.9)
        covered += bool(found.low <= RADIUS <= found.high)
    assert stats.binom.cdf(covered, 300, 0.9) > COVERAGE_LEVEL


@pytest.mark.parametrize(("n", "samples"), [(4, 20), (10, 20), (10, 300), (20, 40), (50, 100)])
@pytest.mark.parametrize("curved", [1, 2])
def test_few_curved_directions_are_covered(
    n: int, samples: int, curved: int, generator: torch.Generator
) -> None:
    """Coverage at the stated 90 % where one direction curves alone, or two do, also at m = 2 n."""
    sample = of_sphere(300, n, 0.01, samples, generator)
    sample[..., 0] = -sample[..., 1 : 1 + curved].square().sum(-1) / (2 * RADIUS)
    flat = flatness(sample, 0.9)[0]
    truth = 0.01 / RADIUS * math.sqrt(curved / 2)
    inside = int(((flat.low <= truth) & (truth <= flat.high)).sum())
    assert stats.binom.cdf(inside, 300, 0.9) > COVERAGE_LEVEL


def test_planes_have_no_curvature_and_one_dropped_direction(generator: torch.Generator) -> None:
    radii = torch.tensor([0.01, 0.1, 1.0], dtype=torch.float64)
    found = [around(plane, 12, float(r), 400, generator) for r in radii]
    flats = [flatness(one.offsets)[0] for one in found]
    joined = Flatness(*(torch.stack(ends) for ends in zip(*flats, strict=True)))
    none = curvature_radius(joined, radii, 12, error=max(one.width for one in found))
    assert int(none.status) == Status.CENSORED
    assert float(none.value) == math.inf
    assert float(none.low) > 1e6
    assert int(planarity_radius(joined, radii).status) == Status.CENSORED
    assert float(planarity_radius(joined, radii).low) == 1.0
    for one in found:
        dropped = dropped_directions(spectrum(one.offsets, "centred"))
        assert (int(dropped.low), int(dropped.high)) == (1, 1)


@pytest.mark.parametrize("n", [10, 784])
def test_spheres_drop_one_direction_at_small_radii(n: int, generator: torch.Generator) -> None:
    found = around(sphere, n, 0.05 / math.sqrt(n), 2 * n + 40 if n > 100 else 40 * n, generator)
    dropped = dropped_directions(spectrum(found.offsets, "centred"), cut=0.15)
    assert (int(dropped.low), int(dropped.value), int(dropped.high)) == (1, 1, 1)


def test_edges_do_not_pass_for_curvature(generator: torch.Generator) -> None:
    radii = torch.tensor([0.01, 0.04, 0.16], dtype=torch.float64)
    flats = [flatness(around(ridge, 6, float(r), 800, generator).offsets)[0] for r in radii]
    joined = Flatness(*(torch.stack(ends) for ends in zip(*flats, strict=True)))
    # |Z| has the deviation sqrt(1 - 2/pi) whatever the radius.
    expected = torch.full((3,), math.sqrt(1 - 2 / math.pi), dtype=torch.float64)
    torch.testing.assert_close(joined.ratio, expected, rtol=0.1, atol=0)
    found = curvature_radius(joined, radii, 6)
    assert int(found.status) == Status.UNDECIDED
    assert abs(float(found.slope)) < 0.1


def test_noise_has_no_curvature_radius(generator: torch.Generator) -> None:
    radii = torch.tensor([0.01, 0.1, 1.0], dtype=torch.float64)
    flats = [flatness(r * torch.randn(200, 8, generator=generator, dtype=torch.float64))[0] for r in radii]
    joined = Flatness(*(torch.stack(ends) for ends in zip(*flats, strict=True)))
    assert int(curvature_radius(joined, radii, 8).status) == Status.UNDECIDED


@pytest.mark.parametrize("n", [10, 100])
def test_least_squares_normals_are_as_good_as_they_say(n: int, generator: torch.Generator) -> None:
    """The mean square of the angle to the true normal of a sphere is the square of the stated error."""
    found = least_squares_normal(of_sphere(60, n, 0.2 / math.sqrt(n), 3 * n, generator))
    truth = torch.eye(n, dtype=torch.float64)[0].expand(60, n)
    share = (incidence(found.normal, truth) / found.error).square()
    spread = math.sqrt(2 / (n - 1) / 60)
    assert float(share.mean()) == pytest.approx(1, abs=ERRORS * spread + 0.1)


def test_least_squares_normals_of_a_facet_are_exact(generator: torch.Generator) -> None:
    centre = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)  # far from the edge
    normal = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    found = patch(ridge, centre, normal, 1e-3, samples=90, iterations=40, generator=generator)
    normal_found = least_squares_normal(found.offsets)
    assert float(incidence(normal_found.normal, normal)) < 1e-9
    assert float(normal_found.error) < 1e-9


def test_places_without_a_crossing_fail_as_rows(generator: torch.Generator) -> None:
    constant = lambda x: torch.zeros(len(x), 2)  # noqa: E731
    found = around(constant, 3, 0.1, 20, generator)
    assert found.status.tolist() == [Status.FAILED] * 20
    assert float(found.offsets.abs().max()) == 0
    with pytest.raises(ValueError, match=r"radius, normal: got 0.0"):
        patch(plane, torch.ones(3), torch.ones(3), 0.0, samples=3)
    with pytest.raises(ValueError, match=r"radius, normal: got 1.0 and length 0.0"):
        patch(plane, torch.ones(3), torch.zeros(3), 1.0, samples=3)


def test_few_or_bad_points_are_named() -> None:
    with pytest.raises(ValueError, match="patch: got 4 points of 3 coordinates; required n \\+ 2 points"):
        flatness(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="patch: got 1 of 14 numbers that are NaN or infinite"):
        flatness(torch.tensor([[0.0, math.nan]] + [[1.0, 2.0]] * 6))
    flat = Flatness(*torch.ones(3, 2, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"radii: got .*; required positive"):
        curvature_radius(flat, torch.tensor([0.0, 1.0]), 3)
    with pytest.raises(ValueError, match=r"radii: got .*; required growing"):
        planarity_radius(flat, torch.tensor([1.0, 0.5]))


def test_planarity_radius_is_where_the_curves_reach_the_level() -> None:
    radii = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    flat = Flatness(radii / 40, radii / 80, radii / 20)
    found = planarity_radius(flat, radii)
    assert [float(end) for end in found[:3]] == pytest.approx([4, 2, 8])
    early = planarity_radius(flat, radii, level=0.01)
    assert (float(early.value), float(early.low), int(early.status)) == (0, 0, Status.CENSORED)


@pytest.mark.parametrize("flat", [False, True])
def test_patches_of_networks_are_the_same_in_the_row_space(flat: bool, generator: torch.Generator) -> None:
    network = networks.build("FC20-10", generator=generator).double().requires_grad_(False)
    points = torch.randn(50, 1, 28, 28, generator=generator, dtype=torch.float64)
    smaller, axes = in_row_space(network, points)
    with torch.no_grad():
        torch.testing.assert_close(smaller(points.flatten(1) @ axes), network(points))
    assert axes.shape == (784, 20)
    torch.testing.assert_close(axes.T @ axes, torch.eye(20, dtype=torch.float64))
    labels = network(points).argmax(1)
    other = int(network(points[0] * -1)[0].argmax())
    pair_of = between(smaller, int(labels[0]), other if other != labels[0] else (other + 1) % 10)
    assert pair_of(points[:3].flatten(1) @ axes).shape == (3, 2)
    with pytest.raises(ValueError, match="network: got no full first layer"):
        in_row_space(networks.build("C-4"), points)


def test_random_creases_flatten_as_the_root_of_the_radius(generator: torch.Generator) -> None:
    """Proposition creases: heights over a plane with 10 000 creases at random, mean of eight such planes."""
    radii = torch.tensor([0.01, 0.16], dtype=torch.float64)
    slopes = []
    for _ in range(8):
        axes = torch.nn.functional.normalize(torch.randn(10_000, 9, generator=generator, dtype=torch.float64))
        places = 2 * torch.rand(10_000, generator=generator, dtype=torch.float64) - 1
        bends = 0.005 * torch.randn(10_000, generator=generator, dtype=torch.float64)
        ratios = []
        for r in radii:
            u = r * torch.randn(400, 9, generator=generator, dtype=torch.float64)
            height = (u @ axes.T - places).abs() @ bends
            ratios.append(flatness(torch.cat([height[:, None], u], 1))[0].ratio)
        slopes.append((ratios[1] / ratios[0]).log() / (radii[1] / radii[0]).log())
    found = torch.stack(slopes)
    assert float(found.mean()) == pytest.approx(0.5, abs=ERRORS * float(found.std()) / math.sqrt(8))
    assert float(found.std()) < 0.1
