"""Scores that should be high for images unlike the training set, and how well each tells them apart."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from neighborhoods.kernels.detection import separation
from neighborhoods.kernels.gaussian_process import gaussian_process
from neighborhoods.models.networks import CLASSES
from neighborhoods.studies.path_kernel_uses.machine import machine
from neighborhoods.studies.path_kernel_uses.queries import KINDS
from neighborhoods.studies.recorded import RecordedSpec

SCORES = {
    "softmax": "1 − greatest softmax",
    "variance": "posterior variance",
    "relative": "posterior / prior variance",
    "sum": "− sum of kernel values",
    "cosine": "− mean kernel cosine",
    "pixel": "distance to nearest training image",
}


@dataclass(frozen=True)
class UncertaintySpec:
    """The Gaussian process.

    Attributes:
        run: the run whose kernel is its prior covariance.
        noise: variance of the noise over the mean prior variance of the training images.
    """

    run: RecordedSpec
    noise: float


def scores(
    spec: UncertaintySpec, values: dict[str, Tensor], queries: dict[str, Tensor], grams: dict[str, Tensor]
) -> pd.DataFrame:
    """Return one row a query: ``kind``, ``image``, ``label``, ``predicted`` (by the network), ``regressed``
    (by the mean of the process), ``success``, ``prior``, and a column for each of `SCORES`.
    """
    found, points = machine(spec.run, values), queries["points"]
    gram, cross, own = (grams[name].double() for name in ("gram", "cross", "own"))
    diagonal = gram.diagonal()
    noise = spec.noise * float(diagonal.mean())
    classes = one_hot(found.labels, CLASSES).double()
    # The matrices are as exact as single precision; their rounding is far below the noise.
    posterior = gaussian_process(grams["gram"], cross, own, classes - classes.mean(0), noise=noise)
    probabilities = found.network(points).softmax(1)
    columns = {
        "image": queries["image"],
        "label": queries["label"],
        "predicted": probabilities.argmax(1),
        "regressed": posterior.mean.argmax(1),
        "success": queries["success"],
        "prior": own,
        "softmax": 1 - probabilities.amax(1),
        "variance": posterior.variance,
        "relative": posterior.variance / own,
        "sum": -cross.sum(1),
        "cosine": -(cross / (own[:, None] * diagonal).sqrt()).mean(1),
        "pixel": torch.cdist(points, found.points).amin(1),
    }
    kinds = [KINDS[place] for place in queries["kind"].tolist()]
    return pd.DataFrame({name: column.numpy() for name, column in columns.items()}).assign(kind=kinds)


def separations(table: pd.DataFrame) -> pd.DataFrame:
    """Return the area under the curve of each score for each kind against the natural images.

    Columns ``kind``, ``score``, ``area``, ``low``, ``high``, ``count``. Attacks that failed are left out;
    ``count`` says how many images remain.
    """
    natural, rows = table[table["kind"] == "natural"], []
    for kind in KINDS[1:]:
        some = table[(table["kind"] == kind) & table["success"]]
        for score in SCORES:
            area, low, high = separation(some[score], natural[score])
            row = {"kind": kind, "score": score, "area": area, "low": low, "high": high}
            rows.append({**row, "count": len(some)})
    return pd.DataFrame(rows)
