"""Argmax as a set: its radius in three norms, its nearest tie, and the theorem on the three boundaries."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.argmax import classes_nearby, gap, nearest_tie, steady_radius, winners
from torch import Tensor

outputs = st.lists(st.integers(-8, 8), min_size=2, max_size=6).map(lambda y: torch.tensor(y).double() / 4)
ORDERS = [1, 2, math.inf]


@given(outputs, st.sampled_from(ORDERS), st.integers(0, 10_000))
def test_no_class_joins_the_winners_within_the_radius(y: Tensor, order: float, seed: int) -> None:
    """The argmax is upper hemicontinuous, with this radius: 40 random moves shorter than it."""
    radius = steady_radius(y, order)
    moves = torch.randn(40, len(y), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    moves = moves / torch.linalg.vector_norm(moves, order, dim=1, keepdim=True)
    near = y + 0.999 * radius.clamp(max=9) * moves
    assert not bool((winners(near) & ~winners(y)).any())


@given(outputs, st.sampled_from(ORDERS))
def test_the_radius_is_the_largest(y: Tensor, order: float) -> None:
    """Winner down and best other up, as the norm allows, make a tie at the radius: exactly at p = 1 and ∞."""
    won = winners(y)
    if int(won.sum()) != 1:
        return
    second = torch.where(won, -math.inf, y).argmax()
    half = gap(y) / 2
    move = torch.zeros_like(y)
    move[y.argmax()], move[second] = -half, half
    if order == 1:
        move[y.argmax()], move[second] = 0, 2 * half
    assert float(torch.linalg.vector_norm(move, order)) == pytest.approx(float(steady_radius(y, order)))
    assert bool(winners(y + move)[second])


@given(outputs)
def test_nearest_tie_is_a_tie_at_the_radius(y: Tensor) -> None:
    tie = nearest_tie(y)
    assert int(winners(tie).sum()) >= 2
    assert float(tie.sum()) == pytest.approx(float(y.sum()))
    expected = float(steady_radius(y)) if int(winners(y).sum()) == 1 else 0.0
    assert float((tie - y).norm()) == pytest.approx(expected)


def test_argmax_is_not_lower_hemicontinuous() -> None:
    tie, near = torch.zeros(2), torch.tensor([1e-30, 0.0])
    assert winners(tie).tolist() == [True, True]
    assert winners(near).tolist() == [True, False]


@pytest.mark.parametrize("classes", [2, 3, 4, 6])
def test_two_way_ties_of_the_simplex_have_a_piece_for_each_pair(
    classes: int, generator: torch.Generator
) -> None:
    points = torch.rand(4000, classes, generator=generator, dtype=torch.float64)
    ties = nearest_tie(points / points.sum(1, keepdim=True))
    pairs = {tuple(row.nonzero().flatten().tolist()) for row in winners(ties)}
    assert len(pairs) == math.comb(classes, 2)
    assert {len(pair) for pair in pairs} == {2}
    for pair in pairs:  # a piece is convex: mixtures of its points tie in the same pair
        mine = ties[[tuple(row.nonzero().flatten().tolist()) == pair for row in winners(ties)]]
        assert bool((winners((mine + mine.flip(0)) / 2)[:, list(pair)]).all())


def smooth_outputs(generator: torch.Generator, classes: int):
    first = torch.randn(2, 8, generator=generator, dtype=torch.float64)
    second = torch.randn(8, classes, generator=generator, dtype=torch.float64)
    return lambda x: torch.tanh(x @ first) @ second


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_class_changes_are_ties_of_continuous_outputs(classes: int, generator: torch.Generator) -> None:
    """Theorem, part 1: where the class of a continuous classifier changes, two largest outputs agree."""
    outputs_of = smooth_outputs(generator, classes)
    start, end = torch.randn(2, 400, 2, generator=generator, dtype=torch.float64).unbind()
    first, last = outputs_of(start).argmax(1), outputs_of(end).argmax(1)
    start, end, first = start[first != last], end[first != last], first[first != last]
    assert len(start) > 50
    for _ in range(60):
        middle = (start + end) / 2
        same = (outputs_of(middle).argmax(1) == first)[:, None]
        start, end = torch.where(same, middle, start), torch.where(same, end, middle)
    top = outputs_of(end).topk(2, 1).values
    assert float((top[:, 0] - top[:, 1]).max()) < 1e-13


@pytest.mark.parametrize("tied", [2, 3, 4])
def test_ties_with_different_gradients_are_limits_of_two_classes(
    tied: int, generator: torch.Generator
) -> None:
    """Theorem, part 2: along a direction in which the slopes differ, the two sides have other classes."""
    for _ in range(50):
        gradients = torch.randn(tied, 2, generator=generator, dtype=torch.float64)
        curvatures = 5 * torch.randn(tied, generator=generator, dtype=torch.float64)
        direction = gradients[0] - gradients[1]
        for t in (1e-6, 1e-9):
            sides = torch.stack([t * direction, -t * direction])
            values = sides @ gradients.T + curvatures * (sides**2).sum(1, keepdim=True)
            one, other = values.argmax(1).tolist()
            assert one != other


@pytest.mark.parametrize(
    ("slope", "classes"),
    [(lambda x: x.clamp(min=0.3) - 0.3 + x.clamp(max=-0.3) + 0.3, 2), (lambda x: x**2, 1)],
)
def test_ties_with_equal_gradients_need_not_be(slope, classes: int) -> None:
    """A plateau and a touching tie: at the origin both outputs agree and their difference has no slope."""
    x = torch.arange(-100, 101) / 100.0
    values = torch.stack([slope(x) / 2, -slope(x) / 2], 1)
    labels = values.argmax(1)
    assert winners(values)[100].tolist() == [True, True]
    assert int(classes_nearby(labels, 3)[100]) == 1
    assert len(labels.unique()) == classes


def test_classes_nearby_counts_by_brute_force(generator: torch.Generator) -> None:
    labels = torch.randint(0, 4, (9, 11), generator=generator)
    for radius in (0, 1, 2):
        for i, j in ((0, 0), (4, 5), (8, 10), (3, 0)):
            block = labels[max(i - radius, 0) : i + radius + 1, max(j - radius, 0) : j + radius + 1]
            assert int(classes_nearby(labels, radius)[i, j]) == len(block.unique())
            row = labels[i, max(j - radius, 0) : j + radius + 1]
            assert int(classes_nearby(labels[i], radius)[j]) == len(row.unique())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: winners(torch.tensor([1.0, math.nan])),
            "outputs: got 1 of 2 numbers that are NaN or infinite",
        ),
        (lambda: gap(torch.tensor([math.inf, 0.0])), "outputs: got 1 of 2 numbers that are NaN or infinite"),
        (lambda: nearest_tie(torch.ones(1)), "outputs: got 1 classes; required at least 2"),
        (lambda: steady_radius(torch.ones(2), 0.5), r"order: got 0\.5; required 1 or more"),
        (lambda: classes_nearby(torch.tensor([0, 1]), -1), "radius: got -1"),
        (lambda: classes_nearby(torch.tensor([0, -1]), 1), "labels from -1"),
    ],
)
def test_wrong_arguments_are_named(call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
