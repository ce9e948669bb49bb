"""The segment from an image to its adversary, and the boundary it crosses last."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neighborhoods.kernels.boundaries import along, crossing, overshoot
from neighborhoods.kernels.statistics import labels_of

NEAR = 1e-4
"""Step from the boundary, in pixel ranges, after which the class before it is read off."""


class Chords(NamedTuple):
    """Where segments enter the adversarial class.

    Attributes:
        overshoot: distance from the boundary to the adversary along the segment.
        cosine: of the angle between the segment and the boundary's normal there; the tangent plane lies
            ``cosine * overshoot`` away from the adversary.
        before: the class just before the boundary, which need not be the image's own.
    """

    overshoot: Float[Tensor, " pairs"]
    cosine: Float[Tensor, " pairs"]
    before: Int[Tensor, " pairs"]


def chords(network: nn.Module, natural: Tensor, adversarial: Tensor) -> Chords:
    """Find for each pair the boundary crossed on the way, its normal there, and the class before it."""
    found = crossing(network, natural, adversarial)
    before = labels_of(network, along(found, natural, adversarial, -NEAR))
    normal = _margin_gradient(network, found.points, labels_of(network, adversarial), before).flatten(1)
    step = (adversarial - natural).flatten(1)
    cosine = torch.cosine_similarity(normal, step, dim=1)
    return Chords(overshoot(network, natural, adversarial).distance, cosine, before)


def on_chord(network: nn.Module, natural: Tensor, adversarial: Tensor, distance: float | Tensor) -> Tensor:
    """Return the points at a signed distance from the boundary, positive towards the adversary."""
    return along(crossing(network, natural, adversarial), natural, adversarial, distance)


def _margin_gradient(network: nn.Module, points: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return the gradient of the first class's logit minus the second's."""
    inputs = points.detach().requires_grad_()
    logits = network(inputs)
    margin = logits.gather(1, first[:, None]) - logits.gather(1, second[:, None])
    return torch.autograd.grad(margin.sum(), inputs)[0]
