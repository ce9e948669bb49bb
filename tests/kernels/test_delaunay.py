"""Delaunay adjacency, weights and boundaries, and Gabriel pairs, against SciPy, definitions and theorems."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels import delaunay_adjacency
from neighborhoods.kernels.delaunay import triangulate
from neighborhoods.kernels.delaunay_adjacency import adjacency
from neighborhoods.kernels.delaunay_weights import barycentric, boundary_segments, delaunay_weights
from neighborhoods.kernels.gabriel import gabriel
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.voronoi_walk import voronoi_exit
from torch import Generator, Tensor

from tests.reference_delaunay import best_slack, delaunay_edges, is_gabriel, weights_by_scipy
from tests.tolerances import ERRORS

SQUARE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


def every_pair(count: int) -> Tensor:
    return torch.combinations(torch.arange(count), 2)


# ---- triangulation ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_edges_are_those_of_scipy(n: int) -> None:
    sites = normal(40, n)
    found = triangulate(sites)
    assert {tuple(pair) for pair in found.edges.tolist()} == delaunay_edges(sites.numpy())
    assert not found.tied.any()


def test_ties_are_found_and_only_they() -> None:
    sites = torch.cat([SQUARE, torch.tensor([[4.0, 0.3], [5.0, 2.0]], dtype=torch.float64)])
    found = triangulate(sites)
    square = (found.simplices < 4).all(1)
    assert square.sum() == 2
    assert torch.equal(found.tied, square)
    assert triangulate(torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).double()).tied.all()


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        (torch.cat([normal(5, 2), normal(5, 2)]), "sites: got 5 that coincide with others"),
        (torch.arange(6.0)[:, None].expand(-1, 2), "sites: got points in a hyperplane"),
        (torch.full((6, 2), math.nan), "sites: got 12 of 12 numbers that are NaN or infinite"),
        (normal(9, 6), "sites: got dimension 6; required 2 to 5"),
        (normal(3, 2), r"sites: got shape \(3, 2\); required at least 4"),
    ],
)
def test_sites_without_a_triangulation_are_refused(sites: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        triangulate(sites)


# ---- Gabriel pairs ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 5, 30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gabriel_pairs_are_those_of_the_definition(n: int, dtype: torch.dtype) -> None:
    sites, pairs = normal(25, n), every_pair(25)
    found = gabriel(sites.to(dtype), pairs)
    expected = [is_gabriel(sites.numpy(), i, j) for i, j in pairs.tolist()]
    sure = found.status == int(Status.CONVERGED)
    assert sure.float().mean() > 0.98
    assert torch.equal(found.empty[sure], torch.tensor(expected)[sure])
    assert 0 < sum(expected) < len(expected) or n == 30


@given(st.floats(0.01, 100), st.integers(0, 999))
@settings(max_examples=25)
def test_gabriel_survives_motions_and_scaling(scale: float, seed: int) -> None:
    sites, pairs = normal(15, 3), every_pair(15)
    turn = torch.linalg.qr(normal(3, 3, seed=seed)).Q
    moved = gabriel(scale * sites @ turn + 7 * normal(1, 3, seed=seed + 1), pairs)
    found = gabriel(sites, pairs)
    assert torch.equal(moved.empty, found.empty)
    torch.testing.assert_close(moved.slack, found.slack, rtol=1e-6, atol=1e-8)


def test_gabriel_does_not_depend_on_companions() -> None:
    sites, pairs = normal(30, 6), every_pair(30)
    whole = gabriel(sites, pairs)
    parts = torch.cat([gabriel(sites, part).slack for part in pairs.split(7)])
    torch.testing.assert_close(whole.slack, parts, rtol=1e-10, atol=1e-12)


def test_ties_and_coincident_pairs_have_a_status() -> None:
    found = gabriel(torch.cat([SQUARE, SQUARE[:1]]), torch.tensor([[0, 3], [0, 1], [0, 4], [1, 2]]))
    statuses = [Status(code).name for code in found.status.tolist()]
    assert statuses == ["UNDECIDED", "UNDECIDED", "FAILED", "UNDECIDED"]
    assert not found.empty.any()
    collinear = gabriel(torch.arange(4.0)[:, None].expand(-1, 2), every_pair(4))
    assert collinear.empty.tolist() == [True, False, False, True, False, True]


@pytest.mark.parametrize("kernel", [gabriel, adjacency])
@pytest.mark.parametrize(
    ("sites", "pairs", "message"),
    [
        (normal(2, 2), [[0, 1]], r"sites: got shape \(2, 2\); required at least 3"),
        (normal(4, 2), [[0, 0]], "pairs: got 1 that name one site twice"),
        (normal(4, 2), [[0, 4]], "pairs: got indices 0 to 4; required 0 to 3"),
        (torch.full((4, 2), math.nan), [[0, 1]], "sites: got 8 of 8 numbers that are NaN or infinite"),
    ],
)
def test_wrong_pairs_are_named(kernel: object, sites: Tensor, pairs: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kernel(sites, torch.tensor(pairs))  # type: ignore[operator]


@pytest.mark.parametrize("n", [2, 3])
def test_gabriel_degree_of_uniform_points_is_a_power_of_two(n: int) -> None:
    """A pair at distance r is empty with probability exp(-V (r/2)^n): integrated over r, 2^n neighbours."""
    degrees = []
    for seed in range(30):
        sites = torch.rand(400, n, generator=Generator().manual_seed(seed), dtype=torch.float64)
        core = ((sites - 0.5).abs() < 0.22).all(1).nonzero().squeeze(1)
        pairs = torch.cartesian_prod(core, torch.arange(400))
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        degrees.append(int(gabriel(sites, pairs).empty.sum()) / len(core))
    mean, error = np.mean(degrees), np.std(degrees, ddof=1) / math.sqrt(len(degrees))
    assert abs(mean - 2**n) < ERRORS * error
    assert error < 0.1 * n


@pytest.mark.parametrize("n", [2, 3, 4])
def test_gabriel_criterion_of_section_30_1(n: int) -> None:
    """Section 30.1: a segment crosses the facet of its pair, at a right angle, just if Gabriel."""
    sites = normal(40, n)
    edges = triangulate(sites).edges
    found = voronoi_exit(sites[edges[:, 0]], sites[edges[:, 1]], sites, torch.arange(40))
    own = found.far == edges[:, 1]
    empty = gabriel(sites, edges).empty
    assert torch.equal(own, empty)
    assert 0 < empty.sum() < len(empty)
    torch.testing.assert_close(
        found.fraction[own], torch.full_like(found.fraction[own], 0.5), rtol=0, atol=1e-9
    )
    assert float(found.angle[own].max()) < 1e-12
    assert float(found.angle[~own].min()) > 1e-6


@pytest.mark.parametrize("n", [2, 10, 100])
def test_mutual_nearest_unlike_pairs_of_section_30_1_are_gabriel(n: int) -> None:
    """Section 30.1: two sites that are each other's nearest of another class form a Gabriel pair."""
    sites, labels = normal(300, n), torch.arange(300) % 3
    apart = torch.cdist(sites, sites)
    apart[labels[:, None] == labels] = torch.inf
    nearest = apart.argmin(1)
    mutual = (nearest[nearest] == torch.arange(300)).nonzero().squeeze(1)
    assert len(mutual) > 10
    assert gabriel(sites, torch.stack([mutual, nearest[mutual]], 1)).empty.all()


