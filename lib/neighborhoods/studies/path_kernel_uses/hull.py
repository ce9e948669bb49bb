"""Projection of test images on the convex hull of training images, beside what the kernel says of them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.detection import separation
from neighborhoods.kernels.hulls import hull_projection
from neighborhoods.models.networks import CLASSES
from neighborhoods.progress import bar
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.path_kernel_uses.queries import KINDS
from neighborhoods.studies.recorded import RecordedSpec

USED = 1e-9


@dataclass(frozen=True)
class HullSpec:
    """Numbers of the projection.

    Attributes:
        run: the run whose training images span the hull.
        points: natural test images projected.
        vertices: training images that span it, the first of the run.
    """

    run: RecordedSpec
    points: int
    vertices: int


def projected(
    spec: HullSpec, values: dict[str, Tensor], queries: dict[str, Tensor], grams: dict[str, Tensor]
) -> pd.DataFrame:
    """Return one row a test image: ``image``, ``label``, ``predicted`` by the network, ``nearest`` (the class
    whose own hull is nearest), ``voted`` (the class with most weight in the projection on the whole hull),
    ``distance`` to the whole hull, ``used`` (vertices with weight), and ``kernel``, ``pixel``: the chance
    that a vertex with weight has a greater kernel cosine, or is nearer, than one without.
    """
    found = machine(spec.run, values)
    chosen = (queries["kind"] == KINDS.index("natural")).nonzero()[: spec.points, 0]
    points, labels = queries["points"][chosen], found.labels[: spec.vertices]
    corners = found.points[: spec.vertices]
    diagonal = grams["gram"].diagonal()[: spec.vertices]
    cosines = grams["cross"][chosen, : spec.vertices] / (grams["own"][chosen, None] * diagonal).sqrt()
    whole = hull_projection(points.numpy(), corners.numpy())
    near = -torch.cdist(points, corners).numpy()
    table = pd.DataFrame(
        {
            "image": queries["image"][chosen].numpy(),
            "label": queries["label"][chosen].numpy(),
            "predicted": found.network(points).argmax(1).numpy(),
            "nearest": _nearest_class(points, corners, labels),
            "voted": (whole.weights @ np.eye(CLASSES)[labels.numpy()]).argmax(1),
            "distance": whole.distance,
            "used": (whole.weights > USED).sum(1),
        }
    )
    return table.assign(kernel=_lead(cosines.numpy(), whole.weights), pixel=_lead(near, whole.weights))


def _nearest_class(points: Tensor, corners: Tensor, labels: Tensor) -> np.ndarray:
    """Return the class whose hull is nearest to each point."""
    distances = [
        hull_projection(points.numpy(), corners[labels == label].numpy()).distance
        for label in bar(range(CLASSES), description="hulls")
    ]
    return np.asarray(np.argmin(distances, axis=0))


def _lead(scores: np.ndarray, weights: np.ndarray) -> list[float]:
    """Return for each point how well a score tells vertices that are used from the others."""
    pairs = zip(scores, weights > USED, strict=True)
    return [separation(row[used], row[~used]).area for row, used in pairs]
