"""The path kernel of one step from Jacobians: averaged over t first, and as the draft does it."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

CHUNK = 50


def averaged_first(
    network: nn.Module, start: Tensor, end: Tensor, queries: Tensor, points: Tensor, *, nodes: int
) -> Iterator[Tensor]:
    """Yield the parts of the kernel, one for every 50 examples, after an empty one for each node."""
    x, weights = np.polynomial.legendre.leggauss(nodes)
    mean = None
    for t, share in zip(((x + 1) / 2).tolist(), (weights / 2).tolist(), strict=True):
        found = jacobian(network, start + t * (end - start), queries).mul_(share)
        mean = found if mean is None else mean.add_(found)
        yield queries.new_zeros(0)
    for part in points.split(CHUNK):
        block = mean.flatten(0, 1) @ jacobian(network, start, part).flatten(0, 1).T
        yield block.view(len(queries), -1, len(part), mean.shape[1]).transpose(1, 2)


def literal(
    network: nn.Module, start: Tensor, end: Tensor, queries: Tensor, points: Tensor, *, nodes: int
) -> Iterator[Tensor]:
    """Yield the kernel as summed so far, node by node: K x K products for each pair at each of them."""
    total = None
    other = jacobian(network, start, points)
    for node in range(nodes):
        own = jacobian(network, start + node / nodes * (end - start), queries)
        products = torch.stack([torch.stack([one @ two.T for two in other]) for one in own]) / nodes
        total = products if total is None else total + products
        yield total


def jacobian(network: nn.Module, state: Tensor, points: Tensor) -> Tensor:
    """Return the Jacobians of points one by one, as `torch.func` makes them."""
    named = dict(network.named_parameters())
    parts = state.split([value.numel() for value in named.values()])
    parameters = {key: part.view_as(named[key]) for key, part in zip(named, parts, strict=True)}

    def one(values: dict[str, Tensor], point: Tensor) -> Tensor:
        return functional_call(network, values, (point[None],))[0]

    found = vmap(jacrev(one), in_dims=(None, 0), chunk_size=CHUNK)(parameters, points)
    return torch.cat([value.detach().flatten(2) for value in found.values()], 2)
