"""Test images, and for each the ends of segments that leave its class."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neighborhoods.kernels.attacks import igsm
from neighborhoods.kernels.boundary_points import descend
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.progress import bar
from neighborhoods.studies.persistence.adversaries import every_other_class, sources

BATCH = 300
RIVALS = CLASSES - 1
KINDS = ("least", "igsm", "partner", "free", "back")
"""Where a segment leads: from an image to its nearest adversary, to that of the sign method, to another
image, to the nearest tie with pixels that know no bounds; and back, from behind the nearest adversary."""
NEAREST = 2
"""Classes that each image is attacked towards at first, those of the nearest ties."""


@dataclass(frozen=True)
class EndsSpec:
    """Numbers of the attacks.

    Attributes:
        network: name of the network.
        images: test images, drawn among those classified correctly.
        epsilon, alpha, steps: of the iterative gradient sign method.
        seed: of the draw.
    """

    network: str
    images: int
    epsilon: float
    alpha: float
    steps: int
    seed: int


def find(spec: EndsSpec, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Attack each image towards its nearest class, by two methods, and give it a partner of another class.

    The nearest class is that of the shortest attack of least distortion. Adversaries stop at the boundary,
    so segments go on to twice the length. The segment back starts where the one to the nearest adversary
    ends, as deep in the other class as the image in its own, and leads to the nearest tie from there.

    Returns:
        One row an image: ``image``; ``length`` of the shortest attack (infinite where all fail); ``ties``,
        distances of `ties`; and, named after `KINDS`, the ends of the segments, NaN where there is none.
    """
    network = load(spec.network, trained)
    images, labels, _ = sources(network, 2 * spec.images, spec.seed)
    (natural, others), (own, theirs) = images.chunk(2), labels.chunk(2)
    distances = ties(network, natural)[1]
    points, targets, length = nearest(network, natural, own, distances)
    sign = igsm(
        network, natural, own, targets=targets, epsilon=spec.epsilon, alpha=spec.alpha, steps=spec.steps
    )
    mirrored = _where(length.isfinite(), 2 * points - natural)
    return {
        "image": natural,
        "length": length,
        "ties": distances,
        "least": mirrored,
        "igsm": _where(sign.success, 2 * sign.points - natural),
        "partner": _where(own != theirs, others),
        "free": _through_the_nearest_tie(network, natural),
        "back": _through_the_nearest_tie(network, mirrored),
    }


def nearest(
    network: nn.Module, points: Tensor, labels: Tensor, distances: Float[Tensor, "m 9"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the nearest adversary of each point inside the box, its class and its distance.

    No adversary is nearer than the tie with its class, so beyond the `NEAREST` classes only those are tried
    whose tie is nearer than the best adversary so far.
    """
    best = points.clone(), torch.zeros_like(labels), torch.full((len(points),), torch.inf)
    first = distances.argsort(1).argsort(1) < NEAREST
    _improve(network, (points, labels), first, best)
    _improve(network, (points, labels), ~first & (distances < best[2][:, None]), best)
    return best


def _improve(
    network: nn.Module, start: tuple[Tensor, Tensor], tried: Tensor, best: tuple[Tensor, Tensor, Tensor]
) -> None:
    """Attack towards some classes of each point and write into the best what is nearer."""
    (points, labels), (rows, rivals) = start, tried.nonzero().unbind(1)
    targets = rivals + (rivals >= labels[rows]).long()
    parts = list(zip(points[rows].split(BATCH), targets.split(BATCH), strict=True))
    for some, part in zip(rows.split(BATCH), bar(parts, description="least distortion"), strict=True):
        found = minimum_distortion(network, *part)
        length = (found.points - part[0]).flatten(1).norm(dim=1)
        for place, row in enumerate(some.tolist()):
            if bool(found.success[place]) and length[place] < best[2][row]:
                best[0][row], best[1][row] = found.points[place], part[1][place]
                best[2][row] = length[place]


def ties(
    network: nn.Module, points: Float[Tensor, " m *shape"]
) -> tuple[Float[Tensor, "m 9 *shape"], Float[Tensor, "m 9"]]:
    """Return where the class of each point ties with each other one, and how far that is.

    The class of a point is the set where nine differences of logits are positive; each of these sets is a
    half-space if the network is affine. Pixels may take any value. The distance is infinite where the
    descent reaches no tie.
    """
    labels = labels_of(network, points)
    rows, rivals = every_other_class(labels)
    down = descend(network, points[rows], labels[rows], rivals)
    length = (down.points - points[rows]).flatten(1).norm(dim=1)
    length = torch.where(down.status == int(Status.CONVERGED), length, torch.inf)
    return down.points.unflatten(0, (-1, RIVALS)), length.reshape(-1, RIVALS)


def _through_the_nearest_tie(network: nn.Module, points: Float[Tensor, " m *shape"]) -> Tensor:
    """Return the ends of segments that lead from points to the nearest tie, and as far again."""
    good = points.flatten(1).isfinite().all(1)
    ends = torch.full_like(points, torch.nan)
    feet, length = ties(network, points[good])
    ends[good] = 2 * feet[torch.arange(len(feet)), length.argmin(1)] - points[good]
    return ends


def _where(good: Tensor, points: Tensor) -> Tensor:
    return torch.where(good.reshape(-1, *[1] * (points.ndim - 1)), points, torch.nan)
