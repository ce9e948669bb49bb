"""Training of the MNIST networks: a specification in, parameters and their history out."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import build
from neighborhoods.progress import bar

Reading = Literal["units", "parameters", "norm"]


@dataclass(frozen=True)
class TrainingSpec:
    """All that determines a trained network.

    Attributes:
        network: name understood by `networks.build`.
        images: how many training images, from the start of MNIST.
        epochs: passes over them, in a new random order each time.
        batch: images a step.
        rate: step size of Adam.
        penalty: λ in the empirical risk below, one number for all layers or one for each.
        reading: how λ enters, see `regulariser`.
        seed: of the initial parameters and the orders.
    """

    network: str
    images: int = 60_000
    epochs: int = 21
    batch: int = 100
    rate: float = 1e-3
    penalty: float | tuple[float, ...] = 1e-7
    reading: Reading = "parameters"
    seed: int = 0


def train(spec: TrainingSpec) -> dict[str, Tensor]:
    """Minimise the regularised empirical risk by Adam on shuffled batches.

    .. math:: R(w) = \\frac1M \\sum_i L(P_w(x_i), y_i) + Ω(w)

    with cross-entropy L over M images and the `regulariser` Ω.

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
    # Convolutions run faster with the channels innermost; fully connected layers do not notice.
    network = build(spec.network, generator=generator).to(memory_format=torch.channels_last)
    data = mnist("train", spec.images)
    optimiser = torch.optim.Adam(network.parameters(), lr=spec.rate, fused=True)
    losses = [
        _epoch(network, data, optimiser, spec, generator)
        for _ in bar(range(spec.epochs), description=f"train {spec.network}")
    ]
    history = {"history/loss": torch.tensor(losses), "history/accuracy": accuracy(network, mnist("test"))}
    return {name: value.detach().contiguous() for name, value in network.state_dict().items()} | history


def _epoch(
    network: nn.Module,
    data: Images,
    optimiser: torch.optim.Optimizer,
    spec: TrainingSpec,
    generator: torch.Generator,
) -> float:
    """Take one pass over the images and return the mean loss along it."""
    total = torch.zeros(())
    order = torch.randperm(len(data.labels), generator=generator)
    for batch in order.split(spec.batch):
        risk = cross_entropy(network(data.points[batch]), data.labels[batch])
        optimiser.zero_grad()
        (risk + regulariser(network, spec.penalty, spec.reading)).backward()
        optimiser.step()
        total += risk.detach() * len(batch)
    return float(total / len(order))


def regulariser(network: nn.Module, penalty: float | tuple[float, ...], reading: Reading) -> Tensor:
    """Return the penalty on the weights W₁, …, W_L, whose number of entries is N, in one of three readings.

    The draft writes λ‖w‖₂/N. Szegedy et al. (2013), whose table it extends, add λΣw²/k in each layer.

    .. math:: \\text{units: } \\sum_l \\frac{λ_l}{k_l}\\|W_l\\|_2^2, \\qquad
       \\text{parameters: } \\sum_l \\frac{λ_l}{N}\\|W_l\\|_2^2, \\qquad
       \\text{norm: } \\sum_l \\frac{λ_l}{N}\\|W_l\\|_2

    Args:
        network: layers with weights, k_l the units of layer l.
        penalty: λ, one for all layers or one for each.
        reading: "units", "parameters" or "norm".

    Raises:
        ValueError: another reading, or as many λ as there are not layers.
    """
    weights = [weight for weight in network.parameters() if weight.ndim > 1]
    factors = penalty if isinstance(penalty, tuple) else (penalty,) * len(weights)
    if len(factors) != len(weights):
        raise ValueError(f"penalty has {len(factors)} numbers; it must have one or {len(weights)}")
    size = sum(weight.numel() for weight in weights)
    terms = {
        "units": lambda weight: weight.square().sum() / len(weight),
        "parameters": lambda weight: weight.square().sum() / size,
        "norm": lambda weight: weight.norm() / size,
    }
    if reading not in terms:
        raise ValueError(f"reading is {reading!r}; it must be one of {', '.join(map(repr, terms))}")
    pairs = zip(factors, weights, strict=True)
    return torch.stack([factor * terms[reading](weight) for factor, weight in pairs]).sum()


@torch.no_grad()
def accuracy(network: nn.Module, data: Images) -> Tensor:
    """Return the share of images whose largest logit is their label."""
    right = [
        network(points).argmax(1) == labels
        for points, labels in zip(data.points.split(1000), data.labels.split(1000), strict=True)
    ]
    return torch.cat(right).float().mean()
