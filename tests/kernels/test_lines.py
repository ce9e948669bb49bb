"""Lines and rays: the fast paths against the general one, walks and counts against one point at a time."""

import copy
import math
from functools import partial

import pytest
import torch
from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.lines import on_lines
from neighborhoods.kernels.rays import class_changes, first_exit
from neighborhoods.kernels.statistics import Classifier, Status, labels_of
from neighborhoods.models import networks
from reference_spectra import changes_of_one, exit_of_one
from torch import Tensor, nn


def stripes(x: Tensor) -> Tensor:
    """Classes that change at every odd multiple of 1/2 of the first coordinate."""
    return torch.floor(x[:, 0] + 0.5).long() % 3


def network(name: str, dtype: torch.dtype, generator: torch.Generator) -> nn.Sequential:
    return networks.build(name, generator=generator).to(dtype).eval().requires_grad_(False)


def general(classifier: nn.Sequential) -> Classifier:
    """The same network where nothing can be recognised."""
    hidden = copy.deepcopy(classifier)
    return partial(nn.Module.__call__, hidden)


@pytest.mark.parametrize("name", ["FC10", "FC100-20-10", "C-4", "C-9"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lines_without_the_first_layer_agree_with_the_general_path(
    name: str, dtype: torch.dtype, generator: torch.Generator
) -> None:
    classifier = network(name, dtype, generator)
    start, end = torch.rand(2, 70, 1, 28, 28, generator=generator, dtype=dtype)
    places = torch.rand(70, generator=generator, dtype=dtype)
    fast, slow = on_lines(classifier, start, end - start), on_lines(general(classifier), start, end - start)
    with torch.no_grad():
        torch.testing.assert_close(fast(places), slow(places))
        fewer = on_lines(classifier, start[:9], (end - start)[:9])
        torch.testing.assert_close(fast(places)[:9], fewer(places[:9]))


@pytest.mark.parametrize("name", ["FC100-20-10", "C-4"])
def test_crossings_by_both_paths_agree(name: str, generator: torch.Generator) -> None:
    classifier = network(name, torch.float64, generator)
    start, end = torch.rand(2, 60, 1, 28, 28, generator=generator, dtype=torch.float64)
    with torch.no_grad():  # so that every class is some point's
        classifier[-1].bias -= classifier(torch.cat([start, end])).mean(0)
    fast, slow = crossing(classifier, start, end), crossing(general(classifier), start, end)
    assert torch.equal(fast.status, slow.status)
    assert int((fast.status == Status.CONVERGED).sum()) > 20
    torch.testing.assert_close(fast.fraction, slow.fraction, rtol=0, atol=float(fast.width.max()))


def test_padded_and_strided_convolutions_are_linear_too(generator: torch.Generator) -> None:
    classifier = nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh(), nn.Flatten())
    start, step = torch.randn(2, 5, 2, 7, 7, generator=generator)
    places = torch.randn(5, generator=generator)
    with torch.no_grad():
        found = on_lines(classifier, start, step)(places)
        torch.testing.assert_close(found, classifier(start + places[:, None, None, None] * step))


def test_lines_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"step: got shape \(2, 3\); required that of start, \(3, 2\)"):
        on_lines.__wrapped__.__wrapped__(stripes, torch.zeros(3, 2), torch.zeros(2, 3))


def test_first_exit_is_that_of_a_walk_with_the_bracket_around_the_truth(generator: torch.Generator) -> None:
    start = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    directions = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    found = first_exit(stripes, start, directions, 2.0, steps=40)
    for row in range(60):
        walked = exit_of_one(
            lambda x: int(stripes(x[None])), start[row], directions[row], limit=2.0, steps=40
        )
        if math.isinf(walked):
            assert int(found.status[row]) == Status.CENSORED
            assert (float(found.low[row]), float(found.high[row])) == (2.0, math.inf)
            assert float(found.distance[row]) == math.inf
        else:
            assert int(found.status[row]) == Status.CONVERGED
            assert walked - 0.05 - 1e-12 <= float(found.low[row]) < float(found.high[row]) <= walked
            assert float(found.high[row] - found.low[row]) == pytest.approx(0.05 * 2.0**-24)
    before = labels_of(stripes, start + found.low.clamp(max=2)[:, None] * directions)
    assert torch.equal(before, labels_of(stripes, start))


def test_exit_of_a_sphere_is_exact(generator: torch.Generator) -> None:
    ball = lambda x: (x.norm(dim=1) < 1.5).long()  # noqa: E731
    directions = torch.nn.functional.normalize(torch.randn(30, 9, generator=generator, dtype=torch.float64))
    found = first_exit(ball, torch.zeros_like(directions), directions, 4.0, iterations=40)
    assert bool(((found.low <= 1.5) & (found.high >= 1.5)).all())
    torch.testing.assert_close(found.points, 1.5 * directions, rtol=1e-12, atol=1e-12)


