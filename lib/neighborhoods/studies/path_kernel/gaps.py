"""How far a kernel machine is from the network, relative to what training changed."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import vector_to_parameters

from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.studies import recorded
from neighborhoods.studies.recorded import RecordedSpec


class Run(NamedTuple):
    """A recorded run with its trained network, training examples and queries, the first half of them new."""

    network: nn.Sequential
    trajectory: Trajectory
    points: Tensor
    targets: Tensor
    queries: Tensor
    start: Tensor
    outputs: Tensor

    @property
    def new(self) -> int:
        """How many queries were not trained on."""
        return len(self.queries) - len(self.queries) // 2


def opened(spec: RecordedSpec, values: dict[str, Tensor], queries: int) -> Run:
    """Return a stored run with so many queries: test images, then the first training examples."""
    network, found = recorded.network(spec).requires_grad_(False), recorded.trajectory(values, spec)
    points, targets = recorded.training(spec)
    known = queries // 2
    both = torch.cat([recorded.held_out(spec, queries - known).points, points[:known]])
    start = network(both)
    vector_to_parameters(found.states[-1], network.parameters())
    return Run(network, found, points, targets, both, start, network(both))


def gap(prediction: Tensor, outputs: Tensor, start: Tensor) -> float:
    """Return max |kernel − network| over max |change of the outputs by training|."""
    return float((prediction - outputs).abs().max() / (outputs - start).abs().max())
