"""Gradients of networks as dense vectors of all parameters: what is asked of them, and those of a chain.

A chain forms them from its factors, exactly integrated; for any other module see `module_features`.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from neighborhoods.kernels.chains import Chain, Chord, outputs_of, trace, unpack
from neighborhoods.kernels.path_factors import Factor, at_state, averaged, total


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

    def within(self, memory: int, each: int) -> tuple["Features", int]:
        """Return features that fit into so many bytes, and what they need where a Jacobian takes `each`."""

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

    def within(self, memory: int, each: int) -> tuple["ChainFeatures", int]:
        """See `Features`; the factors of a chain are small against its gradients."""
        return self, 0

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
