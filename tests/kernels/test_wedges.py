"""Wedges against scipy's quadrature, sampling, and the closed forms of orthants."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.wedges import (
    centreline_point,
    contains,
    facet_distances,
    orthant_stability,
    solid_angle,
    wedge_stability,
)
from reference import wedge_stability_by_quadrature
from torch import Tensor

SAMPLES = 20_000
DEGREES = (-60, -30, 0, 30, 60)
coordinate = st.floats(-5, 5, allow_subnormal=False)


def lean(k: int, degrees: float) -> Tensor:
    return torch.full((k - 1,), math.radians(degrees), dtype=torch.float64)


def assert_within_four_errors(hits: Tensor, truth: Tensor) -> None:
    """Two-sided level 6.3e-5 for each comparison; fewer than 250 of them are made, all seeded."""
    error = (truth * (1 - truth) / SAMPLES).sqrt()
    assert float((hits - truth).abs()) <= 4 * float(error) + 1 / SAMPLES


@pytest.mark.parametrize("k", range(1, 11))
@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
def test_proposition_4_3_agrees_with_sampling(k: int, sigma: float, generator: torch.Generator) -> None:
    point = torch.full((k,), 0.8, dtype=torch.float64)
    cloud = point + sigma * torch.randn(SAMPLES, k, generator=generator, dtype=torch.float64)
    hits = (cloud >= 0).all(1).double().mean()
    assert_within_four_errors(hits, orthant_stability(point, sigma))
    printed = (0.5 * (1 + math.erf(0.8 / (math.sqrt(2) * sigma)))) ** k
    assert float(orthant_stability(point, sigma)) == pytest.approx(printed, rel=1e-13)


@pytest.mark.parametrize("k", range(1, 11))
@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("place", ["inside", "past the first facet", "past every facet"])
def test_general_wedge_agrees_with_sampling(
    k: int, degrees: float, place: str, generator: torch.Generator
) -> None:
    angles = lean(k, degrees)
    point = centreline_point(1.0, angles)
    if place == "past the first facet":
        point[0] = -0.5
    if place == "past every facet":
        point = -0.3 * point
    inside = place == "inside"
    assert bool(contains(point, angles)) == inside
    cloud = point + 0.9 * torch.randn(SAMPLES, k, generator=generator, dtype=torch.float64)
    hits = (contains(cloud, angles) == inside).double().mean()
    assert_within_four_errors(hits, wedge_stability(point, angles, 0.9, outside=not inside))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(coordinate, st.integers(-80, 80)), min_size=1, max_size=6),
    coordinate,
    st.floats(0.05, 20),
)
def test_quadrature_keeps_its_stated_error(
    leaning: list[tuple[float, int]], first: float, sigma: float
) -> None:
    point = torch.tensor([first, *(x for x, _ in leaning)], dtype=torch.float64)
    angles = torch.tensor([math.radians(degrees) for _, degrees in leaning], dtype=torch.float64)
    expected = wedge_stability_by_quadrature(point, angles, sigma)
    assert float(wedge_stability(point, angles, sigma)) == pytest.approx(expected, abs=1e-14, rel=0)


@pytest.mark.parametrize("place", [-1.5, 0.0, 1.5])
def test_quadrature_keeps_its_stated_error_at_the_steepest_angle(place: float) -> None:
    angles = lean(3, 85) * torch.tensor([1.0, -1.0], dtype=torch.float64)
    point = torch.cat([torch.tensor([2.0], dtype=torch.float64), (2 + place) * angles.tan()])
    expected = wedge_stability_by_quadrature(point, angles, 1.0)
    assert float(wedge_stability(point, angles, 1.0)) == pytest.approx(expected, abs=1e-11, rel=0)


@given(st.lists(coordinate, min_size=1, max_size=10), st.floats(0.05, 20), st.booleans())
def test_orthant_is_the_wedge_without_angles(x: list[float], sigma: float, outside: bool) -> None:
    point = torch.tensor(x, dtype=torch.float64)
    angles = torch.zeros(len(x) - 1, dtype=torch.float64)
    orthant = orthant_stability(point, sigma, outside=outside)
    assert float(wedge_stability(point, angles, sigma, outside=outside)) == pytest.approx(
        float(orthant), abs=1e-13
    )
    assert torch.equal(facet_distances(point, angles), point)


@given(st.permutations(list(range(6))), st.floats(0.1, 10))
def test_facets_of_an_orthant_may_be_permuted(order: list[int], sigma: float) -> None:
    point = torch.linspace(-1, 2, 6, dtype=torch.float64)
    torch.testing.assert_close(orthant_stability(point[order], sigma), orthant_stability(point, sigma))


@given(st.floats(0.1, 10), st.floats(-60, 60))
def test_stability_depends_on_the_ratio_to_the_noise(scale: float, degrees: float) -> None:
    point, angles = torch.tensor([0.7, 1.1, -0.4], dtype=torch.float64), lean(3, degrees)
    torch.testing.assert_close(
        wedge_stability(scale * point, angles, scale), wedge_stability(point, angles, 1.0)
    )


@pytest.mark.parametrize("k", [2, 3, 5, 10])
@pytest.mark.parametrize("degrees", DEGREES)
def test_centreline_is_equally_far_from_every_facet(k: int, degrees: float) -> None:
    angles = lean(k, degrees)
    point = centreline_point(1.3, angles, dimension=k + 2)
    torch.testing.assert_close(facet_distances(point, angles), torch.full((k,), 1.3, dtype=torch.float64))
    assert point.shape == (k + 2,)
    assert not bool(point[k:].any())


def test_printed_centreline_touches_the_orthant() -> None:
    printed = torch.tensor([1.0, math.tan(0.0 / 2)])
    assert facet_distances(printed, torch.zeros(1)).min() == 0


@pytest.mark.parametrize("degrees", DEGREES)
def test_solid_angle_of_a_plane_wedge(degrees: float) -> None:
    expected = (math.pi / 2 - math.radians(degrees)) / (2 * math.pi)
    assert solid_angle(lean(2, degrees)) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("k", range(1, 11))
def test_solid_angle_of_an_orthant(k: int) -> None:
    assert solid_angle(lean(k, 0)) == pytest.approx(2.0**-k, abs=1e-15)
    assert float(wedge_stability(torch.ones(k), lean(k, 0), 1e9)) == pytest.approx(2.0**-k, abs=1e-7)


def test_batches_and_noise_levels_broadcast(generator: torch.Generator) -> None:
    points = torch.randn(4, 5, 3, generator=generator)
    sigma = torch.rand(4, 5, generator=generator) + 0.5
    angles = lean(3, 20)
    whole = wedge_stability(points, angles, sigma)
    single = [
        float(wedge_stability(p, angles, float(s)))
        for p, s in zip(points.reshape(-1, 3), sigma.flatten(), strict=True)
    ]
    torch.testing.assert_close(whole.flatten(), torch.tensor(single, dtype=torch.float64))
    curve = wedge_stability(points[0, 0], angles, sigma)
    assert curve.shape == orthant_stability(points[0, 0], sigma).shape == (4, 5)
    assert float(curve[0, 0]) == pytest.approx(float(whole[0, 0]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: orthant_stability(torch.ones(2), 0.0), r"sigma: got 0\.0; required finite and greater"),
        (lambda: orthant_stability(torch.ones(0), 1.0), "distances: got no facets; required at least 1"),
        (lambda: wedge_stability(torch.ones(2), torch.zeros(1), -1.0), r"sigma: got -1\.0"),
        (lambda: wedge_stability(torch.ones(2), torch.zeros(2), 1.0), "points: got 2 coordinates; required"),
        (lambda: contains(torch.ones(2), torch.ones(1) * 1.6), r"angles: got \[1\.6.*85 degrees"),
        (lambda: centreline_point(-1.0, torch.zeros(1)), r"distance: got -1\.0"),
        (lambda: centreline_point(1.0, torch.zeros(2), 2), "dimension: got 2; required at least 3"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
