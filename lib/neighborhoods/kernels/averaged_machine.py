r"""The kernel machine of training by average vector fields: symmetric, continuous and exact at once.

Forward Euler moves the parameters along $g_s(x_i) = \nabla_w\hat y_{w_s}(x_i)$, and the output at $x$ along
the average $G_s(x)$ over the chord: two different features, hence an asymmetric kernel. The implicit step

$$ w_{s+1} = w_s + \sum_i G_s(x_i)^T a_{i,s}, \qquad G_s(x) = \int_0^1\nabla_w\hat y_{w_s(t)}(x)dt, $$

uses one and the same feature on both sides, $\hat y_{w_{s+1}}(x) - \hat y_{w_s}(x) =
\sum_i\langle G_s(x), G_s(x_i)\rangle a_{i,s}$ for every $x$.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.chains import Chain, Chord, unpack
from neighborhoods.kernels.path_factors import averaged
from neighborhoods.kernels.path_kernel import Attribution, cross_entropies
from neighborhoods.kernels.path_report import ledger, note, report
from neighborhoods.kernels.path_run import Loss, cotangents, prepare, require_as_many
from neighborhoods.kernels.trajectories import Step, Trajectory, steps


def averaged_pull(
    chain: Chain,
    start: Float[Tensor, " parameters"],
    end: Float[Tensor, " parameters"],
    points: Float[Tensor, "M in"],
    seed: Float[Tensor, "M K"],
    *,
    tolerance: float,
) -> Float[Tensor, " parameters"]:
    r"""Return $\sum_i G(x_i)^Tc_i$, gradients averaged over a chord and contracted with seeds $c_i$.

    Args:
        chain: the network.
        start, end: the ends of the chord.
        points: $x_i$.
        seed: $c_i$.
        tolerance: relative error of quadrature where it is not exact.
    """
    found = averaged(
        chain, Chord(unpack(chain, start), unpack(chain, end - start)), points, tolerance=tolerance
    )
    parts = []
    for delta, activation, owner, biased in found.factors:
        rows = seed if owner is None else seed[owner]
        moved = rows if delta is None else torch.einsum("nk,nkh->nh", rows, delta)
        parts += [(moved.T @ activation).flatten(), *([moved.sum(0)] if biased else [])]
    return torch.cat(parts)


@checked(chunk=1)
def averaged_attribution(
    network: nn.Module,
    trajectory: Trajectory,
    points: Float[Tensor, " m *shape"],
    training: Float[Tensor, " M *inputs"],
    targets: Tensor,
    *,
    loss: Loss = cross_entropies,
    chunk: int = 64,
) -> Attribution:
    r"""Return $\sum_s\langle G_s(x), G_s(x_i)\rangle a_{i,s}$, the contributions of each training example.

    Args:
        network: a module in evaluation mode; its own parameters are not used.
        trajectory: a run whose rule is averaged, see `models.average_vector_field`.
        points, training, targets, loss: see `path_kernel.attribution`.
        chunk: examples differentiated at once.

    Raises:
        ValueError: another rule, and see `path_kernel.attribution`.

    Source: ours, after Quispel and McLaren (2008); the draft, Remark 1, asks for it.
    """
    if not trajectory.rule.averaged:
        raise ValueError(
            f"trajectory: got {trajectory.rule.name}; required training by average vector fields"
        )
    require_as_many(targets, training)
    run = prepare(network, trajectory, points, training, route="auto", tolerance=None, chunk=chunk)
    features, pull = run.features, cotangents(loss, targets)
    before = run.start
    result = before.new_zeros((*before.shape, len(training)))
    worst = ledger(len(trajectory.rates))
    for step in steps(trajectory, features.size, len(training)):
        own = features.averaged(step.start, step.end, run.points, run.tolerance)
        after = features.outputs(step.end, run.points)
        moved = own.gradient @ (step.end - step.start)
        note(worst, step.number, moved - (after - before), own.estimate, own.nodes)
        before = after
        for rows in torch.arange(len(training), device=result.device).split(chunk):
            inputs = run.training[rows]
            its = features.averaged(step.start, step.end, inputs, run.tolerance).gradient
            seed = pull(features.outputs(step.start, inputs), rows) * -_weight(step)
            result[:, :, rows] += own.gradient @ torch.einsum("ik,ikp->pi", seed, its)
    return Attribution(result, run.start, torch.zeros_like(before), report(worst, run.tolerance))


def _weight(step: Step) -> float:
    return step.rate * step.share
