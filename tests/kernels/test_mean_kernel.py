"""The mean over outputs of the continuous kernel, against blocks, and what makes it a covariance."""

from collections.abc import Callable

import pytest
import torch
from neighborhoods.kernels.definiteness import definiteness, mean_over_outputs
from neighborhoods.kernels.mean_kernel import mean_diagonal, mean_kernel
from neighborhoods.kernels.tangent_kernels import path_form
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models.trajectory import record
from tolerances import RELATIVE
from torch import Tensor, nn

KINDS: dict[str, Callable[[], nn.Module]] = {
    "one layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 3)),
    "two layers": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Linear(7, 3)),
    "three layers": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(16, 7), nn.Tanh(), nn.Linear(7, 5, bias=False), nn.Tanh(), nn.Linear(5, 3)
    ),
    "log-probabilities": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Linear(7, 3), nn.LogSoftmax(1)
    ),
    "convolution": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)),
}


def run(kind: str, generator: torch.Generator) -> tuple[nn.Module, Trajectory, Tensor, Tensor]:
    torch.manual_seed(0)
    network = KINDS[kind]().double()
    points = torch.randn(9, 1, 4, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 3, (9,), generator=generator)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    trajectory = record(network, optimizer, points, labels, steps=4)
    return network, trajectory, points, torch.randn(5, 1, 4, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodes", [1, 3])
def test_it_is_the_mean_of_the_blocks(kind: str, nodes: int, generator: torch.Generator) -> None:
    network, trajectory, points, queries = run(kind, generator)
    found = mean_kernel(network, trajectory, queries, points, nodes=nodes)
    blocks = path_form(network, trajectory, queries, points, form="continuous", nodes=nodes)
    torch.testing.assert_close(found, mean_over_outputs(blocks), rtol=RELATIVE[torch.float64], atol=1e-12)
    own = mean_kernel(network, trajectory, queries, queries, nodes=nodes)
    diagonal = mean_diagonal(network, trajectory, queries, nodes=nodes)
    torch.testing.assert_close(diagonal, own.diagonal(), rtol=RELATIVE[torch.float64], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_symmetric_and_positive_semidefinite(kind: str, generator: torch.Generator) -> None:
    network, trajectory, points, queries = run(kind, generator)
    both = torch.cat([points, queries])
    found = definiteness(mean_kernel(network, trajectory, both, both, nodes=2))
    assert found.asymmetry < RELATIVE[torch.float64]
    assert found.ratio > -RELATIVE[torch.float64]


def test_no_node_is_refused(generator: torch.Generator) -> None:
    network, trajectory, points, _ = run("two layers", generator)
    with pytest.raises(ValueError, match="nodes: got 0; required at least 1"):
        mean_kernel(network, trajectory, points, points, nodes=0)
