"""Labels, exact intervals and ranks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.statistics import (
    Status,
    clopper_pearson,
    labels_of,
    order_statistic_ranks,
)
from scipy import stats
from torch import Tensor

from tests.reference import clopper_pearson_by_search


def test_labels_come_from_logits_or_labels() -> None:
    points = torch.tensor([[0.0, 1.0], [2.0, 1.0]])
    assert labels_of(lambda x: x, points).tolist() == [1, 0]
    assert labels_of(lambda x: x.argmax(1).int(), points).tolist() == [1, 0]


@pytest.mark.parametrize("answer", [torch.zeros(2), torch.zeros(3, 2), torch.zeros(2, 2).long()])
def test_other_answers_of_a_classifier_are_refused(answer: Tensor) -> None:
    with pytest.raises(ValueError, match=r"classifier: got .*required floating logits"):
        labels_of(lambda x: answer, torch.zeros(2, 2))


def test_status_codes_are_fixed() -> None:
    assert [s.value for s in (Status.CONVERGED, Status.CENSORED, Status.UNDECIDED, Status.FAILED)] == [
        0,
        1,
        2,
        3,
    ]


@given(st.integers(1, 40), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_clopper_pearson_solves_the_binomial_tails(
    trials: int, data: st.DataObject, confidence: float
) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(successes, trials, confidence)
    expected = clopper_pearson_by_search(successes, trials, confidence)
    assert (float(low), float(high)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("trials", "p"), [(5, 0.3), (40, 0.7), (200, 0.05)])
def test_clopper_pearson_covers_exactly(trials: int, p: float) -> None:
    low, high = clopper_pearson(np.arange(trials + 1), trials, 0.9)
    covered = stats.binom.pmf(np.arange(trials + 1), trials, p)[(low <= p) & (p <= high)].sum()
    assert covered >= 0.9


@given(st.integers(1, 300), st.floats(0.02, 0.98), st.sampled_from([0.5, 0.9, 0.99]))
def test_ranks_cover_and_are_the_tightest(trials: int, p: float, confidence: float) -> None:
    lower, upper = order_statistic_ranks(trials, p, confidence)
    tail, below = (1 - confidence) / 2, stats.binom(trials, p).cdf
    assert 0 <= lower < upper <= trials + 1
    assert below(lower - 1) <= tail < below(lower)
    assert below(upper - 1) >= 1 - tail > below(upper - 2)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.1, float("nan")])
def test_confidence_outside_its_range_is_named(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence: got"):
        clopper_pearson(1, 2, confidence)
    with pytest.raises(ValueError, match="confidence: got"):
        order_statistic_ranks(2, 0.5, confidence)


def test_impossible_counts_are_named() -> None:
    with pytest.raises(ValueError, match="successes: got 3 of trials 2"):
        clopper_pearson(3, 2)
    with pytest.raises(ValueError, match="trials: got 0"):
        order_statistic_ranks(0, 0.5)
