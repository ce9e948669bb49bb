r"""Path kernels by fixed rules of quadrature on each chord: what the exact integration replaces.

The draft takes a hundred equal steps. With one step from the left the gradient is $g_s(x)$, which is what the
symmetric discrete path kernel has for its own training points.
"""

from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.chains import Chain, Chord, Nodes, affine, chain_of, outputs_of, trace, unpack
from neighborhoods.kernels.chord_nodes import gauss_legendre
from neighborhoods.kernels.trajectories import Trajectory, steps

Rule = Literal["left", "midpoint", "gauss"]


@checked(points=1, chunk=1)
def telescoped_by_rule(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, "m in"],
    *,
    rule: Rule,
    nodes: int,
    chunk: int = 64,
) -> Float[Tensor, "m K"]:
    r"""Return the prediction of the path kernel machine with averages over chords by a rule of quadrature.

    $$ \hat y_{w_0}(x) + \sum_s\sum_j c_j\langle\nabla_w\hat y_{w_s(t_j)}(x), \Delta w_s\rangle. $$

    Args:
        network: a chain of linear layers and activations without a head.
        trajectory: the training run.
        points: the queries $x$.
        rule: equal steps from the left, their midpoints, or Gauss-Legendre.
        nodes: how many $t_j$ on each chord.
        chunk: nodes evaluated at once.

    Raises:
        ValueError: another network, no node, an unknown rule, or bad states (see `trajectories.steps`).

    Source: the draft, section 15.2, whose rule is the first with 100 nodes.
    """
    chain = chain_of(network)
    if chain is None or chain.head is not None:
        raise ValueError(f"network: got {type(network).__name__}; required a chain without a head")
    t, weight = _positions(rule, nodes, points)
    size = sum(out * (inputs + biased) for out, inputs, biased in chain.shapes)
    total: Tensor | None = None
    for step in steps(trajectory, size):
        chord = Chord(unpack(chain, step.start), unpack(chain, step.end - step.start))
        if total is None:
            total = outputs_of(chain, trace(chain, Chord(chord.start, None), points)).clone()
        for some, shares in zip(t.split(chunk), weight.split(chunk), strict=True):
            total += torch.einsum("mnk,n->mk", _derivatives(chain, chord, points, some), shares)
    if total is None:
        raise ValueError("trajectory: got no step; required at least 1")
    return total


def _positions(rule: Rule, nodes: int, like: Tensor) -> tuple[Tensor, Tensor]:
    if rule not in get_args(Rule) or nodes < 1:
        raise ValueError(
            f"rule, nodes: got {rule!r}, {nodes}; required one of {get_args(Rule)} and at least 1"
        )
    if rule == "gauss":
        return gauss_legendre(nodes, like)
    offset = 0.5 if rule == "midpoint" else 0.0
    return like.new_tensor((np.arange(nodes) + offset) / nodes), like.new_full((nodes,), 1 / nodes)


def _derivatives(chain: Chain, chord: Chord, points: Tensor, t: Tensor) -> Float[Tensor, "m nodes K"]:
    r"""Return $d\hat y_{w_s(t)}(x)/dt$ at each position, forward through the layers."""
    owner = torch.arange(len(points), device=points.device).repeat_interleave(len(t))
    nodes = Nodes(owner, t.repeat(len(points)), t.new_zeros(len(owner)))
    along, change = trace(chain, chord, points, nodes), chord.change or []
    moved = affine(change[0], points)[owner]
    for layer, (a, slope) in enumerate(zip(along.inputs[1:], along.slopes, strict=True), start=1):
        inner = moved * slope
        moved = inner @ chord.start[layer][0].T + affine(change[layer], a)
        moved.addcmul_(nodes.t[:, None], inner @ change[layer][0].T)
    return moved.view(len(points), len(t), -1)
