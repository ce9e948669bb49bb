r"""The continuous path kernel averaged over outputs: one number a pair, without its $K\times K$ blocks.

The mean of the diagonal is what a Gaussian process uses that gives all outputs the same prior. It needs inner
products of whole Jacobians only, $K$ times less arithmetic and $K^2$ times less memory than the blocks.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.chains import Chain, Chord, unpack
from neighborhoods.kernels.chord_nodes import gauss_legendre
from neighborhoods.kernels.path_factors import at_state
from neighborhoods.kernels.path_features import ChainFeatures
from neighborhoods.kernels.path_run import Run, prepare
from neighborhoods.kernels.trajectories import Trajectory, steps


class _Node(NamedTuple):
    """A state on the way and its weight, the step size times that of the quadrature."""

    state: Float[Tensor, " parameters"]
    weight: float


@checked(right=1, chunk=1)
def mean_kernel(
    network: nn.Module,
    trajectory: Trajectory,
    left: Float[Tensor, " m *shape"],
    right: Float[Tensor, " M *inputs"],
    *,
    nodes: int = 2,
    chunk: int = 64,
) -> Float[Tensor, "m M"]:
    r"""Return the mean over outputs of the continuous path kernel, positive semidefinite with any nodes.

    $$ k(x, x') = \sum_s\varepsilon_s\int_0^1\frac1K\sum_k
       \langle\nabla_w\hat y_{w_s(t),k}(x), \nabla_w\hat y_{w_s(t),k}(x')\rangle dt. $$

    Args:
        network: a module in evaluation mode; its own parameters are not used.
        trajectory: the training run.
        left, right: the points, in the trajectory's dtype.
        nodes: of Gauss-Legendre on each step.
        chunk: examples differentiated at once where the network is no chain.

    Raises:
        ValueError: see `path_kernel.path_kernel`, or no node.

    Source: `tangent_kernels.path_form` with "continuous", averaged by `definiteness.mean_over_outputs`.
    """
    run = prepare(network, trajectory, left, right, route="auto", tolerance=None, chunk=chunk)
    features, whole = run.features, left.new_zeros((len(left), len(right)))
    if isinstance(features, ChainFeatures):
        return _of_chain(run, features.chain, whole, nodes)
    for state, weight in _nodes(run, nodes):
        one, other = (features.jacobian(state, side) for side in (run.points, run.training))
        whole.addmm_(one.flatten(1), other.flatten(1).T, alpha=weight / one.shape[1])
    return whole


def mean_diagonal(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, " m *shape"],
    *,
    nodes: int = 2,
    chunk: int = 64,
) -> Float[Tensor, " m"]:
    r"""Return $k(x, x)$ of `mean_kernel` at each point.

    Args, Raises: see `mean_kernel`.
    """
    run = prepare(network, trajectory, points, points, route="auto", tolerance=None, chunk=chunk)
    features, total = run.features, points.new_zeros(len(points))
    for state, weight in _nodes(run, nodes):
        if not isinstance(features, ChainFeatures):
            total += weight * features.jacobian(state, run.points).flatten(1).square().sum(1)
            continue
        for factor in at_state(features.chain, Chord(unpack(features.chain, state), None), run.points):
            squares = factor.activation.square().sum(1) + float(factor.biased)
            own = features.chain.outputs if factor.delta is None else factor.delta.square().sum((1, 2))
            total += weight * squares * own
    return total / features.outputs(state, run.points[:1]).shape[1]


def _nodes(run: Run, count: int) -> Iterator[_Node]:
    if count < 1:
        raise ValueError(f"nodes: got {count}; required at least 1")
    if not len(run.trajectory.rates):
        raise ValueError("trajectory: got no step; required at least 1")
    for step in steps(run.trajectory, run.features.size):
        for t, weight in zip(*gauss_legendre(count, step.start), strict=True):
            yield _Node(torch.lerp(step.start, step.end, t), step.rate * float(weight))


def _of_chain(run: Run, chain: Chain, whole: Float[Tensor, "m M"], nodes: int) -> Float[Tensor, "m M"]:
    """Add up the kernel; the first layer's inputs never change, and are multiplied in at the end."""
    first = torch.zeros_like(whole)
    for state, weight in _nodes(run, nodes):
        chord = Chord(unpack(chain, state), None)
        sides = (at_state(chain, chord, side) for side in (run.points, run.training))
        for index, (own, other) in enumerate(zip(*sides, strict=True)):
            into, inner = first, torch.ones_like(first)
            if index:
                into, inner = whole, own.activation @ other.activation.T + float(own.biased)
            if own.delta is None or other.delta is None:
                into.add_(inner, alpha=weight)
            else:
                outer = own.delta.flatten(1) @ other.delta.flatten(1).T
                into.addcmul_(inner, outer, value=weight / chain.outputs)
    return whole.addcmul_(first, run.points @ run.training.T + float(chain.shapes[0][2]))
