"""A recorded run with the network that it ended with and the examples that it saw."""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.studies import recorded
from neighborhoods.studies.recorded import RecordedSpec


class Machine(NamedTuple):
    """What the studies of a run need.

    Attributes:
        network: with the parameters at the end, in evaluation mode and without gradients.
        trajectory: of its training.
        points: training examples, flat.
        labels: their classes.
    """

    network: nn.Module
    trajectory: Trajectory
    points: Tensor
    labels: Tensor


def machine(spec: RecordedSpec, values: dict[str, Tensor]) -> Machine:
    """Return the run that was stored."""
    trajectory = recorded.trajectory(values, spec)
    network = recorded.network(spec)
    vector_to_parameters(trajectory.states[-1], network.parameters())
    points, labels = recorded.training(spec)
    return Machine(network.eval().requires_grad_(False), trajectory, points, labels)