# ---- adjacency by linear programmes ----------------------------------------------------------------------
@pytest.mark.parametrize(("n", "count"), [(2, 40), (3, 30), (4, 25), (5, 22)])
def test_adjacency_is_that_of_scipy(n: int, count: int) -> None:
    sites, pairs = normal(count, n), every_pair(count)
    found = adjacency(sites, pairs)
    edges = delaunay_edges(sites.numpy())
    assert (found.status == int(Status.CONVERGED)).all()
    assert found.adjacent.tolist() == [tuple(pair) in edges for pair in pairs.tolist()]
    assert 0 < found.adjacent.sum() < len(pairs)


def test_certificates_hold_in_high_dimension() -> None:
    sites = normal(120, 8)
    pairs = every_pair(120)[::97]
    found = adjacency(sites, pairs)
    for (i, j), *row in zip(pairs.tolist(), found.adjacent, found.low, found.high, found.centre, strict=True):
        adjacent, low, high, centre = row
        radii = ((sites - centre) ** 2).sum(1)
        unit = ((sites[i] - sites[j]) ** 2).sum() / 4
        assert float(abs(radii[i] - radii[j]) / unit) < 1e-9
        others = np.delete(radii.numpy(), [i, j])
        assert min(1.0, float((others.min() - radii[i]) / unit)) == pytest.approx(float(low), abs=1e-8)
        best = best_slack(sites.numpy(), i, j)
        assert float(low) - 1e-6 <= best <= float(high) + 1e-6
        assert bool(adjacent) == (best > 0)
    assert found.adjacent.any() and not found.adjacent.all()


