"""Chains of linear layers with one kind of activation between them, built by name."""

import re
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

Activation = Literal["relu", "tanh", "gelu"]
Head = Literal["logits", "log-probabilities", "probability"]

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
WIDTHS = re.compile(r"[1-9]\d*(-[1-9]\d*)+")


def perceptron(
    name: str,
    *,
    activation: Activation = "relu",
    head: Head = "logits",
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """Return a chain in evaluation mode, each parameter drawn from U(-1/√m, 1/√m), m the unit's inputs.

    Args:
        name: widths from inputs to outputs, ``784-128-10``.
        activation: between the linear layers.
        head: after the last of them nothing, the logarithm of the softmax, or the logistic function.
        generator: source of the initial parameters.

    Raises:
        ValueError: a name of another form, or an unknown activation or head.

    Example:
        >>> [tuple(p.shape) for p in perceptron("2-16-1", head="probability").parameters()]
        [(16, 2), (16,), (1, 16), (1,)]
    """
    if not WIDTHS.fullmatch(name):
        raise ValueError(f"network is {name!r}; it must be widths at least 1, like 784-128-10")
    heads: dict[str, list[nn.Module]] = {
        "logits": [],
        "log-probabilities": [nn.LogSoftmax(1)],
        "probability": [nn.Sigmoid()],
    }
    for kind, value, known in (("activation", activation, ACTIVATIONS), ("head", head, heads)):
        if value not in known:
            raise ValueError(f"{kind} is {value!r}; it must be one of {', '.join(map(repr, known))}")
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(int(width) for width in name.split("-")):
        layers += [_linear(inputs, outputs, generator), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1], *heads[head]).eval()


@torch.no_grad()
def _linear(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    for parameter in layer.parameters():
        parameter.uniform_(-(inputs**-0.5), inputs**-0.5, generator=generator)
    return layer
