"""The Voronoi classifier, and exact walks through its cells."""

import math

import numpy as np
import pytest
import torch
from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.normals import incidence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.kernels.voronoi import voronoi_logits
from neighborhoods.kernels.voronoi_walk import voronoi_exit
from torch import Generator, Tensor

from tests.reference_delaunay import exit_by_steps, nearest_label
from tests.tolerances import ABSOLUTE, RELATIVE

COUNTEREXAMPLE = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5]], dtype=torch.float64)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("n", [1, 2, 7])
def test_logits_are_those_of_the_nearest_site_of_each_class(n: int) -> None:
    sites, points, labels = normal(30, n), normal(50, n, seed=1), torch.arange(30) % 3
    logits = voronoi_logits(points, sites, labels, 3)
    for point, row in zip(points, logits, strict=True):
        squares = [float(((sites[labels == c] - point) ** 2).sum(1).min()) for c in range(3)]
        assert row.tolist() == pytest.approx([-s for s in squares], rel=1e-9, abs=1e-12)
        assert int(row.argmax()) == nearest_label(point.numpy(), sites.numpy(), labels.numpy())


def test_class_without_sites_is_never_chosen() -> None:
    logits = voronoi_logits(normal(5, 2), normal(4, 2, seed=1), torch.zeros(4, dtype=torch.int64), 2)
    assert (logits[:, 1] == -torch.inf).all()


def test_far_from_the_origin_nothing_is_lost() -> None:
    sites, points = normal(20, 3), normal(20, 3, seed=1)
    there = voronoi_logits(points + 1e6, sites + 1e6, torch.arange(20) % 2, 2)
    torch.testing.assert_close(
        there, voronoi_logits(points, sites, torch.arange(20) % 2, 2), rtol=1e-7, atol=1e-7
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": torch.full((1, 2), math.nan)}, "points: got 2 of 2 numbers that are NaN or infinite"),
        ({"sites": torch.full((3, 2), math.inf)}, "sites: got 6 of 6 numbers that are NaN or infinite"),
        ({"sites": torch.zeros(0, 2), "labels": torch.zeros(0, dtype=torch.int64)}, "sites: got shape"),
        ({"labels": torch.tensor([0, 1, 2])}, "labels: got 0 to 2; required 0 to 1"),
        ({"labels": torch.tensor([0, 1])}, "labels: got 2; required one for each of 3 sites"),
        ({"points": torch.zeros(1, 3)}, "points: got dimension 3; required 2"),
    ],
)
def test_wrong_input_of_the_classifier_is_named(change: dict[str, Tensor], message: str) -> None:
    good = {"points": torch.zeros(1, 2), "sites": torch.eye(3, 2), "labels": torch.tensor([0, 1, 1])}
    with pytest.raises(ValueError, match=message):
        voronoi_logits(**(good | change), classes=2)


def test_counterexample_to_section_30_1_leaves_through_the_third_cell() -> None:
    found = voronoi_exit(COUNTEREXAMPLE[:1], COUNTEREXAMPLE[1:2], COUNTEREXAMPLE, torch.arange(3))
    assert (int(found.near), int(found.far), int(found.cells)) == (0, 2, 1)
    assert float(found.angle) == pytest.approx(math.atan(1 / 4), rel=1e-12)
    assert float(found.fraction) == pytest.approx(4.25 / 16, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_exit_is_that_of_small_steps_and_of_bisection(n: int) -> None:
    sites, labels = normal(40, n), torch.arange(40) % 2
    start, end = normal(30, n, seed=1), normal(30, n, seed=2)
    found = voronoi_exit(start, end, sites, labels)
    for row in range(30):
        stepped = exit_by_steps(start[row].numpy(), end[row].numpy(), sites.numpy(), labels.numpy(), 2000)
        assert abs(stepped - float(found.fraction[row])) <= 1 / 2000 + 1e-9
    classify = lambda x: voronoi_logits(x, sites, labels, 2)  # noqa: E731
    left = found.status == int(Status.CONVERGED)
    assert left.sum() > 5
    points = start + found.fraction[:, None] * (end - start)
    logits = classify(points[left])
    torch.testing.assert_close(logits[:, 0], logits[:, 1], rtol=1e-9, atol=1e-9)
    before = labels_of(classify, start + (found.fraction - 1e-7)[:, None] * (end - start))
    assert torch.equal(before[left], labels[found.near][left])


def test_single_crossings_agree_with_bisection() -> None:
    sites = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0, 1])
    start, end = sites[:1], sites[2:]
    bisected = crossing(lambda x: voronoi_logits(x, sites, labels, 2), start, end, iterations=45)
    walked = voronoi_exit(start, end, sites, labels)
    assert float(walked.fraction) == pytest.approx(float(bisected.fraction), abs=1e-12)
    assert (float(walked.fraction), int(walked.cells), float(walked.angle)) == (0.75, 2, 0.0)


