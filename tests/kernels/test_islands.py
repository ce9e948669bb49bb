"""Classes with islands, where only the first crossing is the persistence."""

import math

import pytest
import torch
from neighborhoods.kernels.islands import island_stability, level_crossings
from neighborhoods.kernels.wedge_persistence import orthant_dip
from neighborhoods.kernels.wedges import orthant_stability
from torch import Tensor

ISLANDS = torch.tensor([[-40.0, -0.45], [-0.2, 0.2], [0.45, 40.0]], dtype=torch.float64)
GRID = torch.logspace(-3, 3, 400, dtype=torch.float64)


def islands(sigma: Tensor) -> Tensor:
    return island_stability(ISLANDS, sigma)


def test_islands_cross_the_level_where_stated() -> None:
    found = level_crossings(islands, 0.7, GRID)
    torch.testing.assert_close(found, torch.tensor([0.2043, 0.5581, 38.178]).double(), rtol=2.5e-4, atol=0)
    assert islands(found).tolist() == pytest.approx([0.7] * 3, abs=1e-13)


def test_bisection_from_a_large_bracket_returns_the_last_crossing() -> None:
    low, high = 0.1, 100.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if float(islands(torch.tensor(middle))) >= 0.7 else (low, middle)
    found = level_crossings(islands, 0.7, GRID)
    assert low == pytest.approx(float(found[-1]))
    assert float(found[0]) < 0.01 * low


def test_islands_agree_with_sampling(generator: torch.Generator) -> None:
    """Three comparisons within 4 standard errors: level 1.9e-4 in all."""
    sigmas = torch.tensor([0.2, 0.6, 30.0], dtype=torch.float64)
    cloud = torch.randn(200_000, 1, generator=generator, dtype=torch.float64) * sigmas + 0.05
    size = cloud.abs()
    hits = ((size <= 0.2) | ((size >= 0.45) & (size <= 40))).double().mean(0)
    truth = island_stability(ISLANDS, sigmas, point=0.05)
    assert bool(((hits - truth).abs() <= 4 * (truth * (1 - truth) / len(cloud)).sqrt()).all())


def test_half_line_is_the_half_space() -> None:
    half_line = torch.tensor([[-1.0, math.inf]])
    torch.testing.assert_close(
        island_stability(half_line, GRID), orthant_stability(torch.ones(400, 1), GRID), rtol=0, atol=1e-15
    )


@pytest.mark.parametrize("ratio", [3.0, 5.0, 10.0])
def test_crossings_outside_a_quadrant_are_the_ends_of_its_dip(ratio: float) -> None:
    point = torch.tensor([-1.0, ratio], dtype=torch.float64)
    found = level_crossings(lambda s: orthant_stability(point, s, outside=True), 0.7, GRID)
    torch.testing.assert_close(found, torch.stack(orthant_dip(point, 0.7)), rtol=1e-10, atol=0)


def test_a_stable_curve_has_no_crossing() -> None:
    assert len(level_crossings(torch.ones_like, 0.7, GRID)) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: island_stability(torch.tensor([[1.0, 0.0]]), 1.0), "edges: got .*; required disjoint"),
        (lambda: island_stability(torch.tensor([[0.0, 2.0], [1.0, 3.0]]), 1.0), "edges: got"),
        (lambda: island_stability(ISLANDS, 0.0), r"sigma: got 0\.0; required greater than 0"),
        (lambda: level_crossings(islands, 1.5, GRID), r"gamma: got 1\.5"),
        (lambda: level_crossings(islands, 0.7, GRID.flip(0)), "sigmas: got .*; required at least two"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
