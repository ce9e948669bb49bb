"""Gradients of networks as dense vectors of all parameters, for any module and any rule of training.

A chain forms them from its factors, exactly integrated; any other module through `torch.func`, in chunks of
examples, averaged over the chord by Gauss-Legendre.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.functional import jvp
from torch.func import functional_call, jacrev, vjp, vmap

from neighborhoods.kernels.chains import Chain, Chord, outputs_of, trace, unpack
from neighborhoods.kernels.chord_nodes import gauss_legendre
from neighborhoods.kernels.path_factors import Factor, at_state, averaged, total

MOST_NODES = 32


class Average(NamedTuple):
    """$G_s(x)$, its estimated relative error, and how many nodes it took."""

    gradient: Float[Tensor, "m K parameters"]
    estimate: float
    nodes: int


class Change(NamedTuple):
    r"""$\langle G_s(x), \Delta w_s\rangle$, the estimated relative error, and how many nodes it took."""

    value: Float[Tensor, "m K"]
    estimate: float
    nodes: int


@runtime_checkable
class Features(Protocol):
    """What the dense route asks of a network; the states are flat vectors of parameters."""

    @property
    def size(self) -> int:
        """Return the number of parameters."""

    def outputs(self, state: Tensor, points: Tensor) -> Tensor:
        r"""Return $\hat y_w(x)$, `(m, K)`."""

    def jacobian(self, state: Tensor, points: Tensor) -> Tensor:
        r"""Return $\nabla_w\hat y_w(x)$, `(m, K, parameters)`."""

    def gradient(self, state: Tensor, points: Tensor, seed: Tensor) -> Tensor:
        r"""Return $\sum_k c_k\nabla_w\hat y_{w,k}(x)$, `(m, parameters)`, for seeds `(m, K)`."""

    def averaged(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Average:
        """Return the Jacobian averaged over the chord."""

    def change(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Change:
        """Return its product with the chord, which is the change of the outputs."""


class ChainFeatures(NamedTuple):
    """Dense gradients of a chain, as outer products of its factors."""

    chain: Chain
    size: int

    def outputs(self, state: Tensor, points: Tensor) -> Tensor:
        """See `Features`."""
        return outputs_of(self.chain, trace(self.chain, Chord(unpack(self.chain, state), None), points))

    def jacobian(self, state: Tensor, points: Tensor) -> Tensor:
        """See `Features`."""
        factors = at_state(self.chain, Chord(unpack(self.chain, state), None), points)
        return _assemble(factors, len(points), self.chain.outputs)

    def gradient(self, state: Tensor, points: Tensor, seed: Tensor) -> Tensor:
        """See `Features`."""
        factors = at_state(self.chain, Chord(unpack(self.chain, state), None), points, seed[:, None, :])
        return _assemble(factors, len(points), 1)[:, 0]

    def averaged(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Average:
        """See `Features`."""
        chord = Chord(unpack(self.chain, start), unpack(self.chain, end - start))
        found = averaged(self.chain, chord, points, tolerance=tolerance)
        dense = _assemble(found.factors, len(points), self.chain.outputs)
        return Average(dense, found.estimate, found.nodes)

    def change(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Change:
        """See `Features`."""
        chord = Chord(unpack(self.chain, start), unpack(self.chain, end - start))
        found = averaged(self.chain, chord, points, tolerance=tolerance)
        return Change(found.change, found.estimate, found.nodes)


def _assemble(factors: list[Factor], count: int, rows: int) -> Float[Tensor, "m r parameters"]:
    """Lay the gradients of all layers side by side, weights before biases."""
    first = factors[0].activation
    size = sum(
        (rows if f.delta is None else f.delta.shape[2]) * (f.activation.shape[1] + f.biased) for f in factors
    )
    whole, position = first.new_empty((count, rows, size)), 0
    for delta, activation, owner, biased in factors:
        identity = torch.eye(rows, dtype=first.dtype, device=first.device).expand(count, rows, rows)
        seed = identity if delta is None else delta
        (_, _, h), inputs = seed.shape, activation.shape[1]
        weights = whole[..., position : position + h * inputs].unflatten(2, (h, inputs))
        if owner is None:
            torch.mul(seed[..., None], activation[:, None, None], out=weights)
        else:
            weights.copy_(_summed(seed, activation, owner, count))
        position += h * inputs
        if biased:
            whole[..., position : position + h] = seed if owner is None else total(seed, owner, count)
            position += h
    return whole


def _summed(delta: Tensor, inputs: Tensor, owner: Tensor, count: int) -> Float[Tensor, "m r h in"]:
    """Return the sums of outer products over the nodes of each point, nodes being padded to equal number."""
    held = owner.bincount(minlength=count)
    place = torch.arange(len(owner), device=owner.device) - (held.cumsum(0) - held)[owner]
    most, (r, h) = int(held.amax()) if count else 0, delta.shape[1:]
    left = delta.new_zeros((count, most, r * h)).index_put_((owner, place), delta.flatten(1))
    right = inputs.new_zeros((count, most, inputs.shape[1])).index_put_((owner, place), inputs)
    return (left.transpose(1, 2) @ right).view(count, r, h, -1)


class ModuleFeatures(NamedTuple):
    """Dense gradients of any module, through `torch.func`, some examples at a time."""

    network: nn.Module
    size: int
    chunk: int

    def outputs(self, state: Tensor, points: Tensor) -> Tensor:
        """See `Features`."""
        with torch.no_grad():
            return self._call(self._named(state), points)

    def jacobian(self, state: Tensor, points: Tensor) -> Tensor:
        """See `Features`."""
        found: Tensor = vmap(jacrev(self._one), in_dims=(None, 0), chunk_size=self.chunk)(state, points)
        return found.detach()

    def gradient(self, state: Tensor, points: Tensor, seed: Tensor) -> Tensor:
        """See `Features`."""

        def pull(point: Tensor, cotangent: Tensor) -> Tensor:
            back: Callable[[Tensor], tuple[Tensor]] = vjp(lambda w: self._one(w, point), state)[1]
            return back(cotangent)[0]

        found: Tensor = vmap(pull, chunk_size=self.chunk)(points, seed)
        return found.detach()

    def averaged(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Average:
        """See `Features`."""
        return Average(*_adaptive(lambda state: self.jacobian(state, points), start, end, tolerance))

    def change(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Change:
        """See `Features`."""

        def along(state: Tensor) -> Tensor:
            # Twice backward: forward mode compiles parts of torch that warn of their own age.
            derivative: Tensor = jvp(lambda w: self._call(self._named(w), points), state, end - start)[1]
            return derivative.detach()

        return Change(*_adaptive(along, start, end, tolerance))

    def _one(self, state: Tensor, point: Tensor) -> Tensor:
        return self._call(self._named(state), point[None])[0]

    def _named(self, state: Tensor) -> dict[str, Tensor]:
        named = dict(self.network.named_parameters())
        parts = state.split([value.numel() for value in named.values()])
        return {key: part.view_as(named[key]) for key, part in zip(named, parts, strict=True)}

    def _call(self, parameters: Mapping[str, Tensor], points: Tensor) -> Tensor:
        result: Tensor = functional_call(self.network, dict(parameters), (points,))
        return result


def _adaptive(
    value: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, tolerance: float
) -> tuple[Tensor, float, int]:
    """Average a function over the chord, doubling the nodes until that changes little, and report both."""
    count, coarse = 2, _average(value, start, end, 1)
    while True:
        fine = _average(value, start, end, count)
        scale = float(fine.abs().amax()) if fine.numel() else 0.0
        estimate = float(coarse.sub_(fine).abs_().amax()) / scale if scale else 0.0
        if estimate <= tolerance or 2 * count > MOST_NODES:
            return fine, estimate, count
        coarse, count = fine, 2 * count


def _average(value: Callable[[Tensor], Tensor], start: Tensor, end: Tensor, count: int) -> Tensor:
    t, weight = gauss_legendre(count, start)
    mean = value(torch.lerp(start, end, t[0])) * weight[0]
    for position, share in zip(t[1:], weight[1:], strict=True):
        mean.add_(value(torch.lerp(start, end, position)).mul_(share))
    return mean
