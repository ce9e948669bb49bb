"""Recorded training runs as items of the store: what the chapters on the path kernel share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, nll_loss

from neighborhoods.kernels.path_kernel import cross_entropies
from neighborhoods.kernels.path_run import Loss
from neighborhoods.kernels.trajectories import Trajectory
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import CONVOLUTIONAL, build
from neighborhoods.models.perceptrons import Activation, Head, perceptron
from neighborhoods.models.shards import from_tensors, to_tensors
from neighborhoods.models.trajectory import minibatches, record
from neighborhoods.store import Item

Optimiser = Literal["gradient descent", "weight decay", "heavy ball", "Adam", "AdamW"]
Data = Literal["mnist", "gaussians"]

OPTIMISERS: dict[str, Callable[[Any, float], torch.optim.Optimizer]] = {
    "gradient descent": lambda own, rate: torch.optim.SGD(own, lr=rate),
    "weight decay": lambda own, rate: torch.optim.SGD(own, lr=rate, weight_decay=1e-2),
    "heavy ball": lambda own, rate: torch.optim.SGD(own, lr=rate, momentum=0.9),
    "Adam": lambda own, rate: torch.optim.Adam(own, lr=rate),
    "AdamW": lambda own, rate: torch.optim.AdamW(own, lr=rate, weight_decay=1e-1),
}
MEANS = ((1.0, 4.0), (4.0, 1.0))


@dataclass(frozen=True)
class RecordedSpec:
    """All that determines a recorded run.

    Attributes:
        network: widths such as ``784-128-10``, or ``C-<channels>``, the draft's convolutional network.
        data: "mnist", or the draft's two Gaussians in the plane.
        examples: training examples: the first of MNIST, or half from each Gaussian.
        steps: of training.
        rate: step size; steps descend the mean loss.
        optimiser: the rule; decays and momentum are those of `OPTIMISERS`.
        batch: examples a step; all of them where None.
        activation, head: see `perceptrons.perceptron`; convolutional networks have ReLU and logits.
        dtype: of parameters and points. Both precisions start from the same parameters.
        seed: of the initial parameters, the batches and the Gaussians.
    """

    network: str = "784-128-10"
    data: Data = "mnist"
    examples: int = 1000
    steps: int = 100
    rate: float = 0.1
    optimiser: Optimiser = "gradient descent"
    batch: int | None = None
    activation: Activation = "relu"
    head: Head = "logits"
    dtype: torch.dtype = torch.float64
    seed: int = 0


class Sample(NamedTuple):
    """Points in the run's dtype, and what its loss compares outputs with."""

    points: Tensor
    targets: Tensor


def recorded(spec: RecordedSpec) -> Item[dict[str, Tensor]]:
    """Return the item of a run; `trajectory` makes a trajectory of its value."""
    return Item(run, spec)


def run(spec: RecordedSpec) -> dict[str, Tensor]:
    """Train and return the trajectory as named tensors."""
    points, targets = training(spec)
    model = network(spec)
    optimiser = OPTIMISERS[spec.optimiser](model.parameters(), spec.rate)
    batches = None
    if spec.batch is not None:
        passes = -(-spec.steps * spec.batch // spec.examples)
        generator = torch.Generator().manual_seed(spec.seed)
        batches = minibatches(spec.examples, spec.batch, passes, generator=generator)[: spec.steps]
    found = record(model, optimiser, points, targets, steps=spec.steps, loss=loss(spec), batches=batches)
    return to_tensors(found)


def trajectory(values: dict[str, Tensor], spec: RecordedSpec) -> Trajectory:
    """Return the trajectory of a run that was stored."""
    return from_tensors(values, spec.optimiser)


def network(spec: RecordedSpec) -> nn.Sequential:
    """Return the network with the parameters that training starts from, in evaluation mode."""
    generator = torch.Generator().manual_seed(spec.seed)
    if CONVOLUTIONAL.fullmatch(spec.network):
        return build(spec.network, generator=generator).eval().to(spec.dtype)
    chain = perceptron(spec.network, activation=spec.activation, head=spec.head, generator=generator)
    return chain.to(spec.dtype)


def loss(spec: RecordedSpec) -> Loss:
    """Return the cross-entropy of each example, as a function of what the network returns."""
    if spec.head == "log-probabilities":
        return _likelihoods
    if spec.head == "probability":
        return _from_probabilities
    return _binary if spec.network.endswith("-1") else cross_entropies


def training(spec: RecordedSpec) -> Sample:
    """Return the examples that the run was trained on."""
    return _sample(spec, "train", spec.examples)


def held_out(spec: RecordedSpec, count: int) -> Sample:
    """Return the first test images, or fresh points of the two Gaussians."""
    return _sample(spec, "test", count)


def _sample(spec: RecordedSpec, split: Literal["train", "test"], count: int) -> Sample:
    if spec.data == "mnist":
        points, labels = mnist(split, count)
        flat = points if CONVOLUTIONAL.fullmatch(spec.network) else points.flatten(1)
        return Sample(flat.to(spec.dtype), labels)
    generator = torch.Generator().manual_seed(2 * spec.seed + (split == "test"))
    labels = torch.arange(count) % 2
    noise = torch.randn((count, 2), generator=generator, dtype=torch.float64)
    return Sample((torch.tensor(MEANS, dtype=torch.float64)[labels] + noise).to(spec.dtype), labels)


def _likelihoods(outputs: Tensor, targets: Tensor) -> Tensor:
    return nll_loss(outputs, targets, reduction="none")


def _binary(outputs: Tensor, targets: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype), reduction="none")


def _from_probabilities(outputs: Tensor, targets: Tensor) -> Tensor:
    return binary_cross_entropy(outputs[:, 0], targets.to(outputs.dtype), reduction="none")
