"""The segment from an image to its adversary, and the boundary it crosses last."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neighborhoods.kernels.boundaries import Crossing, along, beyond, crossing
from neighborhoods.kernels.normals import margins
from neighborhoods.kernels.statistics import labels_of

NEAR = 1e-4
"""Step from the boundary, in pixel ranges, after which the class before it is read off."""


class Chords(NamedTuple):
    """Segments from images to their adversaries, and where they enter the adversarial class.

    Attributes:
        natural, adversarial: the ends.
        crossing: the boundary between them.
        overshoot: distance from the boundary to the adversary along the segment.
        cosine: of the angle between the segment and the boundary's normal there; the tangent plane lies
            ``cosine * overshoot`` away from the adversary.
        before: the class just before the boundary, which need not be the image's own.
    """

    natural: Tensor
    adversarial: Tensor
    crossing: Crossing
    overshoot: Float[Tensor, " pairs"]
    cosine: Float[Tensor, " pairs"]
    before: Int[Tensor, " pairs"]

    def at(self, distance: float | Tensor) -> Tensor:
        """Return the points at a signed distance from the boundary, positive towards the adversary."""
        return along(self.crossing, self.natural, self.adversarial, distance)

    def take(self, which: Tensor) -> "Chords":
        """Return some of the segments."""
        found = Crossing(*(column[which] for column in self.crossing))
        ends = self.natural[which], self.adversarial[which]
        return Chords(*ends, found, self.overshoot[which], self.cosine[which], self.before[which])


def chords(network: nn.Module, natural: Tensor, adversarial: Tensor) -> Chords:
    """Find for each pair the boundary crossed on the way, its normal there, and the class before it."""
    found = crossing(network, natural, adversarial)
    before = labels_of(network, along(found, natural, adversarial, -NEAR))
    normal = margins(network, found.points, before, labels_of(network, adversarial)).gradient
    cosine = torch.cosine_similarity(normal, (adversarial - natural).flatten(1), dim=1)
    depth = beyond(found, natural, adversarial).distance
    return Chords(natural, adversarial, found, depth, cosine, before)
