"""Crossings of segments against flat and round boundaries and a bisection of one segment at a time."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.boundaries import along, crossing, overshoot
from neighborhoods.kernels.statistics import Classifier, Status, labels_of
from reference import crossing_of_one
from torch import Tensor


def half_space(x: Tensor) -> Tensor:
    return (x.flatten(1)[:, 0] > 0.3).long()


def disc(x: Tensor) -> Tensor:
    return (x.norm(dim=1) < 1).long()


def stripes(x: Tensor) -> Tensor:
    """Classes 0, 1, 2, 1 from left to right, changing at 0.2, 0.5 and 0.7."""
    place = torch.bucketize(x[:, 0].contiguous(), torch.tensor([0.2, 0.5, 0.7], dtype=x.dtype))
    return torch.tensor([0, 1, 2, 1])[place]


@given(st.floats(-5, 0.29), st.floats(0.31, 5), st.floats(-3, 3))
def test_crossing_of_a_half_space_is_exact(left: float, right: float, height: float) -> None:
    start = torch.tensor([[left, 0.0]], dtype=torch.float64)
    end = torch.tensor([[right, height]], dtype=torch.float64)
    found = crossing(half_space, start, end, iterations=50)
    truth = (0.3 - left) / (right - left)
    assert abs(float(found.fraction) - truth) <= float(found.width) / 2 + 1e-14
    assert float(found.width) == 2.0**-50
    beyond = overshoot(half_space, start, end, iterations=12)
    distance = (1 - truth) * math.hypot(right - left, height)
    assert float(beyond.low) <= distance <= float(beyond.high)
    assert float(beyond.low) <= float(beyond.distance) <= float(beyond.high)
    assert float(beyond.high - beyond.low) == pytest.approx(2.0**-12 * math.hypot(right - left, height))


def test_overshoot_of_a_disc(generator: torch.Generator) -> None:
    direction = torch.nn.functional.normalize(torch.randn(50, 6, generator=generator, dtype=torch.float64))
    natural, adversarial = 3 * direction, 0.6 * direction
    found = overshoot(disc, natural, adversarial, iterations=45)
    torch.testing.assert_close(
        found.distance, torch.full((50,), 0.4, dtype=torch.float64), rtol=1e-12, atol=0
    )


def test_lockstep_agrees_with_one_segment_at_a_time(generator: torch.Generator) -> None:
    weights = torch.randn(5, 4, generator=generator, dtype=torch.float64)
    start, end = torch.randn(2, 40, 5, generator=generator, dtype=torch.float64)
    found = crossing(lambda x: x @ weights, start, end)
    chosen = (found.status == Status.CONVERGED).nonzero()[:, 0].tolist()
    assert 20 < len(chosen) < 40
    for row in chosen:
        one = crossing_of_one(lambda x: int((x @ weights).argmax()), start[row], end[row], 30)
        assert float(found.fraction[row]) == pytest.approx(one, abs=1e-15)


def test_bisection_ignores_classes_other_than_that_of_the_end() -> None:
    start, end = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([[0.6, 1.0]], dtype=torch.float64)
    found = crossing(stripes, start, end, iterations=40)
    assert float(found.fraction) * 0.6 == pytest.approx(0.5)


def test_a_class_entered_twice_gives_one_of_its_entries() -> None:
    start, end = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    found = crossing(stripes, start, end, iterations=40)
    assert min(abs(float(found.points[0, 0]) - entry) for entry in (0.2, 0.7)) < 1e-11
    sides = torch.cat([along(found, start, end, d) for d in (-1e-9, 1e-9)])
    before, after = labels_of(stripes, sides).tolist()
    assert before != 1
    assert after == 1


def test_segments_within_one_class_fail_as_rows() -> None:
    start = torch.tensor([[0.0, 0.0], [0.5, 0.0], [1.0, 1.0]])
    end = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    found = crossing(half_space, start, end)
    assert found.status.tolist() == [Status.CONVERGED, Status.FAILED, Status.FAILED]
    assert found.fraction[1:].tolist() == [1, 1]
    assert torch.equal(found.points[1:], end[1:])
    beyond = overshoot(half_space, start, end)
    assert beyond.status.tolist() == found.status.tolist()
    assert torch.stack(beyond[:3])[:, 1:].tolist() == [[0, 0]] * 3
    with pytest.raises(ValueError, match="found: got 2 segments without a crossing; required all CONVERGED"):
        along(found, start, end, 0.1)


@given(st.floats(1e-6, 2))
def test_matched_points_lie_equally_deep_on_both_sides(distance: float) -> None:
    start = torch.zeros(2, 1, 2, 2, dtype=torch.float64)
    end = torch.ones(2, 1, 2, 2, dtype=torch.float64)
    found = crossing(half_space, start, end, iterations=45)
    each = torch.tensor([distance, 2 * distance], dtype=torch.float64)
    above, below = along(found, start, end, each), along(found, start, end, -each)
    assert labels_of(half_space, above).tolist() == [1, 1]
    assert labels_of(half_space, below).tolist() == [0, 0]
    for points, sign in ((above, 1), (below, -1)):
        torch.testing.assert_close(points.flatten(1)[:, 0] - 0.3, sign * each / 2, rtol=1e-6, atol=1e-12)
        torch.testing.assert_close((points - found.points).flatten(1).norm(dim=1), each)


def test_reversed_segments_cross_at_the_same_place() -> None:
    start, end = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    there, back = crossing(half_space, start, end), crossing(half_space, end, start)
    torch.testing.assert_close(there.points, back.points, rtol=1e-8, atol=0)


def test_width_stops_at_the_resolution_of_the_dtype() -> None:
    found = crossing(half_space, torch.zeros(1, 2), torch.ones(1, 2), iterations=100)
    assert found.fraction.dtype == torch.float32
    assert 0 < float(found.width) <= torch.finfo(torch.float32).eps
    assert float(found.fraction) == pytest.approx(0.3, abs=1e-7)


def test_companions_do_not_change_a_segment(generator: torch.Generator) -> None:
    start = 3 + torch.rand(9, 2, generator=generator, dtype=torch.float64)
    end = 0.5 * torch.rand(9, 2, generator=generator, dtype=torch.float64)
    whole = crossing(disc, start, end)
    for rows in torch.arange(9).split(2):
        for one, other in zip(whole, crossing(disc, start[rows], end[rows]), strict=True):
            assert torch.equal(one[rows], other)


def test_wrong_arguments_are_named() -> None:
    points = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="iterations: got 0; required at least 1"):
        crossing(half_space, points, points, iterations=0)


@pytest.mark.parametrize("classifier", [half_space, lambda x: torch.stack([x[:, 0], 1 - x[:, 0]], 1)])
def test_no_segments_have_no_crossings(classifier: Classifier) -> None:
    empty = torch.zeros(0, 2)
    assert (
        len(crossing(classifier, empty, empty).fraction) == len(overshoot(classifier, empty, empty).low) == 0
    )
