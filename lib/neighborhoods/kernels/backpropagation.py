"""Gradients of a fully connected network by the recursion over its layers, written out."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from neighborhoods.kernels.arguments import checked


class Passes(NamedTuple):
    """What a forward and a backward pass leave behind, one entry a layer.

    Attributes:
        output: $a^L$.
        signals: $\\delta^l = \\partial L/\\partial z^l$.
        weights: $\\nabla_{W^l}L$.
        biases: $\\nabla_{b^l}L$.
    """

    output: Float[Tensor, " outputs"]
    signals: list[Tensor]
    weights: list[Tensor]
    biases: list[Tensor]


@checked()
def backpropagate(
    weights: Sequence[Float[Tensor, "_out _in"]],
    biases: Sequence[Float[Tensor, " _out"]],
    point: Float[Tensor, " inputs"],
    *,
    activation: Callable[[Tensor], Tensor],
    slope: Callable[[Tensor], Tensor],
    loss_slope: Callable[[Tensor], Tensor],
    slope_at: Literal["z", "a"] = "z",
) -> Passes:
    """Return the gradient of a loss with respect to every weight and bias, for one point.

    $$ z^l = W^l a^{l-1} + b^l, \\quad a^l = A(z^l); \\qquad
       \\delta^L = \\nabla\\ell(a^L) \\odot A'(z^L), \\quad
       \\delta^l = A'(z^l) \\odot (W^{l+1})^T\\delta^{l+1}, \\quad
       \\nabla_{W^l}L = \\delta^l (a^{l-1})^T, \\quad \\nabla_{b^l}L = \\delta^l. $$

    Args:
        weights: $W^1, \\dots, W^L$, each with as many columns as the one before has rows.
        biases: $b^1, \\dots, b^L$.
        point: $a^0 = x$.
        activation: $A$, applied to each component in every layer.
        slope: its derivative $A'$.
        loss_slope: $\\nabla\\ell$, from the output to the derivatives of the loss by its components.
        slope_at: where $A'$ is taken; "a" is what the draft prints, and no gradient.

    Raises:
        ValueError: layers that do not fit together.

    Source: the draft, section 1.3.3, corrected; Rumelhart, Hinton and Williams (1986).

    >>> one = torch.ones(1, 1)
    >>> found = backpropagate([2 * one], [0 * one[0]], 3 * one[0], activation=torch.square,
    ...     slope=lambda z: 2 * z, loss_slope=torch.ones_like)
    >>> found.output, found.weights  # (w x)^2 and its derivative 2 w x^2
    (tensor([36.]), [tensor([[36.]])])
    """
    _check(weights, biases, point)
    sums: list[Tensor] = []
    outputs = [point]
    for weight, bias in zip(weights, biases, strict=True):
        sums.append(weight @ outputs[-1] + bias)
        outputs.append(activation(sums[-1]))
    places = {"z": sums, "a": outputs[1:]}[slope_at]
    signals = [loss_slope(outputs[-1]) * slope(places[-1])]
    for weight, place in zip(reversed(weights[1:]), reversed(places[:-1]), strict=True):
        signals.append(slope(place) * (weight.T @ signals[-1]))
    signals.reverse()
    products = [torch.outer(signal, before) for signal, before in zip(signals, outputs[:-1], strict=True)]
    return Passes(outputs[-1], signals, products, list(signals))


def _check(weights: Sequence[Tensor], biases: Sequence[Tensor], point: Tensor) -> None:
    widths = [len(point), *(len(bias) for bias in biases)]
    wanted = [(after, before) for before, after in pairwise(widths)]
    found = [tuple(weight.shape) for weight in weights]
    if not weights or found != wanted:
        raise ValueError(f"weights: got shapes {found}; required {wanted}, at least one")
