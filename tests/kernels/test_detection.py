"""Areas under the curve on known cases, and the coverage of their intervals."""

import math

import numpy as np
import pytest
from neighborhoods.kernels.detection import separation
from scipy import stats
from tolerances import COVERAGE_LEVEL


def test_pairs_are_counted_and_ties_count_half() -> None:
    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 6, 30), rng.integers(0, 5, 40)
    wins = [(p > q) + 0.5 * (p == q) for p in positive for q in negative]
    assert separation(positive, negative).area == pytest.approx(np.mean(wins))


def test_swapping_the_groups_reflects_the_interval() -> None:
    rng = np.random.default_rng(1)
    positive, negative = rng.normal(1, 1, 25), rng.normal(0, 1, 60)
    one, other = separation(positive, negative), separation(negative, positive)
    assert (other.area, other.low, other.high) == pytest.approx((1 - one.area, 1 - one.high, 1 - one.low))


def test_perfect_separation_has_an_interval_that_is_not_a_point() -> None:
    found = separation([5.0, 6.0, 7.0], [1.0, 2.0])
    assert (found.area, found.high) == (1.0, 1.0)
    assert 0 < found.low < 1


@pytest.mark.parametrize("shift", [0.0, 0.7, 2.0, 3.0])
def test_intervals_cover_the_area_of_two_normals(shift: float) -> None:
    """Fails with probability below COVERAGE_LEVEL if the coverage is 95 % at least."""
    rng, truth, trials = np.random.default_rng(2), stats.norm.cdf(shift / math.sqrt(2)), 400
    found = [separation(rng.normal(shift, 1, 40), rng.normal(0, 1, 60)) for _ in range(trials)]
    covered = sum(one.low <= truth <= one.high for one in found)
    assert stats.binom.cdf(covered, trials, 0.95) > COVERAGE_LEVEL


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([1.0], [math.nan])])
def test_what_cannot_be_compared_is_refused(positive: list[float], negative: list[float]) -> None:
    with pytest.raises(ValueError, match=r"required (some, none of them NaN|a number)"):
        separation(positive, negative)
