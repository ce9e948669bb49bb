"""How exact a representation is: what every kernel along a path reports with its result."""

from typing import NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from neighborhoods.kernels.statistics import Status


class Report(NamedTuple):
    r"""The quality of each step of the integration.

    Attributes:
        residual: $\max_{x,k}|\langle G_s(x), \Delta w_s\rangle - (\hat y_{w_{s+1}} - \hat y_{w_s})(x)|$.
        estimate: relative error of quadrature by doubling the nodes; 0 where the rule is exact.
        nodes: greatest number of nodes on the chord; 0 for the closed form.
        status: CONVERGED if every estimate is within the tolerance, UNDECIDED otherwise.
    """

    residual: Float64[Tensor, " steps"]
    estimate: Float64[Tensor, " steps"]
    nodes: Int64[Tensor, " steps"]
    status: Status


def ledger(count: int) -> Tensor:
    """Return an empty record of the worst residual, estimate and number of nodes of each step."""
    return torch.zeros((3, count), dtype=torch.float64)


def note(worst: Tensor, step: int, residual: Tensor, estimate: float, nodes: int) -> None:
    """Enter what one step found for some of the points."""
    most = float(residual.abs().amax()) if residual.numel() else 0.0
    found = torch.tensor([most, estimate, nodes], dtype=torch.float64)
    worst[:, step] = torch.maximum(worst[:, step], found)


def report(worst: Tensor, tolerance: float) -> Report:
    """Return the report of all steps."""
    residual, estimate, nodes = worst
    good = bool((estimate <= tolerance).all())
    return Report(residual, estimate, nodes.long(), Status.CONVERGED if good else Status.UNDECIDED)


def default_tolerance(dtype: torch.dtype) -> float:
    """Return the relative error of quadrature to ask for: a few thousand units of rounding, at most 1e-5."""
    return min(1e-5, 4096 * torch.finfo(dtype).eps)
