"""The segment from an image to its adversary, and the boundary it crosses last."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.statistics import labels_of


class Chords(NamedTuple):
    """Where segments enter the adversarial class.

    Attributes:
        boundary: the last change of class on each segment.
        direction: unit vectors from image to adversary.
        overshoot: distance from the boundary to the adversary along the segment.
        cosine: of the angle between the segment and the boundary's normal there; the tangent plane lies
            ``cosine * overshoot`` away from the adversary.
        before: the class just before the boundary, which need not be the image's own.
    """

    boundary: Float[Tensor, "pairs ..."]
    direction: Float[Tensor, "pairs ..."]
    overshoot: Float[Tensor, " pairs"]
    cosine: Float[Tensor, " pairs"]
    before: Int[Tensor, " pairs"]


def chords(network: nn.Module, natural: Tensor, adversarial: Tensor) -> Chords:
    """Find for each pair the boundary crossed on the way, by bisection."""
    step = adversarial - natural
    length = step.flatten(1).norm(dim=1)
    direction = step / _column(length, step)
    found = crossing(network, natural, adversarial)
    boundary = natural + _column(found.fraction, step) * step
    before = labels_of(network, boundary - _column(2 * found.width * length + 1e-5, step) * direction)
    after = labels_of(network, adversarial)
    normal = _margin_gradient(network, boundary, after, before)
    cosine = (normal * direction).flatten(1).sum(1) / normal.flatten(1).norm(dim=1)
    return Chords(boundary, direction, (1 - found.fraction) * length, cosine, before)


def on_chord(chord: Chords, distance: Float[Tensor, " pairs"]) -> Tensor:
    """Return the points at a signed distance from the boundary, positive towards the adversary."""
    return chord.boundary + _column(distance, chord.direction) * chord.direction


def _margin_gradient(network: nn.Module, points: Tensor, first: Tensor, second: Tensor) -> Tensor:
    inputs = points.detach().requires_grad_()
    logits = network(inputs)
    margin = logits.gather(1, first[:, None]) - logits.gather(1, second[:, None])
    return torch.autograd.grad(margin.sum(), inputs)[0]


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))
