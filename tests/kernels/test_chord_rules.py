"""Fixed rules of quadrature on chords: the naive sums, their orders, and the exact value as their limit."""

from itertools import pairwise

import pytest
import torch
from neighborhoods.kernels.chord_rules import Rule, telescoped_by_rule
from neighborhoods.kernels.path_kernel import telescoped
from neighborhoods.kernels.tangent_kernels import path_form
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models.perceptrons import perceptron
from neighborhoods.models.trajectory import record
from reference import averaged_gradient, network_at
from torch import Tensor, nn


def run(
    activation: str, rate: float = 1.0, steps: int = 3
) -> tuple[nn.Sequential, Trajectory, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    points = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    model = perceptron("4-7-6-3", activation=activation, generator=generator).double()
    classes = torch.randint(0, 3, (12,), generator=generator)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    found = record(model, optimizer, points, classes, steps=steps)
    return model, found, points, torch.randn(5, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("rule", ["left", "midpoint", "gauss"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_rules_are_their_naive_sums(rule: Rule, activation: str) -> None:
    model, found, _, queries = run(activation)
    total = telescoped_by_rule(model, found, queries, rule=rule, nodes=5, chunk=2)
    for x, k in ((0, 1), (4, 2)):
        expected = network_at(model, found.states[0], queries)[x, k].detach()
        for start, end in pairwise(found.states):
            own = averaged_gradient(model, start, end, queries[x], k, nodes=5, rule=rule)
            expected = expected + own.dot(end - start)
        torch.testing.assert_close(total[x, k], expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("midpoint", 2)])
def test_orders_for_smooth_activations(rule: Rule, order: int) -> None:
    model, found, _, queries = run("tanh")
    exact = telescoped(model, found, queries).prediction
    errors = [
        float((telescoped_by_rule(model, found, queries, rule=rule, nodes=n) - exact).abs().max())
        for n in (16, 32, 64)
    ]
    assert all(one / two == pytest.approx(2**order, rel=0.1) for one, two in pairwise(errors))
    gauss = telescoped_by_rule(model, found, queries, rule="gauss", nodes=24)
    torch.testing.assert_close(gauss, exact, rtol=1e-12, atol=1e-12)


def test_theorem_14_5_on_training_points_the_symmetric_kernel_is_one_node_from_the_left() -> None:
    model, found, points, _ = run("tanh", steps=1)
    outputs = network_at(model, found.states[0], points).detach()
    slopes = (outputs.softmax(1) - nn.functional.one_hot(_classes(), 3)) / 12
    inside = torch.ones(12, dtype=torch.bool)
    dpk = path_form(model, found, points, points, form="dpk", trained=(inside, inside))
    predicted = outputs - torch.einsum("mikl,il->mk", dpk, slopes)
    one = telescoped_by_rule(model, found, points, rule="left", nodes=1)
    torch.testing.assert_close(predicted, one, rtol=1e-12, atol=1e-13)
    after = network_at(model, found.states[1], points).detach()
    assert float((one - after).abs().max() / (after - outputs).abs().max()) > 1e-3


def _classes() -> Tensor:
    """The classes that `run` draws after points and parameters."""
    generator = torch.Generator().manual_seed(5)
    torch.randn(12, 4, generator=generator, dtype=torch.float64)
    perceptron("4-7-6-3", generator=generator)
    return torch.randint(0, 3, (12,), generator=generator)


def test_bad_requests_are_named() -> None:
    model, found, _, queries = run("relu")
    with pytest.raises(ValueError, match="rule, nodes: got 'left', 0"):
        telescoped_by_rule(model, found, queries, rule="left", nodes=0)
    with pytest.raises(ValueError, match="required a chain without a head"):
        telescoped_by_rule(nn.Sequential(model, nn.LogSoftmax(1)), found, queries, rule="left", nodes=1)
