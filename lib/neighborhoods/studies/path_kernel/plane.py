"""The draft's two Gaussians: kernel values of points inside and outside the data (Figure 21)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from neighborhoods.kernels.path_kernel import path_kernel
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import opened
from neighborhoods.studies.recorded import RecordedSpec

PLACES = ((1.0, 4.0), (4.0, 1.0), (4.0, 15.0), (-4.0, -4.0))
"""Two means, the draft's point outside the data, and one on the other side of it."""


@dataclass(frozen=True)
class PlaneSpec:
    """A run on the two Gaussians and how many fresh points are compared with the four places.

    Attributes:
        run: what was recorded.
        queries: fresh points of both Gaussians.
    """

    run: RecordedSpec
    queries: int


def values(spec: PlaneSpec, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return kernel values between queries and training points.

    Returns:
        ``points``, ``labels`` of training; ``queries``, the four places first; ``kernel``, a row each;
        ``outputs`` of the trained network at the queries.
    """
    run = opened(spec.run, tensors, 2)
    fresh = recorded.held_out(spec.run, spec.queries).points
    queries = torch.cat([fresh.new_tensor(PLACES), fresh])
    kernel = path_kernel(run.network, run.trajectory, queries, run.points).kernel[:, :, 0, 0]
    return {
        "points": run.points,
        "labels": run.targets,
        "queries": queries,
        "kernel": kernel,
        "outputs": run.network(queries)[:, 0],
    }
