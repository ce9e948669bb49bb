"""The recursion over layers beside automatic differentiation, and the misprint of the draft beside both."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.backpropagation import backpropagate
from tolerances import ABSOLUTE, RELATIVE
from torch import Tensor

ACTIVATIONS = {
    "tanh": (torch.tanh, lambda z: 1 - torch.tanh(z) ** 2),
    "relu": (torch.relu, lambda z: (z > 0).to(z)),
    "sigmoid": (torch.sigmoid, lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z))),
}
Layers = tuple[list[Tensor], list[Tensor], Tensor, Tensor]


def layers(widths: list[int], seed: int = 0) -> Layers:
    """Weights, biases, a point and a wanted output."""
    source = torch.Generator().manual_seed(seed)
    options = {"generator": source, "dtype": torch.float64}
    weights = [torch.randn(m, n, **options) for n, m in pairwise(widths)]
    biases = [torch.randn(m, **options) for m in widths[1:]]
    return weights, biases, torch.randn(widths[0], **options), torch.randn(widths[-1], **options)


def by_autograd(name: str, weights: list[Tensor], biases: list[Tensor], x: Tensor, y: Tensor) -> list[Tensor]:
    parameters = [value.clone().requires_grad_() for value in (*weights, *biases)]
    a = x
    for weight, bias in zip(parameters[: len(weights)], parameters[len(weights) :], strict=True):
        a = ACTIVATIONS[name][0](weight @ a + bias)
    return list(torch.autograd.grad(((a - y) ** 2).sum() / 2, parameters))


def recursion(name: str, made: Layers, slope_at: str = "z") -> list[Tensor]:
    *network, y = made
    activation, slope = ACTIVATIONS[name]
    found = backpropagate(
        *network, activation=activation, slope=slope, loss_slope=lambda a: a - y, slope_at=slope_at
    )
    return [*found.weights, *found.biases]


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=6),
    st.sampled_from(sorted(ACTIVATIONS)),
    st.integers(0, 99),
)
def test_recursion_is_the_gradient(widths: list[int], name: str, seed: int) -> None:
    made = layers(widths, seed)
    exact = by_autograd(name, *made)
    scale = max(float(part.abs().max()) for part in exact)
    for mine, theirs in zip(recursion(name, made), exact, strict=True):
        tolerance = ABSOLUTE[torch.float64] + scale * RELATIVE[torch.float64]
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)


def test_the_slope_at_the_output_is_no_gradient() -> None:
    """A'(a) for A'(z), as the draft prints it, is right for rectified units only."""
    made = layers([7, 5, 4, 3])
    for name, wrong in (("tanh", True), ("sigmoid", True), ("relu", False)):
        exact = torch.cat([part.flatten() for part in by_autograd(name, *made)])
        printed = torch.cat([part.flatten() for part in recursion(name, made, "a")])
        assert (float((printed - exact).norm() / exact.norm()) > 0.05) == wrong


def test_signals_are_derivatives_by_the_weighted_sums() -> None:
    *network, y = layers([3, 4, 2])
    activation, slope = ACTIVATIONS["tanh"]
    options = {"activation": activation, "slope": slope, "loss_slope": lambda a: a - y}
    found = backpropagate(*network, **options)
    assert [len(signal) for signal in found.signals] == [4, 2]
    for signal, bias in zip(found.signals, found.biases, strict=True):
        assert torch.equal(signal, bias)
    moved = [bias.clone() for bias in network[1]]
    moved[0][1] += 1e-6
    outputs = [
        backpropagate(network[0], biases, network[2], **options).output for biases in (network[1], moved)
    ]
    first, second = (((output - y) ** 2).sum() / 2 for output in outputs)
    assert float((second - first) / 1e-6) == pytest.approx(float(found.signals[0][1]), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"point": torch.zeros(4, dtype=torch.float64)},
            r"weights: got shapes \[\(2, 3\)\]; required \[\(2, 4\)\]",
        ),
        ({"weights": []}, r"weights: got shapes \[\]; required"),
    ],
)
def test_errors_name_the_argument(change: dict[str, object], words: str) -> None:
    weights, biases, point, _ = layers([3, 2])
    options = {"activation": torch.tanh, "slope": torch.cosh, "loss_slope": torch.ones_like}
    with pytest.raises(ValueError, match=words):
        backpropagate(**({"weights": weights, "biases": biases, "point": point} | options | change))
