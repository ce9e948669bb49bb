"""Training of the MNIST networks: a specification in, parameters and their history out."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import build
from neighborhoods.progress import bar


@dataclass(frozen=True)
class TrainingSpec:
    """All that determines a trained network.

    Attributes:
        network: name understood by `networks.build`.
        images: how many training images, from the start of MNIST.
        epochs: passes over them, in a new random order each time.
        batch: images a step.
        rate: step size of Adam.
        penalty: λ in the empirical risk below.
        seed: of the initial parameters and the orders.
    """

    network: str
    images: int = 60_000
    epochs: int = 21
    batch: int = 100
    rate: float = 1e-3
    penalty: float = 1e-7
    seed: int = 0


def train(spec: TrainingSpec) -> dict[str, Tensor]:
    """Minimise the regularised empirical risk by Adam on shuffled batches.

    .. math:: R(w) = \\frac1N \\sum_i L(P_w(x_i), y_i) + \\frac{λ}{|w|} \\|w\\|_2^2

    with cross-entropy L and |w| the number of parameters (the draft's λ‖w‖₂/N, read as a squared norm).

    Args:
        spec: the specification.

    Returns:
        The parameters by name, in single precision; ``history/loss`` with the mean loss of each epoch,
        ``history/accuracy`` with the share of the 10 000 test images that the final network gets right.

    Raises:
        ValueError: an unknown network, or a count below one.
    """
    if min(spec.epochs, spec.batch, spec.images) < 1:
        raise ValueError(f"epochs, batch and images must be at least 1; received {spec}")
    generator = torch.Generator().manual_seed(spec.seed)
    network = build(spec.network, generator=generator)
    data = mnist("train", spec.images)
    optimiser = torch.optim.Adam(network.parameters(), lr=spec.rate)
    losses = [
        _epoch(network, data, optimiser, spec, generator)
        for _ in bar(range(spec.epochs), description=f"train {spec.network}")
    ]
    history = {"history/loss": torch.tensor(losses), "history/accuracy": accuracy(network, mnist("test"))}
    return {name: value.detach() for name, value in network.state_dict().items()} | history


def _epoch(
    network: nn.Module,
    data: Images,
    optimiser: torch.optim.Optimizer,
    spec: TrainingSpec,
    generator: torch.Generator,
) -> float:
    """Take one pass over the images and return the mean loss along it."""
    parameters = list(network.parameters())
    size = sum(parameter.numel() for parameter in parameters)
    total = torch.zeros(())
    order = torch.randperm(len(data.labels), generator=generator)
    for batch in order.split(spec.batch):
        risk = cross_entropy(network(data.points[batch]), data.labels[batch])
        norm = torch.stack([parameter.square().sum() for parameter in parameters]).sum()
        optimiser.zero_grad()
        (risk + spec.penalty / size * norm).backward()
        optimiser.step()
        total += risk.detach() * len(batch)
    return float(total / len(order))


@torch.no_grad()
def accuracy(network: nn.Module, data: Images) -> Tensor:
    """Return the share of images whose largest logit is their label."""
    right = [
        network(points).argmax(1) == labels
        for points, labels in zip(data.points.split(1000), data.labels.split(1000), strict=True)
    ]
    return torch.cat(right).float().mean()
