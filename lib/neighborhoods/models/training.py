"""Training of the MNIST networks: a specification in, parameters and their history out."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import build, load
from neighborhoods.models.precision import fastest_convolutions, single_precision
from neighborhoods.progress import bar

Reading = Literal["units", "parameters", "norm"]
MOMENTS = ("exp_avg", "exp_avg_sq")


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
        device: where to train, "cpu" or "cuda".
        tf32: whether a CUDA device may round factors to TF32, see `precision.single_precision`.

    Raises:
        ValueError: a count below one.
    """

    network: str
    images: int = 60_000
    epochs: int = 21
    batch: int = 100
    rate: float = 1e-3
    penalty: float | tuple[float, ...] = 1e-7
    reading: Reading = "parameters"
    seed: int = 0
    device: str = "cpu"
    tf32: bool = False

    def __post_init__(self) -> None:
        """Refuse counts below one."""
        if min(self.epochs, self.batch, self.images) < 1:
            raise ValueError(f"epochs, batch and images must be at least 1; received {self}")


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
        ValueError: an unknown network.
    """
    return finish(spec, advance(Span(spec, spec.epochs)))


@dataclass(frozen=True)
class Span:
    """A part of training, from the state handed over to the end of an epoch.

    Attributes:
        training: the specification of the whole.
        until: epoch that the part ends with.
    """

    training: TrainingSpec
    until: int


def advance(span: Span, state: dict[str, Tensor] | None = None) -> dict[str, Tensor]:
    """Return the state at the end of a span, see `epochs`.

    Args:
        span: what to train, and how far.
        state: the state that an earlier span ended with; from the start when None.

    Raises:
        ValueError: a span that ends outside the training, or not after the state.
    """
    done = len(state["history/loss"]) if state else 0
    if not done < span.until <= span.training.epochs:
        raise ValueError(f"until is {span.until}; it must be {done + 1} to {span.training.epochs}")
    states = islice(epochs(span.training, state), span.until - done)
    bars = bar(states, description=f"train {span.training.network}", total=span.until - done)
    return deque(bars, maxlen=1).pop()


def finish(spec: TrainingSpec, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what `train` returns, from the state after the last epoch."""
    network = load(spec.network, state).to(spec.device)
    data = Images(*(values.to(spec.device) for values in mnist("test")))
    with single_precision(tf32=False):
        share = accuracy(network, data).cpu()
    history = {"history/loss": state["history/loss"], "history/accuracy": share}
    return {name: state[name] for name in network.state_dict()} | history


def epochs(spec: TrainingSpec, state: dict[str, Tensor] | None = None) -> Iterator[dict[str, Tensor]]:
    """Yield the state of training after each epoch: parameters, moments of Adam, generator, losses so far.

    A state can be saved and handed back; training goes on where it was made, with the same numbers as without
    the interruption.

    Args:
        spec: the specification.
        state: what an earlier call yielded; from the start when None.

    Raises:
        ValueError: an unknown network.
    """
    generator = torch.Generator().manual_seed(spec.seed)
    network = build(spec.network, generator=generator).to(spec.device)
    # Convolutions run faster with the channels innermost; fully connected layers do not notice.
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=spec.rate, fused=True)
    losses = _restore(state, network, optimiser, generator) if state else []
    data = Images(*(values.to(spec.device) for values in mnist("train", spec.images)))
    while len(losses) < spec.epochs:
        with single_precision(tf32=spec.tf32), fastest_convolutions():
            losses.append(_epoch(network, data, optimiser, spec, generator))
        yield _state(network, optimiser, generator, losses)


def _state(
    network: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator, losses: list[float]
) -> dict[str, Tensor]:
    moments = {
        f"adam/{place}/{name}": value
        for place, parameter in enumerate(network.parameters())
        for name, value in optimiser.state[parameter].items()
    }
    random = {"generator": generator.get_state(), "history/loss": torch.tensor(losses)}
    values = network.state_dict() | moments | random
    return {name: value.detach().cpu().clone().contiguous() for name, value in values.items()}


def _restore(
    state: dict[str, Tensor],
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> list[float]:
    """Put a state back and return the losses so far."""
    network.load_state_dict({name: state[name] for name in network.state_dict()})
    for place, parameter in enumerate(network.parameters()):
        step, *moments = (state[f"adam/{place}/{name}"] for name in ("step", *MOMENTS))
        optimiser.state[parameter] = {"step": step.to(parameter.device)} | {
            # In the parameter's own order of memory, as Adam on a CUDA device demands.
            name: torch.empty_like(parameter).copy_(value)
            for name, value in zip(MOMENTS, moments, strict=True)
        }
    generator.set_state(state["generator"])
    losses: list[float] = state["history/loss"].tolist()
    return losses


def _epoch(
    network: nn.Module,
    data: Images,
    optimiser: torch.optim.Optimizer,
    spec: TrainingSpec,
    generator: torch.Generator,
) -> float:
    """Take one pass over the images and return the mean loss along it."""
    total = torch.zeros((), device=data.points.device)
    order = torch.randperm(len(data.labels), generator=generator).to(data.points.device)
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
