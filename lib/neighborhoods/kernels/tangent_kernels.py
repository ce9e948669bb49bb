r"""Tangent kernels at one state, and the forms of the path kernel, three of which are symmetric.

A step contributes for $x$ and $x'$, with $g_s = \nabla_w\hat y_{w_s}$ and $G_s$ averaged over the chord,

- asymmetric (16): $\langle G_s(x), g_s(x')\rangle$, exact but no kernel;
- dpk (11): $g_s$ for training points, the integrand of $G_s$ for others: a kernel, not continuous;
- continuous: $\int_0^1\langle g_{s,t}(x), g_{s,t}(x')\rangle dt$ at $w_s(t)$, a kernel;
- averaged: $\langle G_s(x), G_s(x')\rangle$, a kernel, exact for training by average vector fields.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.chains import Chord, unpack
from neighborhoods.kernels.chord_nodes import gauss_legendre
from neighborhoods.kernels.path_factors import Factor, at_state, averaged
from neighborhoods.kernels.path_features import ChainFeatures, Features
from neighborhoods.kernels.path_run import prepare
from neighborhoods.kernels.path_structured import product
from neighborhoods.kernels.trajectories import Step, Trajectory, read, steps

Form = Literal["asymmetric", "dpk", "continuous", "averaged"]


@checked(right=1, chunk=1)
def tangent_kernel(
    network: nn.Module,
    trajectory: Trajectory,
    left: Float[Tensor, " m *shape"],
    right: Float[Tensor, " M *inputs"],
    *,
    step: int = 0,
    chunk: int = 64,
) -> Float[Tensor, "m M K K"]:
    r"""Return the neural tangent kernel at one state of a trajectory.

    $$ \Theta_s(x, x')_{kl} = \langle\nabla_w\hat y_{w_s,k}(x), \nabla_w\hat y_{w_s,l}(x')\rangle. $$

    Args:
        network: a module in evaluation mode; its own parameters are not used.
        trajectory: where the state is taken from.
        left, right: the points, in the trajectory's dtype.
        step: number of the state; -1 for the last.
        chunk: examples differentiated at once where the network is no chain.

    Raises:
        ValueError: see `path_kernel.path_kernel`, and a state that the trajectory does not have.

    Source: Jacot, Gabriel and Hongler (2018); the draft, section 17.4.
    """
    run = prepare(network, trajectory, left, right, route="auto", tolerance=None, chunk=chunk)
    return _tangent(run.features, read(trajectory, step, run.features.size), run.points, run.training)


@checked(right=1, chunk=1)
def path_form(
    network: nn.Module,
    trajectory: Trajectory,
    left: Float[Tensor, " m *shape"],
    right: Float[Tensor, " M *inputs"],
    *,
    form: Form,
    trained: tuple[Bool[Tensor, " m"], Bool[Tensor, " M"]] | None = None,
    weights: Float[Tensor, " steps"] | None = None,
    nodes: int = 8,
    chunk: int = 64,
) -> Float[Tensor, "m M K K"]:
    r"""Return one form of the path kernel between two sets of points, $\sum_s\varepsilon_sK_s(x, x')$.

    Args:
        network, trajectory, left, right, chunk: see `tangent_kernel`.
        form: see the head of this module.
        trained: which points of either set were trained on, for "dpk" and no other form.
        weights: of the steps, in place of the step sizes $\varepsilon_s$.
        nodes: of Gauss-Legendre, for integrals over both sides at once. The result is positive semidefinite
            with any number of them, but not exact; all other averages are as in `path_kernel.path_kernel`.

    Raises:
        ValueError: see `tangent_kernel`; "dpk" without `trained`, another form with it, or no node.

    Source: the draft, (11), (14) and (16), the last with the integral that it lacks; the others are ours.
    """
    if (form == "dpk") != (trained is not None):
        raise ValueError(f'trained: got {trained} for form {form!r}; required with "dpk" and only there')
    if nodes < 1:
        raise ValueError(f"nodes: got {nodes}; required at least 1")
    run = prepare(network, trajectory, left, right, route="auto", tolerance=None, chunk=chunk)
    whole, sets = None, (run.points, run.training)
    for step in steps(trajectory, run.features.size):
        weight = step.rate if weights is None else float(weights[step.number])
        if trained is None:
            part = _one(run.features, step, form, sets, nodes=nodes, tolerance=run.tolerance)
        else:
            part = _dpk(run.features, step, sets, trained, nodes=nodes, tolerance=run.tolerance)
        whole = part * weight if whole is None else whole.add_(part, alpha=weight)
    if whole is None:
        raise ValueError("trajectory: got no step; required at least 1")
    return whole


def _one(
    features: Features, step: Step, form: Form, sets: tuple[Tensor, Tensor], *, nodes: int, tolerance: float
) -> Float[Tensor, "m M K K"]:
    left, right = sets
    if form == "asymmetric":
        return _mixed(features, step, left, right, tolerance)
    if form == "averaged":
        one = features.averaged(step.start, step.end, left, tolerance).gradient
        return _gram(one, features.averaged(step.start, step.end, right, tolerance).gradient)
    total = None
    for t, weight in zip(*gauss_legendre(nodes, step.start), strict=True):
        part = _tangent(features, torch.lerp(step.start, step.end, t), left, right) * weight
        total = part if total is None else total.add_(part)
    return left.new_zeros(0) if total is None else total


def _dpk(
    features: Features,
    step: Step,
    sets: tuple[Tensor, Tensor],
    trained: tuple[Tensor, Tensor],
    *,
    nodes: int,
    tolerance: float,
) -> Float[Tensor, "m M K K"]:
    """Fill the four blocks: trained or not, on either side."""
    (left, right), (own, other) = sets, trained
    outputs = features.outputs(step.start, left[:1]).shape[1]
    whole = left.new_empty((len(left), len(right), outputs, outputs))
    for rows, on in ((own.nonzero()[:, 0], True), ((~own).nonzero()[:, 0], False)):
        for columns, too in ((other.nonzero()[:, 0], True), ((~other).nonzero()[:, 0], False)):
            if not len(rows) or not len(columns):
                continue
            a, b = left[rows], right[columns]
            if on and too:
                block = _tangent(features, step.start, a, b)
            elif on:
                block = _mixed(features, step, b, a, tolerance).permute(1, 0, 3, 2)
            elif too:
                block = _mixed(features, step, a, b, tolerance)
            else:
                block = _one(features, step, "continuous", (a, b), nodes=nodes, tolerance=tolerance)
            whole[rows[:, None], columns] = block
    return whole


def _tangent(features: Features, state: Tensor, left: Tensor, right: Tensor) -> Float[Tensor, "m M K K"]:
    if isinstance(features, ChainFeatures):
        chord = Chord(unpack(features.chain, state), None)
        one, other = (at_state(features.chain, chord, side) for side in (left, right))
        return _products(features, one, other, len(left))
    return _gram(features.jacobian(state, left), features.jacobian(state, right))


def _mixed(
    features: Features, step: Step, left: Tensor, right: Tensor, tolerance: float
) -> Float[Tensor, "m M K K"]:
    """Return the average over the chord on the left against the start of the step on the right."""
    if isinstance(features, ChainFeatures):
        chain = features.chain
        chord = Chord(unpack(chain, step.start), unpack(chain, step.end - step.start))
        one = averaged(chain, chord, left, tolerance=tolerance).factors
        return _products(features, one, at_state(chain, Chord(chord.start, None), right), len(left))
    one_sided = features.averaged(step.start, step.end, left, tolerance).gradient
    return _gram(one_sided, features.jacobian(step.start, right))


def _products(
    features: ChainFeatures, one: list[Factor], other: list[Factor], count: int
) -> Float[Tensor, "m M K K"]:
    outputs = features.chain.outputs
    parts = [product(own, its, count, outputs) for own, its in zip(one, other, strict=True)]
    return torch.stack(parts).sum(0).transpose(1, 2)


def _gram(one: Float[Tensor, "m K P"], other: Float[Tensor, "M K P"]) -> Float[Tensor, "m M K K"]:
    (m, K, _), M = one.shape, len(other)
    return (one.flatten(0, 1) @ other.flatten(0, 1).T).view(m, K, M, K).transpose(1, 2)
