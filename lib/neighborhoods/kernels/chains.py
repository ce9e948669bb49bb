r"""Chains of Linear layers and activations: values and sensitivities along a chord of parameters.

For a linear layer gradients of outputs are $\nabla_W y_k = \delta_k \otimes a$ and $\nabla_b y_k = \delta_k$,
so an inner product of gradients is $(\delta_k\cdot\delta'_l)(a\cdot a' + 1)$ and no Jacobian is ever formed.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

SMOOTH = (nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Softplus)
HEADS = (nn.LogSoftmax, nn.Softmax)


class Chain(NamedTuple):
    """Linear layers with activations between them.

    Attributes:
        shapes: outputs, inputs and whether there is a bias, for each linear layer.
        activations: what stands between them; Identity where nothing does.
        head: LogSoftmax or Softmax over the outputs, or None.
        kinked: whether the activations are ReLU (or Identity), not smooth.
    """

    shapes: tuple[tuple[int, int, bool], ...]
    activations: tuple[nn.Module, ...]
    head: nn.Module | None
    kinked: bool

    @property
    def outputs(self) -> int:
        """Number of outputs, $K$."""
        return self.shapes[-1][0]

    @property
    def polynomial(self) -> bool:
        """Whether outputs are piecewise polynomials of the position on a chord."""
        return self.kinked and self.head is None


class Nodes(NamedTuple):
    """Positions on the chord, each for one of the points, with the weights of a quadrature."""

    owner: Int64[Tensor, " n"]
    t: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]


Layer = tuple[Tensor, Tensor | None]


class Chord(NamedTuple):
    r"""Layers at $w(t) = w + t\,\Delta w$; without a change, at $w$."""

    start: list[Layer]
    change: list[Layer] | None


class Trace(NamedTuple):
    """Inputs $a^{l-1}$ and slopes $A'(z^l)$ of the layers, and the last pre-activation."""

    inputs: list[Tensor]
    slopes: list[Tensor]
    last: Tensor


def chain_of(network: nn.Module) -> Chain | None:
    """Read a network as a chain, or return None where it is none (or mixes ReLU with smooth activations)."""
    modules = _modules(network)
    head = modules.pop() if modules and type(modules[-1]) in HEADS and _over_outputs(modules[-1]) else None
    linear = [module for module in modules if type(module) is nn.Linear]
    between: list[nn.Module] = []
    for before, module in zip([None, *modules], modules, strict=False):
        if type(module) is nn.Linear:
            between += [nn.Identity()] if type(before) is nn.Linear else []
        elif type(before) is nn.Linear and type(module) in (nn.ReLU, *SMOOTH):
            between.append(module)
        else:
            return None
    found = {type(module) for module in between} - {nn.Identity}
    whole = (
        linear and len(between) == len(linear) - 1 and len({id(module) for module in linear}) == len(linear)
    )
    if not whole or (nn.ReLU in found and len(found) > 1):
        return None
    shapes = tuple((layer.out_features, layer.in_features, layer.bias is not None) for layer in linear)
    return Chain(shapes, tuple(between), head, nn.ReLU in found or not found)


def _modules(network: nn.Module) -> list[nn.Module]:
    """Return the modules of nested Sequentials in order, without a leading Flatten and Identities."""
    if type(network) is not nn.Sequential:
        return [network]
    flat = [module for child in network for module in _modules(child) if type(module) is not nn.Identity]
    plain = flat and type(flat[0]) is nn.Flatten and (flat[0].start_dim, flat[0].end_dim) == (1, -1)
    return flat[1:] if plain else flat


def _over_outputs(head: nn.Module) -> bool:
    return isinstance(head, nn.LogSoftmax | nn.Softmax) and head.dim in (1, -1)


def unpack(chain: Chain, state: Float[Tensor, " parameters"]) -> list[Layer]:
    """Cut a flat vector of parameters into weights and biases, without copying."""
    layers: list[Layer] = []
    position = 0
    for outputs, inputs, biased in chain.shapes:
        weight = state[position : position + outputs * inputs].view(outputs, inputs)
        position += outputs * inputs
        layers.append((weight, state[position : position + outputs] if biased else None))
        position += outputs * biased
    return layers


def affine(layer: Layer, inputs: Float[Tensor, "n in"]) -> Float[Tensor, "n out"]:
    """Return $Wa + b$ for each row."""
    weight, bias = layer
    return inputs @ weight.T if bias is None else torch.addmm(bias, inputs, weight.T)


def trace(chain: Chain, chord: Chord, points: Float[Tensor, "m in"], nodes: Nodes | None = None) -> Trace:
    """Evaluate the chain at each node, or at the start of the chord for each point."""
    start, change = chord
    z = affine(start[0], points)
    if nodes is not None and change is not None:
        z = torch.addcmul(z[nodes.owner], nodes.t[:, None], affine(change[0], points)[nodes.owner])
    inputs, slopes = [points if nodes is None else points[:0]], []
    for index, activation in enumerate(chain.activations, start=1):
        a, slope = activate(activation, z)
        inputs.append(a)
        slopes.append(slope)
        z = affine(start[index], a)
        if nodes is not None and change is not None:
            z.addcmul_(nodes.t[:, None], affine(change[index], a))
    return Trace(inputs, slopes, z)


def activate(
    activation: nn.Module, z: Float[Tensor, "n h"]
) -> tuple[Float[Tensor, "n h"], Float[Tensor, "n h"]]:
    """Return $A(z)$ and $A'(z)$; the slope of ReLU at 0 is 0, as in torch."""
    if isinstance(activation, nn.ReLU):
        return z.relu(), (z > 0).to(z.dtype)
    if isinstance(activation, nn.Identity):
        return z, torch.ones_like(z)
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        a = activation(leaf)
        slope = torch.autograd.grad(a.sum(), leaf)[0]
    return a.detach(), slope


def outputs_of(chain: Chain, found: Trace) -> Float[Tensor, "n K"]:
    r"""Return $\hat y$ from a trace."""
    result: Tensor = found.last if chain.head is None else chain.head(found.last)
    return result


def sensitivities(
    chain: Chain,
    chord: Chord,
    found: Trace,
    nodes: Nodes | None = None,
    seed: Float[Tensor, "n r K"] | None = None,
) -> list[Tensor | None]:
    r"""Return $\delta^l = \partial(\mathrm{seed}\cdot\hat y)/\partial z^l$, `(n, r, h_l)`, for each layer.

    Without a seed each output is one row, and the last layer without a head has None for the identity.
    """
    start, change = chord
    delta = _of_head(chain, found, seed)
    result: list[Tensor | None] = [delta]
    for index in range(len(start) - 1, 0, -1):
        moving = None if nodes is None or change is None else change[index][0]
        below = start[index][0] if delta is None else delta @ start[index][0]
        if moving is not None and nodes is not None:
            more = moving if delta is None else delta @ moving
            below = torch.addcmul(below, nodes.t[:, None, None], more)
        delta = below * found.slopes[index - 1][:, None, :]
        result.append(delta)
    return result[::-1]


def _of_head(chain: Chain, found: Trace, seed: Tensor | None) -> Tensor | None:
    if chain.head is None:
        return seed
    p = found.last.softmax(1)
    identity = torch.eye(chain.outputs, dtype=p.dtype, device=p.device)
    jacobian = identity - p[:, None, :]
    if isinstance(chain.head, nn.Softmax):
        jacobian = p[:, :, None] * jacobian
    return jacobian if seed is None else seed @ jacobian
