"""Constant signs do not make one kernel: the construction of the draft's section 17.3, computed."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.definiteness import definiteness
from neighborhoods.kernels.path_run import cotangents
from neighborhoods.kernels.tangent_kernels import tangent_kernel
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import opened
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class SignsSpec:
    """A run whose network returns a probability.

    Attributes:
        run: what was recorded.
    """

    run: RecordedSpec


def weighted(spec: SignsSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row on $K(x_i, x_j) = \sum_s|a_{j,s}|\langle g_s(x_i), g_s(x_j)\rangle$.

    ``changes``: share of coefficients whose sign is not that of the first step; ``asymmetry``, ``ratio``: of
    K; ``quotient``: greatest over least $|a_{j,s}|$ of one step, which is what makes K asymmetric.
    """
    run = opened(spec.run, values, 2)
    pull, total, signs, quotient = cotangents(recorded.loss(spec.run), run.targets), None, [], 0.0
    for step in range(len(run.trajectory.rates)):
        torch.nn.utils.vector_to_parameters(run.trajectory.states[step], run.network.parameters())
        slopes = pull(run.network(run.points), slice(None))[:, 0]
        gram = tangent_kernel(run.network, run.trajectory, run.points, run.points, step=step)[:, :, 0, 0]
        part = gram * slopes.abs() * float(run.trajectory.rates[step])
        total = part if total is None else total + part
        signs.append(slopes.sign())
        quotient = max(quotient, float(slopes.abs().max() / slopes.abs().min()))
    all_signs = torch.stack(signs)
    found = definiteness(total if total is not None else run.points.new_zeros((1, 1)))
    row = {
        "examples": len(run.points),
        "steps": len(signs),
        "changes": float((all_signs != all_signs[0]).double().mean()),
        "asymmetry": found.asymmetry,
        "ratio": found.ratio,
        "quotient": quotient,
    }
    return pd.DataFrame([row])
