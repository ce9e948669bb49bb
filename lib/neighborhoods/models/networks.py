"""The draft's networks for MNIST, built by name."""

import itertools
import re

import torch
from torch import Tensor, nn

CLASSES = 10
SIDE = 28
FULLY_CONNECTED = re.compile(r"FC((?:\d+-)*)10")
CONVOLUTIONAL = re.compile(r"C-(\d+)")
EXAMPLES = "FC10, FC100-20-10, FC200-200-10 or C-32 (FC<width>-...-10 or C-<channels>, widths at least 1)"


def build(name: str, *, generator: torch.Generator | None = None) -> nn.Sequential:
    """Return a network with fresh parameters, each drawn from U(-1/√m, 1/√m), m the unit's inputs.

    ``FC100-20-10`` maps 784 pixels through hidden layers of 100 and 20 rectified units to 10 logits; ``FC10``
    is affine. ``C-4`` has four 5x5 convolutions of 4 channels, a 2x2 maximum, and layers of 256 and 10 units
    (Table 3 of the draft).

    Args:
        name: as above.
        generator: source of the initial parameters.

    Raises:
        ValueError: a name of neither form.

    Example:
        >>> [tuple(p.shape) for p in build("FC100-20-10").parameters()][:3]
        [(100, 784), (100,), (20, 100)]
    """
    full, conv = FULLY_CONNECTED.fullmatch(name), CONVOLUTIONAL.fullmatch(name)
    widths = [int(width) for width in full[1].split("-")[:-1]] if full else [int(conv[1])] if conv else [0]
    if 0 in widths:
        raise ValueError(f"network is {name!r}; it must be like {EXAMPLES}")
    network = _fully_connected(*widths) if full else _convolutional(widths[0])
    return _initialise(network, generator)


def load(name: str, parameters: dict[str, Tensor]) -> nn.Sequential:
    """Return the named network with the given parameters, in evaluation mode and without gradients.

    Args:
        name: name understood by `build`.
        parameters: at least the network's own, by name; others are ignored.

    Raises:
        ValueError: an unknown name, or a parameter that is missing or of another shape.
    """
    network = build(name)
    for key, own in network.state_dict().items():
        if key not in parameters or parameters[key].shape != own.shape:
            found = f"shape {tuple(parameters[key].shape)}" if key in parameters else "none"
            raise ValueError(f"parameters: got {found} for {key}; required shape {tuple(own.shape)}")
    network.load_state_dict({key: parameters[key] for key in network.state_dict()})
    return network.eval().requires_grad_(False)


def _fully_connected(*widths: int) -> nn.Sequential:
    sizes = [SIDE * SIDE, *widths, CLASSES]
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _convolutional(channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in [1, channels, channels, channels]:
        layers += [nn.Conv2d(inputs, channels, 5), nn.ReLU()]
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36 * channels, 256), nn.ReLU(), nn.Linear(256, CLASSES)]
    return nn.Sequential(*layers, *head)


@torch.no_grad()
def _initialise(network: nn.Sequential, generator: torch.Generator | None) -> nn.Sequential:
    for layer in network:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            bound = layer.weight[0].numel() ** -0.5
            for parameter in layer.parameters():
                parameter.uniform_(-bound, bound, generator=generator)
    return network