def test_companions_do_not_change_a_walk() -> None:
    sites, labels, start, end = (
        normal(50, 3),
        torch.arange(50) % 4,
        normal(9, 3, seed=1),
        normal(9, 3, seed=2),
    )
    whole = voronoi_exit(start, end, sites, labels)
    for rows in torch.arange(9).split(2):
        for one, other in zip(whole, voronoi_exit(start[rows], end[rows], sites, labels), strict=True):
            torch.testing.assert_close(
                one[rows], other, rtol=RELATIVE[torch.float64], atol=ABSOLUTE[torch.float64]
            )


def test_walks_that_find_no_boundary_say_so() -> None:
    constant = voronoi_exit(
        normal(5, 2), normal(5, 2, seed=1), normal(9, 2), torch.zeros(9, dtype=torch.int64)
    )
    assert (constant.status == int(Status.CENSORED)).all()
    assert (constant.fraction == 1).all()


def test_ties_are_undecided() -> None:
    square = torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    through_corner = voronoi_exit(square[:1], square[1:2], square, torch.arange(4))
    assert float(through_corner.fraction) == 0.5
    assert int(through_corner.status) == int(Status.UNDECIDED)
    on_boundary = voronoi_exit(
        torch.tensor([[0.5, 0.2]], dtype=torch.float64), square[:1], square, torch.arange(4)
    )
    assert int(on_boundary.status) == int(Status.UNDECIDED)


def test_coincident_sites_of_two_classes_are_undecided() -> None:
    sites = torch.tensor([[0.0], [2.0], [2.0], [9.0]], dtype=torch.float64)
    for labels in ([0, 0, 1, 0], [0, 1, 0, 0]):
        found = voronoi_exit(sites[:1], sites[3:], sites, torch.tensor(labels))
        assert int(found.status) == int(Status.UNDECIDED)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (torch.zeros(1, 2), torch.zeros(1, 2), "end: got 1 that are their starts"),
        (
            torch.full((1, 2), math.nan),
            torch.zeros(1, 2),
            "start: got 2 of 2 numbers that are NaN or infinite",
        ),
        (torch.zeros(1, 2), torch.zeros(2, 2), "start, end: got shapes"),
    ],
)
def test_wrong_segments_are_named(start: Tensor, end: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        voronoi_exit(start, end, torch.eye(2), torch.arange(2))


def test_bound_for_interior_cells_of_definition_30_3() -> None:
    """Definition 30.3: a segment from z to y meets the plane between x and y at most arcsin(...) askew."""
    x, y, z = normal(3, 20_000, 4)
    nearer = (z - x).norm(dim=1) < (y - x).norm(dim=1)
    x, y, z = x[nearer], y[nearer], z[nearer]
    bound = torch.asin((z - x).norm(dim=1) / (y - x).norm(dim=1))
    angle = incidence(y - z, y - x)
    assert (angle <= bound + 1e-12).all()
    assert float((angle / bound).max()) > 0.999
    turned = torch.tensor([[0.0, 1.0]], dtype=torch.float64)  # a right angle at z: the bound is attained
    x, y = torch.zeros(1, 2, dtype=torch.float64), torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    z = turned * math.sqrt(3) / 2 + torch.tensor([[0.5, 0.0]], dtype=torch.float64)
    assert float(incidence(y - z, y - x)) == pytest.approx(math.asin(0.5), rel=1e-12)


def test_dimension_30_4_of_a_circle_is_that_of_its_tangent() -> None:
    """Definition 30.4: directions to a circle span the plane; to near points, in the limit, a line."""
    ratios = []
    for radius in (2.0, 0.2, 0.02):
        half = 2 * math.asin(radius / 2)
        angles = torch.linspace(-half, half, 101, dtype=torch.float64)
        steps = torch.stack([angles.cos() - 1, angles.sin()], 1)
        values = torch.linalg.svdvals(steps)
        ratios.append(float(values[1] / values[0]))
    assert ratios[0] > 0.5
    assert np.log10(ratios[1] / ratios[2]) == pytest.approx(1, abs=0.05)