def test_rows_are_added_until_the_sign_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    original = delaunay_adjacency._programme

    def counted(others: np.ndarray, square: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, float]:
        sizes.append(len(others))
        return original(others, square, axis)

    monkeypatch.setattr(delaunay_adjacency, "_programme", counted)
    sites = normal(800, 3)
    adjacency(sites, every_pair(800)[::9000])
    assert max(sizes) < 80


def test_every_pair_of_neighbours_on_a_line_is_adjacent() -> None:
    found = adjacency(torch.arange(5.0)[:, None], every_pair(5))
    assert found.adjacent.tolist() == [j - i == 1 for i, j in every_pair(5).tolist()]
    collinear = adjacency(torch.arange(5.0)[:, None].expand(-1, 3), every_pair(5))
    assert torch.equal(collinear.adjacent, found.adjacent)


def test_cospherical_and_coincident_pairs_have_a_status() -> None:
    found = adjacency(torch.cat([SQUARE, SQUARE[:1]]), torch.tensor([[1, 2], [0, 4]]))
    assert [Status(code).name for code in found.status.tolist()] == ["UNDECIDED", "FAILED"]
    assert not found.adjacent.any()
    sides = adjacency(SQUARE, torch.tensor([[0, 1], [1, 3]]))
    assert sides.adjacent.all()


# ---- weights ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_weights_of_definition_30_5_are_those_of_scipy(n: int) -> None:
    sites, labels = normal(40, n), torch.arange(40) % 3
    shares = torch.rand(200, 40, generator=Generator().manual_seed(5), dtype=torch.float64) ** 4
    points = shares / shares.sum(1, keepdim=True) @ sites  # inside the hull
    found = delaunay_weights(points, triangulate(sites), labels, 3)
    assert (found.status == int(Status.CONVERGED)).all()
    expected = weights_by_scipy(points.numpy(), sites.numpy(), labels.numpy(), 3)
    np.testing.assert_allclose(found.weights.numpy(), expected, rtol=1e-9, atol=1e-11)
    assert float((found.weights.sum(1) - 1).abs().max()) < 1e-12


def test_coordinates_give_the_point_back() -> None:
    corners, points = normal(50, 5, 4), normal(50, 4, seed=1)
    parts = barycentric(points, corners)
    torch.testing.assert_close((parts[..., None] * corners).sum(1), points, rtol=1e-8, atol=1e-8)


def test_weights_of_vertices_and_outside() -> None:
    sites, labels = normal(20, 2), torch.arange(20) % 2
    found = delaunay_weights(
        torch.cat([0.999 * sites + 0.001 * sites.mean(0), 99 + sites]), triangulate(sites), labels, 2
    )
    assert torch.equal(found.weights[:20].argmax(1), labels)
    assert (found.status[20:] == int(Status.CENSORED)).all()
    assert (found.weights[20:] == 0).all()


def test_weights_where_the_triangulation_is_arbitrary_are_undecided() -> None:
    found = delaunay_weights(
        torch.tensor([[0.4, 0.3]], dtype=torch.float64), triangulate(SQUARE), torch.tensor([0, 1, 1, 0]), 2
    )
    assert int(found.status) == int(Status.UNDECIDED)


def test_constant_labels_have_no_boundary() -> None:
    found = triangulate(normal(20, 2))
    assert len(boundary_segments(found, torch.zeros(20, dtype=torch.int64))) == 0


