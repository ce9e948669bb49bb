"""Batched L-BFGS, least steps and minimum distortion against exact solutions, one row at a time."""

import math

import pytest
import torch
from neighborhoods.kernels.boundaries import overshoot
from neighborhoods.kernels.halfspaces import least_step
from neighborhoods.kernels.lbfgs import minimise
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.training import TrainingSpec, train
from reference import box_minimum, nearest_in_class_of_affine
from torch import Generator, Tensor, nn


def bowls(rows: int, n: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Hessians I + low rank and centres, partly outside the unit box."""
    factors = torch.randn(rows, n, 3, generator=generator, dtype=torch.float64)
    centres = 0.5 + torch.randn(rows, n, generator=generator, dtype=torch.float64)
    return torch.eye(n, dtype=torch.float64) + factors @ factors.mT, centres


def test_minima_over_the_box_are_those_of_scipy(generator: Generator) -> None:
    hessians, centres = bowls(8, 12, generator)

    def objective(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        pull = (hessians[rows] @ (x - centres[rows])[:, :, None])[:, :, 0]
        return ((x - centres[rows]) * pull).sum(1) / 2, pull

    found = minimise(objective, torch.full((8, 12), 0.5, dtype=torch.float64), tolerance=1e-6)
    assert (found.status == Status.CONVERGED).all()
    for row in range(8):
        exact = box_minimum(hessians[row], centres[row])
        torch.testing.assert_close(found.points[row], exact, atol=1e-6, rtol=0)


def test_iterations_that_run_out_are_reported(generator: Generator) -> None:
    hessians, centres = bowls(3, 12, generator)

    def objective(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        pull = (hessians[rows] @ (x - centres[rows])[:, :, None])[:, :, 0]
        return ((x - centres[rows]) * pull).sum(1) / 2, pull

    start = torch.full((3, 12), 0.5, dtype=torch.float64)
    found = minimise(objective, start, iterations=1, tolerance=1e-9)
    assert (found.status == Status.CENSORED).all()
    assert (found.values < objective(start, torch.arange(3))[0]).all()


def test_least_steps_meet_the_optimality_conditions(generator: Generator) -> None:
    normals = torch.randn(40, 5, 60, generator=generator, dtype=torch.float64)
    points = torch.rand(40, 60, generator=generator, dtype=torch.float64)
    offsets = 1 + torch.rand(40, 5, generator=generator, dtype=torch.float64)
    found = least_step(normals, offsets, -points, 1 - points, tolerance=1e-8)
    assert found.solved.all()
    spare = (normals @ found.step[:, :, None])[:, :, 0] - offsets
    assert float(spare.min()) > -1e-6
    assert float((found.multipliers * spare).abs().max()) < 1e-6
    pull = (found.multipliers[:, None] @ normals)[:, 0]
    torch.testing.assert_close(found.step, torch.maximum(torch.minimum(pull, 1 - points), -points))


@pytest.mark.parametrize("coordinates", [1, 2, 4])
def test_least_steps_are_found_where_the_box_clips_nearly_all_of_them(
    coordinates: int, generator: Generator
) -> None:
    normals = torch.randn(500, 3, coordinates, generator=generator, dtype=torch.float64)
    reached = 2 * torch.rand(500, coordinates, generator=generator, dtype=torch.float64) - 1
    offsets = (normals @ reached[:, :, None])[:, :, 0]
    high = torch.ones_like(reached)
    found = least_step(normals, offsets, -high, high, tolerance=1e-8)
    assert float(found.solved.double().mean()) >= 0.99  # nearly parallel normals may take longer
    spare = ((normals @ found.step[:, :, None])[:, :, 0] - offsets)[found.solved]
    assert float(spare.min()) > -1e-6
    assert float((found.multipliers[found.solved] * spare).abs().max()) < 1e-6
    pull = (found.multipliers[:, None] @ normals)[:, 0]
    torch.testing.assert_close(found.step, pull.clamp(-1, 1))


def test_the_least_attack_on_a_linear_classifier_uses_one_pixel_where_one_is_enough() -> None:
    """The first step of the dual goes as far as the box, and classes that are nearer lie outside of it."""
    offsets = torch.tensor([0.0, 1.05, 1.1, 0.9])
    points = torch.full((1, 8), 0.3, dtype=torch.float64)
    points[:, 1:4] = torch.tensor([0.9, 0.9, 0.2])
    found = minimum_distortion(
        lambda x: torch.cat([0 * x[:, :1], x[:, 1:4]], 1) - offsets, points, torch.tensor([3])
    )
    torch.testing.assert_close(found.points - points, 0.7 * torch.eye(8).double()[3:4], atol=1e-4, rtol=0)


def test_an_infeasible_programme_is_not_solved() -> None:
    found = least_step(torch.ones(1, 1, 2), torch.tensor([[5.0]]), torch.zeros(1, 2), torch.ones(1, 2))
    assert not bool(found.solved)


@pytest.fixture(scope="module")
def relu() -> nn.Sequential:
    spec = TrainingSpec("FC200-200-10", images=20_000, epochs=5)
    return networks.load(spec.network, train(spec))


def pairs(count: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    data = mnist("test", count)
    targets = torch.arange(10).expand(count, 10)[torch.arange(10) != data.labels[:, None]]
    return data.points.to(dtype).repeat_interleave(9, 0), targets


@pytest.mark.parametrize("penalty", [1e-4, 3.0, 300.0])
def test_within_two_percent_of_the_exact_optimum_on_linear_networks(penalty: float) -> None:
    spec = TrainingSpec("FC10", images=10_000, epochs=2, penalty=penalty)
    network = networks.load(spec.network, train(spec))
    points, targets = (part[::7] for part in pairs(30))
    found = minimum_distortion(network, points, targets)
    wrong = labels_of(network, points) != targets
    assert found.success.all()
    layer = network[1]
    for row in wrong.nonzero()[:, 0].tolist():
        exact = nearest_in_class_of_affine(layer.weight, layer.bias, points[row].flatten(), int(targets[row]))
        assert float(found.distortion[row]) * 28 == pytest.approx(exact, rel=0.02)
        assert float(found.distortion[row]) * 28 > exact * (1 - 1e-3)


def test_targets_of_a_rectified_network_are_reached_at_small_distortion(relu: nn.Sequential) -> None:
    points, targets = pairs(30)
    found = minimum_distortion(relu, points, targets)
    assert float(found.success.double().mean()) >= 0.99
    assert float(found.distortion[found.success].mean()) <= 0.087
    assert torch.equal(labels_of(relu, found.points)[found.success], targets[found.success])
    assert float(found.points.min()) >= 0
    assert float(found.points.max()) <= 1
    step = (found.points - points).flatten(1).norm(dim=1)
    torch.testing.assert_close(found.distortion, step / 28, rtol=1e-4, atol=1e-6)


def test_points_stand_just_beyond_the_boundary(relu: nn.Sequential) -> None:
    points, targets = pairs(5)
    found = minimum_distortion(relu, points, targets)
    beyond = overshoot(relu, points, found.points).distance
    torch.testing.assert_close(found.overshoot, beyond, atol=2e-4, rtol=0)
    assert float((found.overshoot / (28 * found.distortion)).max()) < 1e-3


def test_a_margin_costs_distortion_and_shows_as_overshoot(relu: nn.Sequential) -> None:
    points, targets = pairs(5)
    near, far = (minimum_distortion(relu, points, targets, margin=margin) for margin in (0.0, 2.0))
    assert far.success.all()
    logits = relu(far.points)
    others = logits.scatter(1, targets[:, None], -math.inf).amax(1)
    assert ((logits.gather(1, targets[:, None])[:, 0] - others) > 2.0).all()
    assert float(far.distortion.mean()) > float(near.distortion.mean())
    assert (far.overshoot > near.overshoot).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 5e-3), (torch.float64, 1e-7)])
def test_rows_do_not_depend_on_their_companions(
    relu: nn.Sequential, dtype: torch.dtype, tolerance: float
) -> None:
    network = networks.build("FC200-200-10")
    network.load_state_dict(relu.state_dict())
    network = network.to(dtype)
    points, targets = pairs(4, dtype)
    together = minimum_distortion(network, points, targets)
    assert together.points.dtype == dtype
    for rows in (slice(0, 1), slice(5, 12)):
        alone = minimum_distortion(network, points[rows], targets[rows])
        torch.testing.assert_close(alone.distortion, together.distortion[rows], rtol=tolerance, atol=0)
        assert torch.equal(alone.success, together.success[rows])


def test_penalties_narrow_to_those_whose_minimisers_are_on_a_plane() -> None:
    def half_space(x: Tensor) -> Tensor:
        return torch.stack([0 * x[:, 0], 4 * (x.sum(1) - 1)], 1)

    points = torch.tensor([[0.0, 0.0], [0.1, 0.1], [0.2, 0.2]], dtype=torch.float64)
    found = minimum_distortion(
        half_space, points, torch.ones(3, dtype=torch.long), rounds=8, refinements=0, decrease=0.0
    )
    distance = (1 - points.sum(1)) / math.sqrt(2)
    exact = 4 * math.sqrt(2) / 2 / distance  # c |r| is half the slope of the gap where both classes tie
    torch.testing.assert_close(found.penalty, exact, rtol=5e-3, atol=0)
    torch.testing.assert_close(found.distortion * math.sqrt(2), distance, rtol=1e-3, atol=0)


def test_refinement_shortens_what_penalties_leave(relu: nn.Sequential) -> None:
    points, targets = pairs(10)
    without, refined = (minimum_distortion(relu, points, targets, refinements=count) for count in (0, 2))
    assert (refined.success | ~without.success).all()
    assert float(refined.distortion.mean()) < 0.995 * float(without.distortion.mean())


def test_more_starts_find_nearer_points(relu: nn.Sequential) -> None:
    points, targets = pairs(10)
    sources = (torch.Generator().manual_seed(3) for _ in range(3))
    once, twice, often = (
        minimum_distortion(relu, points, targets, starts=count, generator=source)
        for count, source in zip((1, 2, 6), sources, strict=True)
    )
    plain = minimum_distortion(relu, points, targets)
    assert torch.equal(once.points, plain.points)
    assert (twice.success | ~once.success).all()
    for more, fewer in ((twice, once), (often, twice)):
        assert (more.distortion <= fewer.distortion)[fewer.success].all()
        assert (more.evaluations > fewer.evaluations).all()
    assert float(often.distortion.mean()) < 0.998 * float(once.distortion.mean())


def test_no_graph_is_left_and_parameters_keep_their_gradients(relu: nn.Sequential) -> None:
    network = networks.build("FC100-20-10", generator=Generator().manual_seed(0))
    points, targets = pairs(1)
    found = minimum_distortion(network, points.requires_grad_(), targets)
    assert not any(part.requires_grad for part in found)
    assert points.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_failures_stay_as_rows() -> None:
    def never(x: Tensor) -> Tensor:
        return torch.stack([x.sum((1, 2, 3)) * 0 + 1, x.sum((1, 2, 3)) * 1e-9], 1)

    points = torch.full((3, 1, 2, 2), 0.5)
    found = minimum_distortion(never, points, torch.tensor([1, 0, 1]))
    assert found.success.tolist() == [False, True, False]
    assert float(found.distortion[1]) == 0
    assert found.overshoot.tolist() == [0, 0, 0]
    assert found.points.isfinite().all()
    assert found.penalty.isfinite().all()


def test_no_points_are_no_rows() -> None:
    found = minimum_distortion(networks.build("FC10"), torch.zeros(0, 1, 28, 28), torch.zeros(0).long())
    assert [len(part) for part in found] == [0] * len(found)


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ("margin", {"margin": -1.0}),
        ("rounds", {"rounds": 0}),
        ("refinements", {"refinements": -1}),
        ("rivals", {"rivals": 0}),
        ("starts", {"starts": 0}),
        ("memory", {"memory": 0}),
        ("decrease", {"decrease": -1.0}),
        ("targets", {"targets": torch.tensor([10])}),
        ("points", {"points": torch.full((1, 1, 28, 28), 1.5)}),
        ("classifier", {"classifier": lambda x: x.flatten(1).argmax(1)}),
        ("classifier", {"classifier": lambda x: x.flatten(1)[:, :10] * math.nan}),
        ("classifier", {"classifier": nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10))}),
    ],
)
def test_errors_name_the_argument(named: str, change: dict[str, object]) -> None:
    network = networks.build("FC10")
    points = torch.full((1, 1, 28, 28), 0.5)
    targets = network(points).argmax(1).detach()  # reached already: no number may depend on the search
    arguments = {"classifier": network, "points": points, "targets": targets}
    with pytest.raises(ValueError, match=named):
        minimum_distortion(**(arguments | change))


def test_step_past_a_normal_of_zero_is_unsolved_and_finite() -> None:
    normals = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.0]]])
    box = torch.full((2, 2), 1.0)
    found = least_step(normals, torch.full((2, 2), 0.5), -box, box)
    assert found.solved.tolist() == [False, True]
    assert found.step.isfinite().all()
    assert torch.allclose(found.step[1], torch.tensor([0.5, 0.5]), atol=1e-4)


def test_network_that_answers_everything_alike_fools_nobody() -> None:
    def constant(points: Tensor) -> Tensor:
        return torch.stack([0 * points[:, 0] + 1, 0 * points[:, 0]], 1)

    found = minimum_distortion(constant, torch.rand(3, 5), torch.tensor([1, 0, 1]))
    assert found.success.tolist() == [False, True, False]
    assert found.points.isfinite().all()
