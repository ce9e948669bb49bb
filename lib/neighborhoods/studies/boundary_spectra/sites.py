"""Boundary points of a network: between images and their adversaries, and between two images."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.boundary_points import boundary_points
from neighborhoods.kernels.normals import incidence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence.adversaries import sources

KINDS = ("adversary", "pair")
SPARE = 12  # pairs of images drawn for each one that is used


@dataclass(frozen=True)
class SitesSpec:
    """Numbers of the search.

    Attributes:
        network: name of the network.
        sites: boundary points, half of each kind.
        seed: of the draw of image pairs.
    """

    network: str
    sites: int
    seed: int


def find(spec: SitesSpec, trained: dict[str, Tensor], attacked: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return boundary points whose two classes are those of the ends of the segment they were found on.

    A least-distortion adversary lies on the boundary, so the segment is continued to twice its length. Sites
    that a third class has a part in are left out, and counted.

    Returns:
        One row a site: ``kind`` (0 and 1, as in `KINDS`), ``start``, ``end``, ``point``, ``first``,
        ``second``, ``normal``, ``incidence``, ``residual``; the angles from the normal, in radians, of the
        loss gradient at the start (``loss``) and of its sign (``sign``); ``tried`` and ``kept``, segments of
        each kind looked at and of use.
    """
    network = load(spec.network, trained)
    hit = attacked["success"]
    natural, adversarial = attacked["natural"][hit], attacked["points"][hit]
    images = sources(network, SPARE * spec.sites, spec.seed + 1)[0]
    segments = [(natural, 2 * adversarial - natural), tuple(images.chunk(2))]
    parts, tried, kept = [], [], []
    for kind, (start, end) in enumerate(segments):
        part, looked, used = _between(network, start[: len(end)], end)
        tried.append(looked)
        kept.append(used)
        rows = {name: column[: spec.sites // 2] for name, column in part.items()}
        parts.append({"kind": torch.full((len(rows["first"]),), kind)} | rows)
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return joined | {"tried": torch.tensor(tried), "kept": torch.tensor(kept)}


def _between(network: nn.Module, start: Tensor, end: Tensor) -> tuple[dict[str, Tensor], int, int]:
    before, behind = labels_of(network, start), labels_of(network, end)
    start, end, before = (column[before != behind] for column in (start, end, before))
    at = boundary_points(network, start, end, crossing(network, start, end))
    good = (at.status == int(Status.CONVERGED)) & (at.first == before)
    loss = _loss_gradient(network, start, at.second).flatten(1)
    columns = {
        "start": start,
        "end": end,
        "point": at.points,
        "first": at.first,
        "second": at.second,
        "normal": at.normals,
        "incidence": at.incidence,
        "residual": at.residual,
        "loss": incidence(loss, torch.where(good[:, None], at.normals, loss)),
        "sign": incidence(loss.sign(), torch.where(good[:, None], at.normals, loss)),
    }
    return {name: column[good] for name, column in columns.items()}, len(good), int(good.sum())


def _loss_gradient(network: nn.Module, points: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient that a targeted attack descends at its first step."""
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        return torch.autograd.grad(cross_entropy(network(x), targets, reduction="sum"), x)[0]
