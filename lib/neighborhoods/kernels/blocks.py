"""Convolutional networks, rewritten to fill the processor's vectors: blocks of pixels, channels innermost."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

WIDEST = 8  # channels up to which four times as many, on a quarter of the pixels, are faster


def on_blocks(network: nn.Sequential, points: Float[Tensor, "points ..."]) -> nn.Sequential | None:
    r"""Return the network that takes `pixel_unshuffle(points, 2)` and gives the same logits.

    A convolution with an odd kernel $K$ becomes one with kernel $(K + 1) / 2$ from blocks to blocks: pixel
    $(2Y + a, 2X + b)$ reads pixel $(2Y + a + i, 2X + b + j)$, which lies $\lfloor (a + i) / 2 \rfloor$ blocks
    down and $\lfloor (b + j) / 2 \rfloor$ to the right. A maximum over 2x2 pixels becomes one over the four
    places of a block.

    Returns:
        None unless the network is a `Sequential` of plain convolutions of few channels and rectifiers, then
        a 2x2 maximum, then anything, and the points are images of even sides.
    """
    end = next((i for i, module in enumerate(network) if _halves(module)), 0)
    head = network[:end]
    plain = all(isinstance(module, nn.ReLU) or _narrow(module) for module in head)
    even = points.ndim == 4 and points.shape[2] % 2 == 0 and points.shape[3] % 2 == 0
    if not (end and plain and even):
        return None
    layers = [_blocked(module) if isinstance(module, nn.Conv2d) else module for module in head]
    return channels_innermost(nn.Sequential(*layers, _Largest(), *network[end + 1 :]))


def channels_innermost(network: nn.Sequential) -> nn.Sequential:
    """Return the network with copies of its convolutions that keep the channels of a pixel side by side.

    A rectifier right behind a convolution overwrites what it reads: fresh memory costs more than arithmetic.
    """
    layers: list[nn.Module] = []
    for before, module in zip([None, *network], network, strict=False):
        if isinstance(module, nn.Conv2d):
            layers.append(copy.deepcopy(module).to(memory_format=torch.channels_last))
        elif isinstance(module, nn.ReLU) and isinstance(before, nn.Conv2d):
            layers.append(nn.ReLU(inplace=True))
        else:
            layers.append(module)
    return nn.Sequential(*layers)


class _Largest(nn.Module):
    """The maximum over the four places of each block."""

    def forward(self, maps: Tensor) -> Tensor:
        first, second, third, fourth = maps.unflatten(1, (-1, 4)).unbind(2)
        return torch.maximum(torch.maximum(first, second), torch.maximum(third, fourth))


def _blocked(layer: nn.Conv2d) -> nn.Conv2d:
    outputs, inputs, side, _ = layer.weight.shape
    half = (side + 1) // 2
    kernels = []
    for place in range(4):
        a, b = divmod(place, 2)
        shifted = functional.pad(layer.weight.detach(), (b, 1 - b, a, 1 - a))
        parts = shifted.reshape(outputs, inputs, half, 2, half, 2).permute(0, 1, 3, 5, 2, 4)
        kernels.append(parts.reshape(outputs, 4 * inputs, half, half))
    weight = torch.stack(kernels, 1).flatten(0, 1)
    blocked = nn.Conv2d(4 * inputs, 4 * outputs, half, device=weight.device, dtype=weight.dtype)
    bias = torch.zeros(outputs).to(weight) if layer.bias is None else layer.bias.detach()
    blocked.load_state_dict({"weight": weight, "bias": bias.repeat_interleave(4)})
    return blocked.requires_grad_(False)


def _narrow(layer: nn.Module) -> bool:
    return (
        isinstance(layer, nn.Conv2d)
        and layer.out_channels <= WIDEST
        and layer.kernel_size[0] == layer.kernel_size[1]
        and layer.kernel_size[0] % 2 == 1
        and (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding in ((0, 0), "valid")
    )


def _halves(layer: nn.Module) -> bool:
    return isinstance(layer, nn.MaxPool2d) and repr(layer) == repr(nn.MaxPool2d(2))
