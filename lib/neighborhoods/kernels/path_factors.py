"""The factors that gradients of a chain are products of: averaged over a chord, or at one state.

Averages over $t$ are taken before any product with a training example. The first layer's input and, without a
head, the last layer's sensitivity do not depend on $t$: these layers need one factor a point, the others one
for each node.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from neighborhoods.kernels.chains import Chain, Chord, Trace, affine, sensitivities, trace
from neighborhoods.kernels.chord_nodes import Pieces, exact_count, hidden_averages, nodes_on, pieces

MOST_NODES = 64


class Factor(NamedTuple):
    r"""Rows whose sum over each point is one layer's gradient, $\sum \delta\otimes(a, 1)$.

    Attributes:
        delta: sensitivities with the weights of quadrature in them; None for the identity.
        activation: inputs of the layer.
        owner: the point of each row; None where rows are points.
        biased: whether the layer has a bias.
    """

    delta: Float[Tensor, "n r h"] | None
    activation: Float[Tensor, "n in"]
    owner: Int64[Tensor, " n"] | None
    biased: bool


class Averaged(NamedTuple):
    r"""Gradients averaged over a chord.

    Attributes:
        factors: one for each layer.
        change: $\langle G_s(x), \Delta w_s\rangle$.
        estimate: relative error of quadrature, estimated; 0 where the rule is exact.
        nodes: greatest number of nodes of a point; 0 for the closed form.
        rule: number of nodes on each piece; 0 for the closed form.
    """

    factors: list[Factor]
    change: Float[Tensor, "m K"]
    estimate: float
    nodes: int
    rule: int


def at_state(
    chain: Chain, chord: Chord, points: Float[Tensor, "m in"], seed: Float[Tensor, "m r K"] | None = None
) -> list[Factor]:
    r"""Return the factors of $g_s(x) = \nabla_w\hat y_{w_s}(x)$, contracted with a seed if there is one."""
    return traced(chain, chord, trace(chain, chord, points), seed)


def traced(
    chain: Chain, chord: Chord, found: Trace, seed: Float[Tensor, "m r K"] | None = None
) -> list[Factor]:
    """Return the factors of `at_state` from values already computed."""
    deltas = sensitivities(chain, chord, found, seed=seed)
    return [
        Factor(delta, a, None, shape[2])
        for delta, a, shape in zip(deltas, found.inputs, chain.shapes, strict=True)
    ]


def averaged(
    chain: Chain, chord: Chord, points: Float[Tensor, "m in"], *, tolerance: float, count: int = 2
) -> Averaged:
    r"""Return the factors of $G_s(x) = \int_0^1\nabla_w\hat y_{w_s(t)}(x)dt$.

    Exactly for ReLU without a head. Otherwise the number of nodes on each piece is doubled, starting with
    `count`, until doubling changes the averages of $\delta$ and $a$ by less than the tolerance, relative to
    their greatest value; the result is that of the doubled rule.
    """
    if chain.polynomial and len(chain.shapes) == 2 and isinstance(chain.activations[0], nn.ReLU):
        return _closed_form(chain, chord, points)
    found = pieces(chain, chord, points)
    if chain.polynomial:
        rule = exact_count(chain)
        factors, _ = _on_nodes(chain, chord, points, found, rule)
        return Averaged(factors, _change(chord, factors, points), 0.0, _most(found, rule), rule)
    _, coarse = _on_nodes(chain, chord, points, found, count)
    while True:
        factors, fine = _on_nodes(chain, chord, points, found, 2 * count)
        estimate = max((_relative(a, b) for a, b in zip(coarse, fine, strict=True)), default=0.0)
        if estimate <= tolerance or 4 * count > MOST_NODES:
            change = _change(chord, factors, points)
            return Averaged(factors, change, estimate, _most(found, 2 * count), 2 * count)
        coarse, count = fine, 2 * count


def _closed_form(chain: Chain, chord: Chord, points: Tensor) -> Averaged:
    found = hidden_averages(chain, chord, points)
    delta = chord.start[1][0] * found.active[:, None, :]
    if chord.change is not None:
        delta.addcmul_(chord.change[1][0], found.moment[:, None, :])
    factors = [
        Factor(delta, points, None, chain.shapes[0][2]),
        Factor(None, found.activation, None, chain.shapes[1][2]),
    ]
    return Averaged(factors, _change(chord, factors, points, found.change), 0.0, 0, 0)


def _on_nodes(
    chain: Chain, chord: Chord, points: Tensor, found: Pieces, count: int
) -> tuple[list[Factor], list[Tensor]]:
    """Return the factors by quadrature, and the averages by which two rules are compared."""
    nodes = nodes_on(found, count)
    along = trace(chain, chord, points, nodes)
    deltas = sensitivities(chain, chord, along, nodes)
    factors, averages = [], []
    for layer, (delta, a, shape) in enumerate(zip(deltas, along.inputs, chain.shapes, strict=True)):
        weighted = None if delta is None else delta * nodes.weight[:, None, None]
        if layer == 0:
            mean = None if weighted is None else total(weighted, nodes.owner, len(points))
            factors.append(Factor(mean, points, None, shape[2]))
            averages += [] if mean is None else [mean]
            continue
        average = total(a * nodes.weight[:, None], nodes.owner, len(points))
        averages.append(average)
        if weighted is None:
            factors.append(Factor(None, average, None, shape[2]))
        else:
            factors.append(Factor(weighted, a, nodes.owner, shape[2]))
            averages.append(total(weighted, nodes.owner, len(points)))
    return factors, averages


def total(
    rows: Float[Tensor, " n *rest"], owner: Int64[Tensor, " n"], count: int
) -> Float[Tensor, " m *rest"]:
    """Return the sum of the rows of each point."""
    return rows.new_zeros((count, *rows.shape[1:])).index_add_(0, owner, rows)


def _change(
    chord: Chord, factors: list[Factor], points: Tensor, first: Tensor | None = None
) -> Float[Tensor, "m K"]:
    """Return the directional derivative along the chord; `first`, if known, is how the first layer moves."""
    terms = []
    for index, (factor, layer) in enumerate(zip(factors, chord.change or [], strict=True)):
        moved = affine(layer, factor.activation) if index or first is None else first
        if factor.delta is not None:
            moved = torch.linalg.vecdot(factor.delta, moved[:, None])
        terms.append(moved if factor.owner is None else total(moved, factor.owner, len(points)))
    return torch.stack(terms).sum(0)


def _relative(coarse: Tensor, fine: Tensor) -> float:
    scale = float(fine.abs().amax()) if fine.numel() else 0.0
    return float((coarse - fine).abs().amax()) / scale if scale else 0.0


def _most(found: Pieces, count: int) -> int:
    return int(found.owner.bincount().amax()) * count if len(found.owner) else 0
