"""Optimisers with memory, modules that are no chains, the forms of the path kernel and its approximations."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from neighborhoods.kernels.definiteness import as_matrix, definiteness
from neighborhoods.kernels.path_kernel import attribution, path_kernel, telescoped
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.tangent_kernels import path_form, tangent_kernel
from neighborhoods.kernels.trajectories import Trajectory, coarsen
from neighborhoods.models.trajectory import minibatches, record
from reference import effect_of_one_example, network_at, output_gradient, path_kernel_of_pair
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

OPTIMISERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "gradient descent": lambda p: torch.optim.SGD(p, lr=0.5),
    "decay": lambda p: torch.optim.SGD(p, lr=0.5, weight_decay=0.1),
    "heavy ball": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9),
    "heavy ball with decay": lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9, weight_decay=0.05),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.03),
    "Adam with decay": lambda p: torch.optim.Adam(p, lr=0.03, weight_decay=0.1),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.03, weight_decay=0.1),
}


class Residual(nn.Module):
    """Two convolutions around which the input goes, with batch normalisation."""

    def __init__(self, act: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.act = act()
        self.one, self.two = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.norm = nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.two(self.act(self.norm(self.one(x))))


class Absolute(nn.Module):
    """A kink that no module of torch stands for."""

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()


def chain(act: Callable[[], nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), act(), nn.Linear(8, 6), act(), nn.Linear(6, 3)).double()


def convolutional(act: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    torch.manual_seed(0)
    pool = nn.MaxPool2d(2) if act in (nn.ReLU, nn.LeakyReLU) else nn.AvgPool2d(2)
    return nn.Sequential(nn.Conv2d(1, 3, 3), act(), pool, nn.Flatten(), nn.Linear(12, 3)).double()


def residual(act: Callable[[], nn.Module] = nn.Tanh) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), Residual(act), nn.Flatten(), nn.Linear(32, 3)).double()
    network[1].norm.running_mean += 0.1
    network[1].norm.running_var *= 2
    return network.eval()


def data(shape: tuple[int, ...] = (5,)) -> tuple[Tensor, Tensor, Tensor]:
    """Training points, their classes, and queries of which the first two are training points."""
    generator = torch.Generator().manual_seed(3)
    points = torch.randn(14, *shape, generator=generator, dtype=torch.float64)
    queries = torch.cat([points[:2], torch.randn(3, *shape, generator=generator, dtype=torch.float64)])
    return points, torch.randint(0, 3, (14,), generator=generator), queries


def gap(network: nn.Module, found: Any, queries: Tensor) -> float:
    outputs = network(queries).detach()
    return float((found.prediction - outputs).abs().max() / (outputs - found.start).abs().max())


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("act", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("batched", [False, True])
def test_remark_0_every_optimiser_has_its_exact_representation(
    name: str, act: Callable[[], nn.Module], batched: bool
) -> None:
    points, classes, queries = data()
    network = chain(act)
    batches = minibatches(14, 6, 5, generator=torch.Generator().manual_seed(1)) if batched else None
    run = record(network, OPTIMISERS[name](network.parameters()), points, classes, steps=15, batches=batches)
    found = attribution(network, run, queries, points, classes)
    assert gap(network, found, queries) <= 2e-13
    assert bool(found.decay.any()) == ("decay" in name or name == "AdamW")
    assert found.report.status is Status.CONVERGED


@pytest.mark.parametrize("name", OPTIMISERS)
def test_contributions_follow_each_examples_gradients_through_the_rule(name: str) -> None:
    points, classes, queries = data()
    network = chain(nn.Tanh)
    run = record(network, OPTIMISERS[name](network.parameters()), points, classes, steps=4)
    found = attribution(network, run, queries, points, classes).contributions
    rule = run.rule
    for i in (0, 9):

        def loss_gradient(s: int, i: int = i) -> Tensor:
            leaf = run.states[s].clone().requires_grad_()
            out = network_at(network, leaf, points[i : i + 1])
            return torch.autograd.grad(cross_entropy(out, classes[i : i + 1]) / 14, leaf)[0]

        def shares(gradients: list[Tensor]) -> list[Tensor]:
            velocity = displaced = torch.zeros_like(run.states[0])
            moves = []
            for s, gradient in enumerate(gradients):
                velocity = rule.momentum * velocity + rule.gain * (gradient + rule.penalty * displaced)
                scaled = velocity if run.scales is None else run.scales[s] * velocity
                moves.append(-float(run.rates[s]) * (scaled + rule.shrinkage * displaced))
                displaced = displaced + moves[-1]
            return moves

        gradients = [loss_gradient(s) for s in range(4)]
        effect = effect_of_one_example(network, run.states, gradients, shares, point=queries[3])
        torch.testing.assert_close(found[3, :, i], effect, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("make", [convolutional, residual])
@pytest.mark.parametrize("name", ["gradient descent", "Adam"])
def test_any_module_goes_through_jacobians(make: Callable[..., nn.Module], name: str, act: Any) -> None:
    points, classes, queries = data((1, 6, 6))
    network, rows = make(act), 1 if act is nn.Tanh else 20
    run = record(network, OPTIMISERS[name](network.parameters()), points, classes, steps=3)
    found = attribution(network, run, queries, points, classes, chunk=5)
    assert gap(network, found, queries) <= 1e-12
    assert found.report.status is Status.CONVERGED
    along = telescoped(network, run, queries).prediction
    torch.testing.assert_close(along, network(queries).detach(), rtol=1e-12, atol=1e-13)
    small = attribution(network, run, queries, points, classes, chunk=rows, memory=300_000)
    torch.testing.assert_close(small.contributions, found.contributions, rtol=1e-11, atol=1e-14)
    if name == "gradient descent":
        kernel = path_kernel(network, run, queries, points).kernel[3, 5]
        rates = run.rates / 14
        # Midpoints miss each of the kinks by up to half their spacing.
        many: dict[str, Any] = (
            {"nodes": 8, "rule": "gauss"} if act is nn.Tanh else {"nodes": 100, "rule": "midpoint"}
        )
        naive = path_kernel_of_pair(network, run.states, rates, x=queries[3], other=points[5], **many)
        closeness = {"rtol": 1e-11, "atol": 1e-13} if act is nn.Tanh else {"rtol": 5e-3, "atol": 5e-4}
        torch.testing.assert_close(kernel, naive, **closeness)


@pytest.mark.parametrize("act", [nn.ReLU, nn.LeakyReLU])
def test_kinks_of_long_chords_through_modules_are_found(act: Callable[[], nn.Module]) -> None:
    points, classes, queries = data((1, 6, 6))
    network = convolutional(act)
    run = record(network, torch.optim.SGD(network.parameters(), lr=2.0), points, classes, steps=4)
    found = attribution(network, run, queries, points, classes)
    assert found.report.status is Status.CONVERGED
    assert int(found.report.nodes.min()) > 8
    assert gap(network, found, queries) <= 1e-12


def test_modules_with_other_kinks_say_that_they_did_not_converge() -> None:
    points, classes, queries = data((1, 6, 6))
    network = convolutional(Absolute)
    run = record(network, torch.optim.SGD(network.parameters(), lr=2.0), points, classes, steps=3)
    report = attribution(network, run, queries, points, classes).report
    assert report.status is Status.UNDECIDED
    assert 0 < float(report.residual.max()) < 1e-1


def test_too_many_kinks_are_left_to_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    points, classes, queries = data((1, 6, 6))
    network = convolutional(nn.ReLU)
    run = record(network, torch.optim.SGD(network.parameters(), lr=2.0), points, classes, steps=1)
    monkeypatch.setattr("neighborhoods.kernels.module_pieces.MOST_KINKS", 1)
    report = attribution(network, run, queries, points, classes).report
    assert report.status is Status.UNDECIDED
    assert report.nodes.tolist() == [32]


@pytest.mark.parametrize("act", [nn.ReLU, nn.GELU])
def test_the_jacobian_route_agrees_with_the_structured_one(act: Callable[[], nn.Module]) -> None:
    points, classes, queries = data()
    network = chain(act)
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.5), points, classes, steps=3)
    one = attribution(network, run, queries, points, classes)
    other = attribution(network, run, queries, points, classes, route="jacobian")
    torch.testing.assert_close(one.contributions, other.contributions, rtol=1e-11, atol=1e-13)
    left = tangent_kernel(network, run, queries, points, step=-1)
    for i, k, j in ((0, 1, 2), (7, 2, 2)):
        own = output_gradient(network, run.states[3], queries[4], k)
        expected = own.dot(output_gradient(network, run.states[3], points[i], j))
        torch.testing.assert_close(left[4, i, k, j], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("make", [chain, convolutional])
def test_forms_are_as_symmetric_and_definite_as_they_claim(make: Callable[[], nn.Module]) -> None:
    points, classes, queries = data((5,) if make is chain else (1, 6, 6))
    network = make()
    run = record(network, torch.optim.SGD(network.parameters(), lr=4.0), points, classes, steps=4)
    both = torch.cat([points[:4], queries[2:]])
    trained = torch.arange(7) < 4
    for form in ("dpk", "continuous", "averaged"):
        marks = (trained, trained) if form == "dpk" else None
        found = definiteness(as_matrix(path_form(network, run, both, both, form=form, trained=marks)))
        assert found.asymmetry <= (1e-10 if form != "dpk" or make is chain else 1e-6)
        assert found.ratio >= -1e-8 if form != "dpk" else found.ratio >= -0.05
    mixed = path_form(network, run, queries, points, form="asymmetric")
    kernel = path_kernel(network, run, queries, points).kernel * 14
    torch.testing.assert_close(mixed, kernel, rtol=1e-10, atol=1e-12)
    assert definiteness(as_matrix(path_form(network, run, both, both, form="asymmetric"))).asymmetry > 1e-3


def test_theorem_14_5_the_symmetric_kernel_is_exact_off_the_training_set_only() -> None:
    points, classes, queries = data()
    network = chain(nn.Tanh)
    run = record(network, torch.optim.SGD(network.parameters(), lr=2.0), points, classes, steps=10)
    inside, off = torch.zeros(5, dtype=torch.bool), torch.ones(14, dtype=torch.bool)
    inside[:2] = True
    dpk = path_form(network, run, queries, points, form="dpk", trained=(inside, off))
    exact = path_form(network, run, queries, points, form="asymmetric")
    torch.testing.assert_close(dpk[2:], exact[2:], rtol=1e-12, atol=1e-13)
    assert float((dpk[:2] - exact[:2]).abs().max() / exact.abs().max()) > 1e-3


def test_continuous_form_is_the_limit_of_the_asymmetric_one_for_small_steps() -> None:
    points, classes, queries = data()
    network = chain(nn.Tanh)
    gaps = []
    for rate in (0.2, 0.1, 0.05):
        network = chain(nn.Tanh)
        run = record(
            network, torch.optim.SGD(network.parameters(), lr=rate), points, classes, steps=round(1 / rate)
        )
        one = path_form(network, run, queries, points, form="continuous")
        gaps.append(float((one - path_form(network, run, queries, points, form="asymmetric")).abs().max()))
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.15)
    assert gaps[1] / gaps[2] == pytest.approx(2, rel=0.15)


def test_forms_refuse_what_does_not_belong_together() -> None:
    points, classes, queries = data()
    network = chain()
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), points, classes, steps=2)
    marks = torch.ones(5, dtype=torch.bool)
    with pytest.raises(ValueError, match="trained: got None for form 'dpk'"):
        path_form(network, run, queries, queries, form="dpk")
    with pytest.raises(ValueError, match='required with "dpk" and only there'):
        path_form(network, run, queries, queries, form="averaged", trained=(marks, marks))
    with pytest.raises(ValueError, match="nodes: got 0"):
        path_form(network, run, queries, queries, form="continuous", nodes=0)
    with pytest.raises(ValueError, match="step: got 7; required one of the 3 states"):
        tangent_kernel(network, run, queries, queries, step=7)


def test_approximations_come_near_and_say_how_near() -> None:
    points, classes, queries = data()
    network = chain(nn.Tanh)
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), points, classes, steps=40)
    exact = attribution(network, run, queries, points, classes)
    scale = float(exact.contributions.abs().max())
    coarse = [attribution(network, coarsen(run, k), queries, points, classes) for k in (2, 4, 8)]
    errors = [float((one.contributions - exact.contributions).abs().max()) / scale for one in coarse]
    assert errors == sorted(errors)
    assert errors[0] < 0.05
    assert errors[2] < 0.3


def test_random_projections_have_no_bias() -> None:
    points, classes, queries = data()
    network = chain(nn.Tanh)
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), points, classes, steps=2)
    exact = path_kernel(network, run, queries, points).kernel
    generator = torch.Generator().manual_seed(0)
    sketches = torch.stack(
        [
            path_kernel(network, run, queries, points, projection=100, generator=generator).kernel
            for _ in range(40)
        ]
    )
    scale = float(exact.abs().max())
    assert float((sketches[0] - exact).abs().max()) < 0.6 * scale
    # The mean of 40 is off by less than 5 standard errors, everywhere.
    error = sketches.std(0) / 40**0.5
    assert bool(((sketches.mean(0) - exact).abs() <= 5 * error + 1e-12 * scale).all())


def test_projection_needs_the_dense_route_and_one_dimension() -> None:
    points, classes, queries = data()
    network = chain()
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), points, classes, steps=2)
    with pytest.raises(ValueError, match="projection: got 0"):
        attribution(network, run, queries, points, classes, projection=0)
    with pytest.raises(ValueError, match="projection: got 9; required None"):
        attribution(network, run, queries, points, classes, projection=9, route="structured")
    with pytest.raises(ValueError, match="last_layer: got True"):
        attribution(network, run, queries, points, classes, route="dense", last_layer=True)


def test_states_can_be_any_sequence() -> None:
    points, classes, queries = data()
    network = chain()
    run = record(network, torch.optim.SGD(network.parameters(), lr=0.1), points, classes, steps=2)
    listed = Trajectory(list(run.states), run.rates)
    one = path_kernel(network, run, queries, points).kernel
    torch.testing.assert_close(path_kernel(network, listed, queries, points).kernel, one)
