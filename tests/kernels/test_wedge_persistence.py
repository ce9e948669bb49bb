"""Persistence in and around wedges: closed forms, the dip outside, and the numbers stated for it."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.wedge_persistence import (
    effective_facets,
    orthant_dip,
    orthant_persistence,
    wedge_dip,
    wedge_persistence,
)
from neighborhoods.kernels.wedges import centreline_point, orthant_stability, solid_angle, wedge_stability
from reference import first_crossing
from scipy import special
from torch import Tensor

level = st.floats(0.55, 0.99)


def lean(k: int, degrees: float) -> Tensor:
    return torch.full((k - 1,), math.radians(degrees), dtype=torch.float64)


def at_unit_inradius(k: int, degrees: float) -> float:
    angles = lean(k, degrees)
    return float(wedge_persistence(centreline_point(1.0, angles), angles, 0.7))


def facing(*ratios: float) -> Tensor:
    """Points at distance 1 outside one facet of a quadrant and `ratio` inside the other."""
    return torch.tensor([[-1.0, ratio] for ratio in ratios], dtype=torch.float64)


@given(st.floats(0.01, 100), st.integers(1, 10), level)
def test_proposition_4_3_persistence_meets_the_level(d: float, k: int, gamma: float) -> None:
    sigma = orthant_persistence(d, k, gamma)
    distances = torch.full((k,), d, dtype=torch.float64)
    assert float(orthant_stability(distances, sigma)) == pytest.approx(gamma, abs=1e-14)
    printed = d / (math.sqrt(2) * float(special.erfinv(2 * gamma ** (1 / k) - 1)))
    assert float(sigma) == pytest.approx(printed, rel=1e-11)


def test_values_of_proposition_4_3_at_unit_distance() -> None:
    found = orthant_persistence(1.0, torch.tensor([1, 2, 3, 5, 10]), 0.7)
    stated = torch.tensor([1.9069, 1.0196, 0.8227, 0.6737, 0.5521], dtype=torch.float64)
    torch.testing.assert_close(found, stated, atol=5e-5, rtol=0)
    below = orthant_persistence(1.0, torch.arange(1, 11), 0.7) < 1
    assert int(below.nonzero()[0]) + 1 == 3


@pytest.mark.parametrize("k", range(1, 11))
def test_persistence_is_infinite_up_to_the_solid_angle(k: int) -> None:
    assert float(orthant_persistence(1.0, k, 2.0**-k)) == math.inf
    assert float(orthant_persistence(1.0, k, 0.5 * 2.0**-k)) == math.inf
    assert float(orthant_persistence(1.0, k, 2.0**-k * 1.01)) < math.inf
    assert float(orthant_persistence(1.0, k, 1 - 1e-12)) > 0


@settings(max_examples=20)
@given(st.integers(1, 10), level, st.floats(0.1, 10))
def test_search_finds_the_closed_form(k: int, gamma: float, d: float) -> None:
    distances = torch.full((k,), d, dtype=torch.float64)
    found = orthant_dip(distances, gamma)
    assert float(found.low) == pytest.approx(float(orthant_persistence(d, k, gamma)), rel=1e-11)
    assert float(found.high) == math.inf


@pytest.mark.parametrize(
    ("k", "degrees", "stated"),
    [(2, -45, 1.2455), (2, 0, 1.0196), (2, 45, 0.9655), (2, 60, 0.9649), (3, -45, 1.0194), (3, 0, 0.8227),
     (3, 45, 0.8255), (3, 60, 0.8574), (5, 0, 0.6737), (5, 45, 0.7168), (5, 60, 0.7732), (5, 80, 0.888),
     (10, 0, 0.5521), (10, 45, 0.6210)],
)  # fmt: skip
def test_values_of_the_general_wedge_at_unit_inradius(k: int, degrees: float, stated: float) -> None:
    assert at_unit_inradius(k, degrees) == pytest.approx(stated, abs=5.1e-5 if degrees < 80 else 5e-4)


@pytest.mark.parametrize(("k", "dip"), [(2, 0.054), (3, 0.021), (5, 0.008), (10, 0.0019)])
def test_sharpening_at_fixed_inradius_lowers_persistence_by_a_few_percent_at_most(k: int, dip: float) -> None:
    curve = np.array([at_unit_inradius(k, degrees) for degrees in range(0, 81, 4)])
    assert 1 - curve.min() / curve[0] == pytest.approx(dip, abs=5e-4)
    slab = 1 / float(torch.special.ndtri(torch.tensor(0.85).double()))
    assert slab == pytest.approx(0.9648, abs=5e-5)
    assert curve.max() <= max(curve[0], slab) + 1e-12
    if k > 2:
        assert (np.diff(curve[curve.argmin() :]) > 0).all()


def test_dips_outside_a_quadrant_have_the_stated_ends() -> None:
    dip = orthant_dip(facing(0, 1, 2, 3, 5, 10), 0.7)
    assert dip.low.tolist()[:3] == dip.high.tolist()[:3] == [math.inf] * 3
    expected = torch.tensor([[2.301, 5.994], [1.922, 14.50], [1.907, 34.44]], dtype=torch.float64)
    torch.testing.assert_close(torch.stack(dip, 1)[3:], expected, rtol=4e-4, atol=0)
    sigmas = torch.logspace(-1, 3, 4000, dtype=torch.float64)
    least = [float(orthant_stability(p, sigmas, outside=True).min()) for p in facing(2, 3, 5, 10)]
    assert least[0] >= 0.722
    assert least[1:] == pytest.approx([0.688, 0.641, 0.587], abs=6e-4)


def test_critical_ratio_of_a_quadrant() -> None:
    low, high = 2.0, 3.0
    for _ in range(50):
        ratio = (low + high) / 2
        dips = bool(orthant_dip(facing(ratio), 0.7).low.isfinite())
        low, high = (low, ratio) if dips else (ratio, high)
    assert high == pytest.approx(2.632, abs=5e-4)


def test_facing_a_wide_facet_is_like_facing_a_half_space() -> None:
    assert float(orthant_dip(facing(1e6), 0.7).low) == pytest.approx(
        float(orthant_persistence(1.0, 1, 0.7)), rel=1e-9
    )


@settings(max_examples=30)
@given(
    st.lists(st.floats(-3, 3).filter(lambda x: abs(x) > 0.01), min_size=1, max_size=5),
    st.floats(0.51, 0.95),
    st.floats(-70, 70),
)
def test_dips_are_those_of_a_fine_grid(x: list[float], gamma: float, degrees: float) -> None:
    point, angles = torch.tensor(x, dtype=torch.float64), lean(len(x), degrees)
    dip = wedge_dip(point, angles, gamma)
    outside = bool((point[:1] < 0).any() or (point[1:] < point[0] * angles.tan()).any())
    sigmas = np.geomspace(1e-4, 1e4, 800)
    curve = wedge_stability(point, angles, torch.from_numpy(sigmas), outside=outside)
    below, above = first_crossing(
        dict(zip(sigmas.tolist(), curve.tolist(), strict=True)).__getitem__, gamma, sigmas
    )
    if below < math.inf:
        assert below * (1 - 1e-12) <= float(dip.low) <= below * 1.024
        assert above == math.inf or float(dip.high) <= above * (1 + 1e-12)
        if float(dip.high) < 9e3:
            assert above <= float(dip.high) * 1.024
    else:
        assert float(dip.low) > 9e3 or float(dip.high / dip.low) < 1.024


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5), st.floats(-70, 70))
def test_chance_of_entering_is_log_concave_in_reciprocal_noise(x: list[float], degrees: float) -> None:
    reciprocal = torch.linspace(0.01, 3, 200, dtype=torch.float64)
    inside = wedge_stability(torch.tensor(x).double(), lean(len(x), degrees), 1 / reciprocal)
    logs = inside[inside > 1e-9].log()
    assert bool((logs.diff(n=2) <= 1e-5).all())
    assert bool((logs.diff(n=2) <= 1e-12 / inside[inside > 1e-9][2:]).all())


@pytest.mark.parametrize("gamma", [0.4, 0.5, 0.6])
def test_points_on_the_boundary_are_stable_or_not_at_once(gamma: float) -> None:
    dip = wedge_dip(torch.tensor([0.0, 1.0]), lean(2, 0), gamma)
    if gamma > 0.5:
        assert float(dip.low) == 0
    else:
        assert 0 < float(dip.low) < math.inf
    apex = wedge_dip(torch.zeros(2), lean(2, 0), gamma)
    assert (float(apex.low), float(apex.high)) == (0, math.inf)
    assert float(wedge_persistence(torch.zeros(2), lean(2, 0), 0.2)) == math.inf


@pytest.mark.parametrize("degrees", [-45, 0, 45])
def test_persistence_inside_is_finite_beyond_the_solid_angle_only(degrees: float) -> None:
    angles = lean(3, degrees)
    point, share = centreline_point(1.0, angles), solid_angle(angles)
    assert float(wedge_persistence(point, angles, share * 0.999)) == math.inf
    assert float(wedge_persistence(point, angles, share * 1.001)) < math.inf


@settings(max_examples=15)
@given(st.floats(0.1, 10), level, st.floats(-60, 60))
def test_persistence_has_the_unit_of_the_points(scale: float, gamma: float, degrees: float) -> None:
    points = torch.tensor([[1.0, 2.0, 1.5], [-1.0, 8.0, 9.0]], dtype=torch.float64)
    small, large = (wedge_dip(c * points, lean(3, degrees), gamma) for c in (1.0, scale))
    torch.testing.assert_close(torch.stack(large), scale * torch.stack(small), rtol=1e-8, atol=0)


def test_batches_do_not_change_dips(generator: torch.Generator) -> None:
    points = 2 * torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    whole = wedge_dip(points, lean(3, 30), 0.8)
    single = torch.stack([torch.stack(wedge_dip(p, lean(3, 30), 0.8)) for p in points.reshape(-1, 3)])
    torch.testing.assert_close(torch.stack(whole, -1).reshape(-1, 2), single, rtol=1e-9, atol=0)


@given(st.floats(0.01, 100), st.integers(1, 50), level)
def test_effective_facets_invert_proposition_4_3(d: float, k: int, gamma: float) -> None:
    sigma = orthant_persistence(d, k, gamma)
    assert float(effective_facets(d, sigma, gamma)) == pytest.approx(k, rel=1e-9)


def test_effective_facets_at_the_ends() -> None:
    assert float(effective_facets(1.0, math.inf, 0.7)) == pytest.approx(-math.log2(0.7))
    assert float(effective_facets(1.0, 0.0, 0.7)) == math.inf


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: orthant_persistence(-1.0, 2, 0.7), r"distance: got -1\.0; required 0 or more"),
        (lambda: orthant_persistence(1.0, 0, 0.7), "facets: got 0; required at least 1"),
        (lambda: orthant_persistence(1.0, 2, 1.0), r"gamma: got 1\.0; required .* between 0 and 1"),
        (lambda: effective_facets(0.0, 1.0, 0.7), r"distance: got 0\.0; required greater than 0"),
        (lambda: effective_facets(1.0, -1.0, 0.7), r"sigma: got -1\.0; required 0 or more"),
        (lambda: orthant_dip(torch.ones(2), 0.0), r"gamma: got 0\.0; required"),
        (lambda: wedge_dip(torch.ones(2), torch.zeros(2), 0.7), "points: got 2 coordinates"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
