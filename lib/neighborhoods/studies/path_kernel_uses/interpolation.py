"""A network's parameters from start to end of its training: what lies between, and how they moved."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.networks import build, load
from neighborhoods.models.training import TrainingSpec, accuracy
from neighborhoods.progress import bar


@dataclass(frozen=True)
class InterpolationSpec:
    """Numbers of the line.

    Attributes:
        training: how the network was trained.
        positions: points on the line, both ends among them.
        images: training images whose loss, and test images whose accuracy is taken.
    """

    training: TrainingSpec
    positions: int
    images: int


def interpolated(spec: InterpolationSpec, trained: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row a position on $w(t) = w_0 + t(w_N - w_0)$: ``t``, ``loss``, ``accuracy`` on test
    images, ``norm`` $\|w(t)\|^2/\|w_0\|^2$, and ``slope``, minus the gradient of the loss along the line,

    $$ -\Big\langle\nabla_wL(w(t)), \frac{w_N - w_0}{\|w_N - w_0\|}\Big\rangle. $$
    """
    network, start, end = _ends(spec.training, trained)
    seen, unseen = mnist("train", spec.images), mnist("test", spec.images)
    direction, rows = (end - start) / (end - start).norm(), []
    for t in bar(torch.linspace(0, 1, spec.positions).tolist(), description="interpolation"):
        state = torch.lerp(start, end, t)
        vector_to_parameters(state, network.parameters())
        loss, gradient = _slope(network, seen)
        row = {"t": t, "loss": loss, "accuracy": float(accuracy(network, unseen))}
        norm = float(state.square().sum() / start.square().sum())
        rows.append({**row, "norm": norm, "slope": -float(gradient @ direction)})
    return pd.DataFrame(rows)


def displaced(spec: TrainingSpec, trained: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return for all parameters and for each tensor of them: ``layer``, ``size``, ``cosine`` between start
    $w_0$ and end $w_N$, ``growth`` $\|w_N\|/\|w_0\| - 1$, ``moved`` $\|w_N - w_0\|/\|w_0\|$, and ``radial``,

    $$ \frac{\langle w_N - w_0, w_0\rangle^2}{\|w_N - w_0\|^2\|w_0\|^2}, $$

    the share of the squared displacement along $w_0$; it is 1/size on average for a random direction.
    """
    network, start, end = _ends(spec, trained)
    names = [name for name, _ in network.named_parameters()]
    sizes = [value.numel() for value in network.parameters()]
    pairs = zip(["all", *names], [start, *start.split(sizes)], [end, *end.split(sizes)], strict=True)
    return pd.DataFrame([{"layer": name, **displacement(one, other)} for name, one, other in pairs])


def displacement(start: Tensor, end: Tensor) -> dict[str, float]:
    """Return the columns of `displaced` for one vector."""
    one, other = start.double(), end.double()
    moved = other - one
    return {
        "size": len(one),
        "cosine": float(one @ other / (one.norm() * other.norm())),
        "growth": float(other.norm() / one.norm()) - 1,
        "moved": float(moved.norm() / one.norm()),
        "radial": float((moved @ one) ** 2 / (moved @ moved) / (one @ one)),
    }


def _ends(spec: TrainingSpec, trained: dict[str, Tensor]) -> tuple[nn.Module, Tensor, Tensor]:
    """Return a network to write into, and its parameters before and after training."""
    start = build(spec.network, generator=torch.Generator().manual_seed(spec.seed))
    end = load(spec.network, trained)
    flat = [parameters_to_vector(network.parameters()).detach() for network in (start, end)]
    return end.requires_grad_(True), flat[0], flat[1]


def _slope(network: nn.Module, images: Images) -> tuple[float, Tensor]:
    """Return the mean loss and its gradient."""
    loss = cross_entropy(network(images.points), images.labels)
    gradient = torch.autograd.grad(loss, list(network.parameters()))
    return loss.item(), parameters_to_vector(gradient)