def test_rays_that_never_leave_end(generator: torch.Generator) -> None:
    constant = lambda x: torch.zeros(len(x), dtype=torch.long)  # noqa: E731
    start = torch.randn(4, 3, generator=generator)
    start[1, 0], still = math.nan, torch.zeros(4, 3)
    for directions in (still, torch.ones(4, 3)):
        found = first_exit(constant, start, directions, 1.0)
        assert found.status.tolist() == [1, Status.FAILED, 1, 1]
    with pytest.raises(ValueError, match="limit: got inf"):
        first_exit(constant, start, still, math.inf)
    with pytest.raises(ValueError, match="steps, iterations: got 0, 24"):
        first_exit(constant, start, still, 1.0, steps=0)


def test_changes_are_those_of_one_point_at_a_time(generator: torch.Generator) -> None:
    start, directions = torch.randn(2, 40, 3, generator=generator, dtype=torch.float64)
    distances = torch.tensor([0.01, 0.5, 1.0, 1.5, 3.0], dtype=torch.float64)
    found = class_changes(stripes, start, directions, distances)
    for row in range(40):
        for last in range(1, 6):
            one = changes_of_one(
                lambda x: int(stripes(x[None])), start[row], directions[row], distances[:last].tolist()
            )
            assert int(found[row, last - 1]) == one


def test_lines_through_a_plane_cross_it_once(generator: torch.Generator) -> None:
    start = torch.zeros(50, 8)
    directions = torch.randn(50, 8, generator=generator)
    found = class_changes(lambda x: (x[:, 0] > 0).long(), start, directions, torch.tensor([0.1, 1.0, 10.0]))
    assert found.tolist() == [[1, 1, 1]] * 50
    with pytest.raises(ValueError, match=r"distances: got .* required positive and growing"):
        class_changes(stripes, start, directions, torch.tensor([1.0, 1.0]))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_crossings_of_points_that_are_not_finite_fail(value: float) -> None:
    classifier = nn.Sequential(nn.Linear(2, 2)).requires_grad_(False)
    start, end = torch.zeros(3, 2), torch.ones(3, 2)
    with torch.no_grad():
        classifier[0].weight.copy_(torch.eye(2) * torch.tensor([[1.0], [-1.0]]))
        classifier[0].bias.copy_(torch.tensor([0.0, 0.5]))
    start[1, 0] = value
    found = crossing(classifier, start, end)
    assert found.status.tolist() == [Status.CONVERGED, Status.FAILED, Status.CONVERGED]
    assert found.fraction[1] == 1


def test_crossings_of_constant_classifiers_fail() -> None:
    found = crossing(lambda x: torch.zeros(len(x), 3), torch.zeros(2, 2), torch.ones(2, 2))
    assert found.status.tolist() == [Status.FAILED] * 2


def test_start_on_the_boundary_has_its_crossing_there() -> None:
    half_space = lambda x: (x[:, 0] > 0).long()  # noqa: E731
    found = crossing(half_space, torch.zeros(1, 2), torch.ones(1, 2), iterations=40)
    assert int(found.status) == Status.CONVERGED
    assert 0 <= float(found.fraction) <= 2.0**-40


def test_crossings_of_planes_and_spheres_lie_in_their_brackets(generator: torch.Generator) -> None:
    start = 0.05 * torch.randn(200, 784, generator=generator, dtype=torch.float64)
    end = 3 * torch.randn(200, 784, generator=generator, dtype=torch.float64)
    step, radius = end - start, 4.0
    a, b, c = step.square().sum(1), (start * step).sum(1), start.square().sum(1) - radius**2
    on_sphere = ((b * b - a * c).sqrt() - b) / a
    normal = torch.randn(784, generator=generator, dtype=torch.float64)
    on_plane = (30 - start @ normal) / (step @ normal)
    ahead = (on_plane > 0) & (on_plane < 1)
    assert 40 < int(ahead.sum()) < 160
    for classifier, truth, rows in [
        (lambda x: (x.norm(dim=1) > radius).long(), on_sphere, slice(None)),
        (lambda x: (x @ normal > 30).long(), on_plane, ahead),
    ]:
        found = crossing(classifier, start[rows], end[rows], iterations=40)
        assert found.status.unique().tolist() == [Status.CONVERGED]
        assert bool(((found.fraction - truth[rows]).abs() <= found.width / 2 + 1e-14).all())
        assert found.width.unique().tolist() == [2.0**-40]
