"""Lines through wedges against a fine walk along them, and the two lines of Definition 30.9."""

import math

import pytest
import torch
from neighborhoods.kernels.wedge_crossings import Line, centreline, line_crossing, parallel_line
from neighborhoods.kernels.wedges import contains, facet_distances
from torch import Tensor


def lean(*degrees: float) -> Tensor:
    return torch.tensor(degrees, dtype=torch.float64).deg2rad()


def at(line: Line, t: float) -> Tensor:
    return line.start + t * line.direction


@pytest.mark.parametrize("degrees", [(), (0, 0), (40, 25), (-30, 60, 10)])
def test_centreline_enters_at_the_apex_through_all_facets(degrees: tuple[float, ...]) -> None:
    angles = lean(*degrees)
    found = line_crossing(*centreline(angles, len(degrees) + 3), angles)
    assert (float(found.enter), float(found.leave)) == (0, math.inf)
    assert bool(found.entered.all())
    assert not bool(found.left.any())
    distances = facet_distances(at(centreline(angles), 2.5), angles)
    torch.testing.assert_close(distances, torch.full_like(distances, 2.5))


def test_parallel_line_leaves_through_the_facet_that_leans_most() -> None:
    angles = lean(20, 50)
    found = line_crossing(*parallel_line(0.6, angles), angles)
    assert float(found.enter) == 0
    assert float(found.leave) == pytest.approx(0.6 / math.tan(math.radians(50)))
    assert found.entered.tolist() == [True, False, False]
    assert found.left.tolist() == [False, False, True]


def test_parallel_line_of_an_orthant_never_leaves() -> None:
    found = line_crossing(*parallel_line(0.6, lean(0, 0)), lean(0, 0))
    assert (float(found.enter), float(found.leave)) == (0, math.inf)


def test_line_below_an_orthant_misses_it() -> None:
    found = line_crossing(*parallel_line(-0.1, lean(0, 0)), lean(0, 0))
    assert not bool(found.meets)
    assert float(found.enter) > float(found.leave)
    assert not bool(found.entered.any() | found.left.any())


def test_line_below_enters_through_facets_that_lean_outwards() -> None:
    found = line_crossing(*parallel_line(-1.0, lean(-45)), lean(-45))
    assert float(found.enter) == pytest.approx(1)
    assert found.entered.tolist() == [False, True]


def test_line_in_a_facet_meets_the_closed_wedge() -> None:
    found = line_crossing(torch.zeros(2).double(), torch.tensor([0.0, 1.0]).double(), lean(0))
    assert bool(found.meets)
    assert (float(found.enter), float(found.leave)) == (0, math.inf)


def test_centreline_meets_all_facets_from_wherever_it_starts() -> None:
    angles = lean(70, -50, 15)
    start, along = centreline(angles)
    found = line_crossing(start - 0.37 * along, along, angles)
    assert float(found.enter) == pytest.approx(0.37)
    assert bool(found.entered.all())
    nearly = line_crossing(start - 0.37 * along + 1e-9 * torch.eye(4).double()[2], along, angles)
    assert nearly.entered.tolist() == [True, True, False, True]


def test_crossings_agree_with_a_walk(generator: torch.Generator) -> None:
    """Membership at 4001 places of each line lies in the interval and changes at its ends."""
    angles, places = lean(40, -20, 60), torch.linspace(-8, 8, 4001, dtype=torch.float64)
    starts, directions = torch.randn(2, 300, 6, generator=generator, dtype=torch.float64).unbind()
    found = line_crossing(starts, directions, angles)
    walk = contains(starts[:, None] + places[:, None] * directions[:, None], angles)
    inside = (places > found.enter[:, None]) & (places < found.leave[:, None])
    assert torch.equal(walk, inside)
    assert 20 < int(found.meets.sum()) < 280
    for end, facets in ((found.enter, found.entered), (found.leave, found.left)):
        finite = found.meets & end.isfinite()
        points = starts[finite] + end[finite, None] * directions[finite]
        assert float(facet_distances(points, angles)[facets[finite]].abs().max()) < 1e-12
        assert bool((facets[finite].sum(-1) == 1).all())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parallel_line(math.nan, torch.zeros(1)), "height: got nan; required a finite number"),
        (lambda: parallel_line(0.0, torch.zeros(2), 2), "dimension: got 2; required at least 3"),
        (lambda: line_crossing(torch.ones(3), torch.tensor([0.0, 0, 1]), torch.zeros(1)), "moves along no"),
        (lambda: line_crossing(torch.ones(2), torch.tensor([math.nan, 1]), torch.zeros(1)), "NaN"),
        (lambda: line_crossing(torch.ones(1), torch.ones(1), torch.zeros(1)), "points: got 1 coordinates"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
