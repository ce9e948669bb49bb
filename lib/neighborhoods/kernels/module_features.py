r"""Dense gradients of any module, through `torch.func`, some at a time, averaged over chords piece by piece.

Each point has its own kinks, hence its own positions on the chord: a row is a point at a position. Networks
of affine maps, rectifiers and maxima are integrated exactly: between kinks their gradients are polynomials.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vjp, vmap

from neighborhoods.kernels.chord_nodes import Pieces, nodes_on
from neighborhoods.kernels.module_pieces import module_pieces, signed, switches
from neighborhoods.kernels.path_features import Average, Change

MOST_NODES = 32

RowValue = Callable[[Tensor, Tensor], Tensor]
"""A position and a point, to a value there."""


class ModuleFeatures(NamedTuple):
    """A module with flat parameters; see `path_features.Features`."""

    network: nn.Module
    size: int
    chunk: int

    def within(self, memory: int, each: int) -> tuple["ModuleFeatures", int]:
        """See `Features`; a row takes three Jacobians while it is made."""
        rows = max(1, min(self.chunk, memory // (3 * each)))
        return self._replace(chunk=rows), 3 * rows * each

    def outputs(self, state: Tensor, points: Tensor) -> Tensor:
        """See `Features`."""
        with torch.no_grad():
            return self._call(state, points)

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

        def gradient(t: Tensor, point: Tensor) -> Tensor:
            found: Tensor = jacrev(self._one)(torch.lerp(start, end, t), point)
            return found

        found = self._pieces(start, end, points, tolerance)
        return Average(*_integrate(gradient, found, points, tolerance, self.chunk))

    def change(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Change:
        """See `Features`."""

        def slope(t: Tensor, point: Tensor) -> Tensor:
            found: Tensor = jacrev(lambda u: self._one(torch.lerp(start, end, u), point))(t)
            return found

        found = self._pieces(start, end, points, tolerance)
        return Change(*_integrate(slope, found, points, tolerance, self.chunk))

    def _pieces(self, start: Tensor, end: Tensor, points: Tensor, tolerance: float) -> Pieces:
        def states(t: Tensor, point: Tensor) -> Tensor:
            return switches(self.network, lambda: self._one(torch.lerp(start, end, t), point))

        def signature(t: Tensor, some: Tensor) -> Tensor:
            parts = zip(t.split(self.chunk), some.split(self.chunk), strict=True)
            with torch.no_grad():
                return torch.cat([signed(vmap(states)(*part)) for part in parts])

        return module_pieces(signature, points, tolerance)

    def _one(self, state: Tensor, point: Tensor) -> Tensor:
        return self._call(state, point[None])[0]

    def _call(self, state: Tensor, points: Tensor) -> Tensor:
        named = dict(self.network.named_parameters())
        parts = state.split([value.numel() for value in named.values()])
        parameters = {key: part.view_as(named[key]) for key, part in zip(named, parts, strict=True)}
        result: Tensor = functional_call(self.network, parameters, (points,))
        return result


def _integrate(
    value: RowValue, found: Pieces, points: Tensor, tolerance: float, rows: int
) -> tuple[Float[Tensor, " m *rest"], float, int]:
    """Average over the chord of each point, doubling the nodes where that changes much; see `Average`."""
    mean = _mean(value, found, points, count=1, rows=rows)
    error = mean.new_zeros(len(points))
    active, count, most = torch.arange(len(points), device=points.device), 2, 0
    while True:
        part = _of(found, active)
        fine = _mean(value, part, points[active], count=count, rows=rows)
        error[active] = (mean[active] - fine).flatten(1).abs().amax(1)
        mean[active] = fine
        most = max(most, int(part.owner.bincount().amax()) * count)
        bound = tolerance * mean.abs().amax()
        active = (error > bound).nonzero()[:, 0]
        if not len(active) or 2 * count > MOST_NODES:
            scale = float(mean.abs().amax())
            return mean, float(error.amax()) / scale if scale else 0.0, most
        count *= 2


def _of(found: Pieces, chosen: Tensor) -> Pieces:
    """Return the pieces of some points, in ascending order, numbered anew."""
    kept = torch.isin(found.owner, chosen)
    return Pieces(torch.searchsorted(chosen, found.owner[kept]), found.low[kept], found.high[kept])


def _mean(
    value: RowValue, found: Pieces, points: Tensor, *, count: int, rows: int
) -> Float[Tensor, " m *rest"]:
    """Return the weighted sum over the nodes of each point, so many rows at once."""
    nodes, mean = nodes_on(found, count), None
    for owner, t, weight in zip(*(part.split(rows) for part in nodes), strict=True):
        values = vmap(value)(t, points[owner]).detach()
        values *= weight.view(-1, *[1] * (values.ndim - 1))
        mean = values.new_zeros((len(points), *values.shape[1:])) if mean is None else mean
        mean.index_add_(0, owner, values)
    return points.new_zeros(0) if mean is None else mean
