"""The log-probability network on MNIST: one kernel machine with constant coefficients (section 17.3)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from neighborhoods.kernels.definiteness import as_matrix, eigenvalues_of
from neighborhoods.kernels.tangent_kernels import path_form
from neighborhoods.studies.path_kernel.gaps import Run, opened
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class MachineSpec:
    """A run of a log-probability network.

    Attributes:
        run: what was recorded.
        queries: half of them test images, half training images.
    """

    run: RecordedSpec
    queries: int


def one_machine(spec: MachineSpec, values: dict[str, Tensor]) -> dict[str, Tensor]:
    r"""Return the kernel machine $\hat y_{w_0}(x) + \frac1M\sum_iK(x, x_i)e_{c_i}$ with the symmetric kernel.

    Returns:
        ``start``, ``network``, ``kernel``: outputs at the queries, of which the first ``new`` are new;
        ``eigenvalues`` of the Gram matrix of the queries, least first, for the symmetric kernel, and
        ``asymmetric`` those of the symmetric part of (16).
    """
    run = opened(spec.run, values, spec.queries)
    trained = torch.arange(len(run.queries)) >= run.new
    all_trained = torch.ones(len(run.points), dtype=torch.bool)
    cross = path_form(
        run.network, run.trajectory, run.queries, run.points, form="dpk", trained=(trained, all_trained)
    )
    both = (run.queries, run.queries)
    gram = path_form(run.network, run.trajectory, *both, form="dpk", trained=(trained, trained))
    mixed = path_form(run.network, run.trajectory, *both, form="asymmetric")
    return {
        "new": torch.tensor(run.new),
        "start": run.start,
        "network": run.outputs,
        "kernel": run.start + picked(cross, run),
        "eigenvalues": eigenvalues_of(as_matrix(gram)),
        "asymmetric": eigenvalues_of(as_matrix(mixed)),
    }


def picked(kernel: Tensor, run: Run) -> Tensor:
    """Return the mean over training examples of the kernel's column of their class."""
    return kernel[:, torch.arange(len(run.points)), :, run.targets].mean(0)
