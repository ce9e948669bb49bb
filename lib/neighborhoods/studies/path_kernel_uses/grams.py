"""The continuous kernel of a run, between its examples and all queries."""

from dataclasses import dataclass

from torch import Tensor

from neighborhoods.kernels.mean_kernel import mean_diagonal, mean_kernel
from neighborhoods.kernels.trajectories import coarsen
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class GramsSpec:
    """How the kernel is summed.

    Attributes:
        run: the run.
        stride: steps of the run that one step of the sum stands for.
        nodes: of Gauss-Legendre on each of those.
    """

    run: RecordedSpec
    stride: int
    nodes: int


def grams(spec: GramsSpec, values: dict[str, Tensor], queries: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return ``gram`` (examples by examples), ``cross`` (queries by examples), and ``own``, the queries'
    values with themselves.
    """
    found = machine(spec.run, values)
    path = coarsen(found.trajectory, spec.stride)
    points, examples, nodes = queries["points"], found.points, spec.nodes
    gram = mean_kernel(found.network, path, examples, examples, nodes=nodes)
    return {
        "gram": (gram + gram.T) / 2,
        "cross": mean_kernel(found.network, path, points, examples, nodes=nodes),
        "own": mean_diagonal(found.network, path, points, nodes=nodes),
    }
