"""Stability curves of images and adversaries, and the orthants and wedges that fit them best."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from neighborhoods.kernels.persistence import stability
from neighborhoods.kernels.statistics import clopper_pearson, labels_of
from neighborhoods.models.networks import load
from neighborhoods.progress import bar
from neighborhoods.studies.persistence.tables import generator
from neighborhoods.studies.persistence_revisited.distances import FAR, facets
from neighborhoods.studies.persistence_revisited.ends import ties
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec, measure
from neighborhoods.studies.persistence_revisited.orthants import MODELS, Curve, Shape, fit, log_stability

LEAST, MOST = 0.5, 2.5
"""Ends of the grid of noise, in persistences of the point."""
FINE = 80
POINTS = ("image", "igsm", "mirror")
"""Images, their adversaries by the sign method, and points as deep behind the nearest boundary as they."""


@dataclass(frozen=True)
class CurvesSpec:
    """Numbers of the curves.

    Attributes:
        measure: how persistence is measured.
        points: of each kind.
        levels: of noise, in equal ratios between `LEAST` and `MOST` persistences.
        draws: independent noise vectors at each level.
    """

    measure: MeasureSpec
    points: int
    levels: int
    draws: int


def count(spec: CurvesSpec, trained: dict[str, Tensor], ends: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a point and level of noise: how many of its draws keep the class.

    Each level has noise of its own, so that the counts of a point are independent binomial numbers; points
    share it. Points of infinite persistence or none have no grid and are left out, and so are mirrored
    points that a third class has taken.

    Columns: ``kind``, ``row``, ``sigma`` of the level, ``kept`` and ``draws``, ``persistence``, ``facets``
    (the effective number at the level γ), ``distance`` of the nearest tie, and ``tie 0`` to ``tie 8``.
    """
    network, parts = load(spec.measure.network, trained), []
    for kind in POINTS:
        points, rows = _points(network, ends, kind, spec.points)
        if not len(points):
            continue
        far = ties(network, points)[1].double().clamp(max=FAR)
        own = measure(spec.measure, network, points)["sigma"].to_numpy()
        good = np.isfinite(own) & (own > 0)
        head = pd.DataFrame({"kind": kind, "row": rows.numpy(), "persistence": own, "distance": far.amin(1)})
        head["facets"] = facets(head["distance"].to_numpy(), own, spec.measure.gamma)
        head = head.join(pd.DataFrame(far.numpy()).add_prefix("tie "))[good]
        parts += _levels(spec, network, points[torch.from_numpy(good)], head)
    return pd.concat(parts, ignore_index=True)


def fitted(spec: CurvesSpec, counted: pd.DataFrame) -> pd.DataFrame:
    """Return one row a point and model: ``kind``, ``row``, ``model``, what `orthants.fit` returns, and
    ``facets``, ``distance``, ``persistence`` from the counts.
    """
    rows = []
    for (kind, row), group in counted.groupby(["kind", "row"], sort=False):
        sigma, kept, draws = (group[name].to_numpy(float) for name in ("sigma", "kept", "draws"))
        curve = Curve(sigma, kept, draws, group.filter(like="tie ").iloc[0].to_numpy(float))
        head: dict[str, Any] = {"kind": kind, "row": row}
        head |= {name: group[name].iloc[0] for name in ("facets", "distance", "persistence")}
        rows += [head | {"model": model} | fit(curve, model) for model in MODELS]
    return pd.DataFrame(rows)


def drawn(counted: pd.DataFrame, fitted: pd.DataFrame) -> pd.DataFrame:
    """Return for the first point of each kind its counted curve and those of the models.

    Columns: ``kind``, ``model`` ("counted" for the counts), ``sigma``, ``stability``, and ``low``, ``high``,
    the exact 95 % interval of what was counted.
    """
    parts = []
    for kind, rows in counted.groupby("kind", sort=False):
        own = rows[rows["row"] == rows["row"].iloc[0]]
        low, high = clopper_pearson(own["kept"].to_numpy(float), own["draws"].to_numpy(float))
        columns = {"stability": own["kept"] / own["draws"], "low": low, "high": high, "model": "counted"}
        parts.append(own[["kind", "sigma"]].assign(**columns))
        grid = np.geomspace(own["sigma"].min(), own["sigma"].max(), FINE)
        models = fitted[(fitted["kind"] == kind) & (fitted["row"] == own["row"].iloc[0])].dropna(subset="k")
        for model, k, d, theta in models[["model", "k", "d", "theta"]].itertuples(index=False):
            values = np.exp(log_stability(grid, Shape(np.array([d]), k, theta)))
            parts.append(pd.DataFrame({"kind": kind, "model": model, "sigma": grid, "stability": values}))
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return table


def _points(network: nn.Module, ends: dict[str, Tensor], kind: str, count: int) -> tuple[Tensor, Tensor]:
    natural = ends["image"]
    if kind == "image":
        return natural[:count], torch.arange(len(natural))[:count]
    points = (natural + ends["igsm"]) / 2 if kind == "igsm" else ends["least"]
    rows = points.flatten(1).isfinite().all(1).nonzero().squeeze(1)
    behind = labels_of(network, torch.lerp(natural[rows], ends["least"][rows], 0.51))
    rows = rows[labels_of(network, points[rows]) == behind][:count]
    return points[rows], rows


def _levels(spec: CurvesSpec, network: nn.Module, points: Tensor, head: pd.DataFrame) -> list[pd.DataFrame]:
    noise, parts = generator(spec.measure.seed + 1), []
    for level in bar(np.geomspace(LEAST, MOST, spec.levels).tolist(), description="stability"):
        sigma = torch.as_tensor(level * head["persistence"].to_numpy())
        found = stability(network, points, sigma.to(points), samples=spec.draws, generator=noise)
        kept = (found.probability.double() * spec.draws).round().numpy()
        parts.append(head.assign(sigma=sigma.numpy(), kept=kept, draws=spec.draws))
    return parts
