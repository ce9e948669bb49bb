r"""Where on a chord of parameters to evaluate a chain: exactly for ReLU, adaptively for smooth activations.

Between kinks the outputs of a ReLU chain of $L$ linear layers are polynomials of degree $L$ in $t$ and their
gradients of degree $L - 1$, so Gauss-Legendre with $\lceil L/2\rceil$ nodes on each piece is exact. Kinks are
roots of pre-activations, of degree $l$ in layer $l$ on the pieces of the layers below.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neighborhoods.kernels.chains import Chain, Chord, Nodes, affine, trace
from neighborhoods.kernels.polynomial_roots import interpolate, may_vanish, unit_roots

_rule = cache(np.polynomial.legendre.leggauss)


class Pieces(NamedTuple):
    """Intervals of the chord, those of each point in order and together covering [0, 1]."""

    owner: Int64[Tensor, " pieces"]
    low: Float[Tensor, " pieces"]
    high: Float[Tensor, " pieces"]


def gauss_legendre(count: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nodes and weights on [0, 1]."""
    x, weight = _rule(count)
    return like.new_tensor((x + 1) / 2), like.new_tensor(weight / 2)


def pieces(chain: Chain, chord: Chord, points: Float[Tensor, "m in"]) -> Pieces:
    """Return the intervals of [0, 1] on which no unit of a ReLU chain changes its state; [0, 1] if smooth."""
    owner = torch.arange(len(points), device=points.device)
    whole = Pieces(owner, points.new_zeros(len(points)), points.new_ones(len(points)))
    if not chain.kinked:
        return whole
    for layer in range(1, len(chain.shapes)):
        whole = split(whole, *_kinks(chain, chord, points, whole, layer))
    return whole


def nodes_on(found: Pieces, count: int) -> Nodes:
    """Return Gauss-Legendre nodes on every piece."""
    x, weight = gauss_legendre(count, found.low)
    length = found.high - found.low
    t = found.low[:, None] + length[:, None] * x
    return Nodes(found.owner.repeat_interleave(count), t.flatten(), (length[:, None] * weight).flatten())


def exact_count(chain: Chain) -> int:
    """Return how many nodes a piece needs where the gradient is a polynomial in t."""
    return (len(chain.shapes) + 1) // 2


def _kinks(
    chain: Chain, chord: Chord, points: Tensor, found: Pieces, layer: int
) -> tuple[Int64[Tensor, " kinks"], Float[Tensor, " kinks"]]:
    """Return the pieces and positions in (0, 1) of sign changes of the pre-activations of one layer."""
    at, _ = gauss_legendre(layer + 1, points)
    values = _preactivations(chain, chord, points, nodes_on(found, layer + 1), layer)
    values = values.view(len(found.low), layer + 1, -1).transpose(0, 1)
    candidates = may_vanish(values.flatten(1), at).nonzero()[:, 0]
    # In double precision also for single: the pieces are then as exact as the pre-activations are.
    coefficients = interpolate(values.flatten(1)[:, candidates].double(), at.double())
    u = unit_roots(coefficients).to(points.dtype)
    piece = (candidates // values.shape[2])[:, None].expand_as(u)
    inside = (u > 0) & (u < 1)
    return piece[inside], u[inside]


def _preactivations(chain: Chain, chord: Chord, points: Tensor, nodes: Nodes, layer: int) -> Tensor:
    """Return $z^l$ at the nodes, by running the layers up to it only."""
    short = chain._replace(shapes=chain.shapes[:layer], activations=chain.activations[: layer - 1], head=None)
    change = None if chord.change is None else chord.change[:layer]
    return trace(short, Chord(chord.start[:layer], change), points, nodes).last


def split(found: Pieces, piece: Tensor, u: Tensor) -> Pieces:
    """Cut pieces at positions given relative to them."""
    cut = found.low[piece] + u * (found.high - found.low)[piece]
    owner = torch.cat([found.owner, found.owner[piece]])
    low = torch.cat([found.low, cut])
    order = low.argsort(stable=True)
    order = order[owner[order].argsort(stable=True)]
    owner, low = owner[order], low[order]
    last = torch.ones_like(owner, dtype=torch.bool)
    last[:-1] = owner[1:] != owner[:-1]
    return Pieces(owner, low, torch.where(last, 1.0, low.roll(-1)))


class HiddenAverages(NamedTuple):
    r"""Averages over a chord for one hidden ReLU layer.

    Attributes:
        active: $\int_0^1 1[z(t) > 0]dt$.
        moment: $\int_0^1 t\,1[z(t) > 0]dt$.
        activation: $\int_0^1 \max(z(t), 0)dt$.
        change: $z(1) - z(0)$.
    """

    active: Float[Tensor, "m h"]
    moment: Float[Tensor, "m h"]
    activation: Float[Tensor, "m h"]
    change: Float[Tensor, "m h"]


def hidden_averages(chain: Chain, chord: Chord, points: Float[Tensor, "m in"]) -> HiddenAverages:
    """Integrate one hidden ReLU layer in closed form: each unit is active on one interval of $t$.

    Raises:
        ValueError: a chord without a change.
    """
    if chord.change is None:
        raise ValueError("chord: got a single state; required a start and a change")
    z, change = affine(chord.start[0], points), affine(chord.change[0], points)
    end = z + change
    total = z.relu() + end.relu()
    # Of the two ends one is 0 where the sign changes, so that this is the share of the chord above 0.
    active = total / (z.abs() + end.abs()).clamp_min(torch.finfo(z.dtype).tiny)
    half = active * active / 2
    moment = torch.where(z > 0, half, active - half)
    return HiddenAverages(active, moment, active * total / 2, change)
