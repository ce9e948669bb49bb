"""Training by average vector fields, implicit steps whose path kernel is symmetric and exact at once."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.averaged_machine import averaged_pull
from neighborhoods.kernels.chains import Chain, Chord, chain_of, outputs_of, trace, unpack
from neighborhoods.kernels.path_kernel import cross_entropies
from neighborhoods.kernels.path_report import default_tolerance
from neighborhoods.kernels.path_run import Loss, cotangents
from neighborhoods.kernels.trajectories import Rule, Trajectory
from neighborhoods.models.trajectory import Reduction, require_trainable
from neighborhoods.progress import bar

RULE = Rule("average vector field", averaged=True)


@checked(points=1, steps=1, iterations=1)
def average_vector_field(
    network: nn.Module,
    points: Float[Tensor, " M *inputs"],
    targets: Tensor,
    *,
    steps: int,
    rate: float,
    loss: Loss = cross_entropies,
    reduction: Reduction = "mean",
    iterations: int = 200,
) -> Trajectory:
    r"""Train a chain in place by implicit steps over the full batch, and record them.

    $$ w_{s+1} = w_s - \varepsilon c\sum_i G_s(x_i)^T\partial L_i/\partial\hat y, \qquad
       G_s(x) = \int_0^1\nabla_w\hat y_{w_s + t(w_{s+1} - w_s)}(x)dt, $$

    with the derivatives of the losses at $w_s$, solved by fixed-point iteration up to rounding.

    Args:
        network: a chain of linear layers and activations, in evaluation mode.
        points: the training set.
        targets: what the loss compares outputs with.
        steps: how many to take.
        rate: step size $\varepsilon$.
        loss: outputs and targets to the loss of each example.
        reduction: whether a step descends the sum or the mean of the losses, $c$ = 1 or 1/M.
        iterations: most for one step.

    Raises:
        ValueError: a network that is no chain or not finite, no step, sets that do not match, or a step size
            for which the iteration does not converge. With ReLU that happens where a kink comes to lie at a
            training point.
        TypeError: points that are not floating, or an argument of another type.

    Source: ours, after the average vector field method of Quispel and McLaren (2008).
    """
    require_trainable(network, points, targets)
    chain = chain_of(network)
    if chain is None:
        raise ValueError(f"network: got {type(network).__name__}; required a chain (see `chains.chain_of`)")
    if not rate > 0:
        raise ValueError(f"rate: got {rate}; required a step of positive size")
    share = 1 / len(points) if reduction == "mean" else 1.0
    pull, inputs = cotangents(loss, targets), points.flatten(1)
    states = [parameters_to_vector(network.parameters()).detach().clone()]
    for _ in bar(range(steps), description="average vector field"):
        seed = pull(_outputs(chain, states[-1], inputs), slice(None)) * (-rate * share)
        states.append(_solve(chain, states[-1], inputs, seed, iterations))
    vector_to_parameters(states[-1], network.parameters())
    return Trajectory(torch.stack(states), torch.full((steps,), rate, dtype=torch.float64), RULE, reduction)


def _outputs(chain: Chain, state: Tensor, points: Tensor) -> Tensor:
    return outputs_of(chain, trace(chain, Chord(unpack(chain, state), None), points))


def _solve(chain: Chain, start: Tensor, points: Tensor, seed: Tensor, iterations: int) -> Tensor:
    tolerance = default_tolerance(start.dtype) / 64
    end = start
    for _ in range(iterations):
        moved = start + averaged_pull(chain, start, end, points, seed, tolerance=tolerance)
        shift, end = float((moved - end).abs().max()), moved
        if shift <= 4 * torch.finfo(start.dtype).eps * float(end.abs().max()):
            return end
    raise ValueError(
        f"rate, iterations: the step still moves by {shift:.2g} after {iterations}; take smaller ones"
    )
