"""What a vector of parameters does: its network, its loss with the gradient, and its accuracy."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from neighborhoods.kernels.path_run import Loss
from neighborhoods.studies import recorded
from neighborhoods.studies.recorded import RecordedSpec, Sample


class Subject(NamedTuple):
    """A network to write parameters into, its training examples, test images and the loss of an example."""

    network: nn.Sequential
    seen: Sample
    unseen: Sample
    loss: Loss


def subject(run: RecordedSpec, unseen: int) -> Subject:
    """Return the subject of a run on MNIST, with so many test images."""
    data = RecordedSpec(run.network, examples=run.examples, dtype=run.dtype)
    samples = recorded.training(data), recorded.held_out(data, unseen)
    return Subject(recorded.network(run), *samples, recorded.loss(run))


def at(subject: Subject, weights: Float[Tensor, " parameters"]) -> nn.Sequential:
    """Return the network with the given parameters; the next call gives it others."""
    vector_to_parameters(weights, subject.network.parameters())
    return subject.network


def gradient(subject: Subject, weights: Float[Tensor, " parameters"]) -> Float[Tensor, " parameters"]:
    """Return the gradient of the mean loss of all training examples."""
    network = at(subject, weights)
    loss = subject.loss(network(subject.seen.points), subject.seen.targets).mean()
    return parameters_to_vector(torch.autograd.grad(loss, list(network.parameters())))


@torch.no_grad()
def right(subject: Subject, weights: Float[Tensor, " parameters"]) -> Tensor:
    """Return for each test image whether its class is predicted."""
    predicted: Tensor = at(subject, weights)(subject.unseen.points).argmax(1)
    return predicted == subject.unseen.targets


def accuracy(subject: Subject, weights: Float[Tensor, " parameters"]) -> float:
    """Return the share of the test images whose class is predicted."""
    return float(right(subject, weights).double().mean())