@pytest.mark.parametrize("classes", [2, 3])
def test_segments_are_where_the_two_largest_weights_tie(classes: int) -> None:
    sites, labels = normal(60, 2), torch.randint(classes, (60,), generator=Generator().manual_seed(3))
    found = triangulate(sites)
    segments = boundary_segments(found, labels)
    shares = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)[:, None, None]
    points = ((1 - shares) * segments[:, 0] + shares * segments[:, 1]).reshape(-1, 2)
    two = delaunay_weights(points, found, labels, classes).weights.topk(2, dim=1).values
    torch.testing.assert_close(two[:, 0], two[:, 1], rtol=0, atol=1e-9)
    mixed = (labels[found.simplices] != labels[found.simplices[:, :1]]).any(1)
    three = torch.tensor([len(set(labels[s].tolist())) == 3 for s in found.simplices])
    assert len(segments) == int(mixed.sum()) + 2 * int(three.sum())


# ---- Theorem 30.6 ----------------------------------------------------------------------------------------
@given(st.integers(0, 9999), st.sampled_from([2, 3]), st.floats(0.2, 0.9))
@settings(max_examples=60)
def test_theorem_30_6_boundary_lies_within_the_longest_edge(seed: int, n: int, radius: float) -> None:
    """Theorem 30.6 (i): each simplex of two classes meets the true boundary, whatever the samples."""
    sites = 2 * torch.rand(60, n, generator=Generator().manual_seed(seed), dtype=torch.float64) - 1
    labels = (sites.norm(dim=1) > radius).long()
    found = triangulate(sites)
    longest = (sites[found.edges[:, 0]] - sites[found.edges[:, 1]]).norm(dim=1).max()
    mixed = (labels[found.simplices] != labels[found.simplices[:, :1]]).any(1)
    shares = torch.rand(20, n + 1, generator=Generator().manual_seed(seed + 1), dtype=torch.float64)
    corners = found.simplices[mixed]
    # The boundary of the weights, weight one half for both classes: middles between two faces.
    faces = [shares * (labels[corners] == c)[:, None] for c in (0, 1)]
    middles = sum(face / face.sum(2, keepdim=True) for face in faces) / 2
    points = (middles @ sites[corners]).flatten(0, 1)
    weights = delaunay_weights(points, found, labels, 2).weights
    torch.testing.assert_close(weights, torch.full_like(weights, 0.5), rtol=0, atol=1e-6)
    assert ((points.norm(dim=1) - radius).abs() <= longest).all()


@given(st.integers(0, 9999))
@settings(max_examples=20)
def test_theorem_30_6_every_boundary_point_has_one_of_the_weights_beside_it(seed: int) -> None:
    """Theorem 30.6 (ii): for a disc, whose boundary has c = 1/2, the distance back is at most 2ε."""
    generator = Generator().manual_seed(seed)
    edge = torch.linspace(-1, 1, 15, dtype=torch.float64)
    rim = torch.cat([torch.stack([edge, s * torch.ones(15)], 1) for s in (-1.0, 1.0)]).double()
    rim = torch.unique(torch.cat([rim, rim.flip(1)]), dim=0)
    sites = torch.cat([rim, 1.98 * torch.rand(250, 2, generator=generator, dtype=torch.float64) - 0.99])
    labels = (sites.norm(dim=1) > 0.6).long()
    found = triangulate(sites)
    longest = (sites[found.edges[:, 0]] - sites[found.edges[:, 1]]).norm(dim=1).max()
    segments = boundary_segments(found, labels)
    angle = torch.linspace(0, 2 * math.pi, 400, dtype=torch.float64)
    truth = 0.6 * torch.stack([angle.cos(), angle.sin()], 1)
    shares = torch.linspace(0, 1, 9, dtype=torch.float64)[:, None, None]
    points = ((1 - shares) * segments[:, 0] + shares * segments[:, 1]).reshape(-1, 2)
    assert float(torch.cdist(truth, points).min(1).values.max()) <= 2 * float(longest)


def test_ambient_triangulation_of_a_curve_has_long_edges_against_definition_30_5() -> None:
    longest = []
    for count in (50, 800):
        angle = torch.linspace(0, 2 * math.pi, count + 1, dtype=torch.float64)[:-1]
        sites = torch.stack([2 * angle.cos(), angle.sin()], 1)
        edges = triangulate(sites).edges
        longest.append(float((sites[edges[:, 0]] - sites[edges[:, 1]]).norm(dim=1).max()))
    assert min(longest) > 1.9
