"""Proposition 10.1 against the chi distribution, and samplers against their laws."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.concentration import (
    annulus_bound,
    annulus_probability,
    annulus_tails,
    ball_points,
    gaussian_points,
    norms,
    printed_annulus_bound,
    shell_bound,
    shell_probability,
)
from scipy import special, stats

DIMENSIONS = (1, 2, 3, 10, 100, 784, 4096, 150_528)


def chi_moments(n: int) -> tuple[float, float]:
    mean = math.sqrt(2) * math.exp(special.gammaln((n + 1) / 2) - special.gammaln(n / 2))
    return mean, math.sqrt(n - mean**2)


def ball_moments(n: int) -> tuple[float, float]:
    mean = n / (n + 1)
    return mean, math.sqrt(n / (n + 2) - mean**2)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_proposition_10_1_bounds_the_gaussian_annulus(n: int) -> None:
    """In terms of the tails, which keep their precision where the probability rounds to 1."""
    epsilon = torch.logspace(-4, 0.7, 400, dtype=torch.float64) * math.sqrt(n)
    missed = torch.stack(annulus_tails(n, 1.0, epsilon)).sum(0)
    exponent = torch.where(epsilon <= math.sqrt(n), 1.5 - math.log(2), 0.5)
    assert bool((missed <= 2 * torch.exp(-exponent * epsilon**2) + 1e-300).all())
    assert bool((missed <= 2 * torch.exp(-0.5 * epsilon**2) + 1e-300).all())
    bound = annulus_bound(n, 1.0, epsilon)
    torch.testing.assert_close(bound, 1 - 2 * torch.exp(-exponent * epsilon**2))
    assert bool((bound <= annulus_probability(n, 1.0, epsilon) + 1e-15).all())


@pytest.mark.parametrize("n", DIMENSIONS)
def test_proposition_10_1_bounds_the_shell_of_the_ball(n: int) -> None:
    delta = torch.linspace(0, 7, 200, dtype=torch.float64)
    exact, bound = shell_probability(n, 7.0, delta), shell_bound(n, 7.0, delta)
    assert bool((bound <= exact).all())
    assert (float(exact[0]), float(exact[-1])) == (0, 1)
    torch.testing.assert_close(exact, 1 - (1 - delta / 7) ** n, rtol=0, atol=1e-11)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_annulus_tails_are_those_of_the_chi_distribution(n: int) -> None:
    epsilon = torch.tensor([0.01, 0.3, 1.0, 2.5], dtype=torch.float64)
    below, above = annulus_tails(n, 2.0, 2 * epsilon)
    edges = math.sqrt(n) + np.stack([-epsilon.numpy(), epsilon.numpy()])
    np.testing.assert_allclose(below.numpy(), stats.chi.cdf(edges[0], n), rtol=1e-8, atol=1e-300)
    np.testing.assert_allclose(above.numpy(), stats.chi.sf(edges[1], n), rtol=1e-8, atol=1e-300)


def test_printed_bound_fails_for_a_large_standard_deviation() -> None:
    exact, printed = annulus_probability(784, 10.0, 8.0), printed_annulus_bound(8.0)
    assert float(exact) == pytest.approx(0.742, abs=5e-4)
    assert float(printed) == pytest.approx(0.963, abs=5e-4)
    assert float(annulus_bound(784, 10.0, 8.0)) <= float(exact) < float(printed)


@pytest.mark.parametrize("n", DIMENSIONS)
def test_printed_bound_holds_at_unit_standard_deviation(n: int) -> None:
    epsilon = torch.linspace(0, 0.999 * math.sqrt(n), 200, dtype=torch.float64)
    assert bool((printed_annulus_bound(epsilon) <= annulus_probability(n, 1.0, epsilon) + 1e-15).all())


@pytest.mark.parametrize(("n", "stated"), [(784, 19.8), (196_608, 313.5)])
def test_gaussian_norms_spread_far_more_than_those_of_a_ball(n: int, stated: float) -> None:
    (gaussian, spread), (ball, thin) = chi_moments(n), ball_moments(n)
    assert math.sqrt(n / 2) == pytest.approx(stated, abs=0.05)
    assert (spread / gaussian) / (thin / ball) == pytest.approx(math.sqrt(n / 2), rel=2e-3, abs=0)


def test_moments_of_figure_19() -> None:
    n = 784
    assert [7 / math.sqrt(n) * m for m in chi_moments(n)] == pytest.approx([6.998, 0.177], abs=5e-4)
    assert [7 * m for m in ball_moments(n)] == pytest.approx([6.991, 0.0089], abs=1e-4)


@given(st.integers(1, 1000), st.floats(0.01, 100), st.floats(0, 10), st.floats(0.01, 100))
def test_probabilities_depend_on_ratios(n: int, sigma: float, epsilon: float, scale: float) -> None:
    small, large = (annulus_probability(n, c * sigma, c * epsilon * sigma) for c in (1.0, scale))
    torch.testing.assert_close(small, large, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [1, 3, 784])
def test_norms_follow_their_laws(n: int, generator: torch.Generator) -> None:
    """Kolmogorov-Smirnov at level 1e-4 for each of six seeded samples."""
    gaussian = norms(partial(gaussian_points, dimension=n, sigma=0.25, generator=generator), 5000)
    ball = norms(partial(ball_points, dimension=n, radius=7.0, generator=generator), 5000)
    assert stats.kstest(gaussian.numpy() / 0.25, stats.chi(n).cdf).pvalue > 1e-4
    assert stats.kstest((ball.numpy() / 7) ** n, "uniform").pvalue > 1e-4


def test_norms_of_a_ball_resolve_a_spread_of_one_in_196608(generator: torch.Generator) -> None:
    """Kolmogorov-Smirnov at level 1e-4: rounding in float32 would show as atoms."""
    n = 196_608
    found = norms(partial(ball_points, dimension=n, radius=7.0, generator=generator), 200)
    assert stats.kstest((found.numpy() / 7) ** n, "uniform").pvalue > 1e-4
    assert len(found.unique()) == 200


def test_ball_points_have_no_preferred_direction(generator: torch.Generator) -> None:
    """The mean of each of 3 coordinates within 4.5 standard errors: level 2e-5 in all."""
    points = ball_points(20_000, 3, 2.0, generator=generator)
    assert bool((points.norm(dim=1) <= 2).all())
    assert bool((points.mean(0).abs() <= 4.5 * 2 / math.sqrt(5 * 20_000)).all())


def test_norms_never_hold_more_than_a_million_coordinates() -> None:
    sizes: list[int] = []

    def sampler(size: int) -> torch.Tensor:
        sizes.append(size)
        return torch.ones(size, 300_000)

    assert norms(sampler, 8).tolist() == pytest.approx([math.sqrt(300_000)] * 8)
    assert max(sizes) * 300_000 <= 2**20
    assert norms(lambda size: torch.ones(size, 4), 1).tolist() == [2]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: annulus_bound(0, 1.0, 1.0), "dimension: got 0; required at least 1"),
        (lambda: annulus_tails(3, 0.0, 1.0), r"sigma: got 0\.0; required greater than 0"),
        (lambda: annulus_probability(3, 1.0, -1.0), r"epsilon: got -1\.0; required at least 0"),
        (lambda: printed_annulus_bound(-1.0), r"epsilon: got -1\.0"),
        (lambda: shell_bound(3, 1.0, 2.0), r"delta: got 2\.0; required at most the radius, 1\.0"),
        (lambda: shell_probability(3, 0.0, 0.0), r"radius: got 0\.0"),
        (lambda: gaussian_points(3, 0, 1.0), "dimension: got 0"),
        (lambda: ball_points(3, 2, -1.0), r"radius: got -1\.0"),
        (lambda: norms(lambda size: torch.ones(size, 2), 0), "count: got 0; required at least 1"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
