"""Where segments leave the class of an image, at which angle, and how persistence grows on both sides."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float, Int
from scipy.special import ndtri
from torch import Tensor, nn

from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.boundary_points import boundary_points
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence_revisited.ends import KINDS
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec, measure

DISTANCES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""From the boundary to the foot of a point in the tangent plane, pixels."""
SIDES = {"before": (-1, "first"), "beyond": (1, "second")}
"""The direction along the segment, and which of the two classes is at home there."""


@dataclass(frozen=True)
class SlopesSpec:
    """How persistence is measured, and on how many segments of each kind."""

    measure: MeasureSpec
    segments: int


def cross(spec: MeasureSpec, trained: dict[str, Tensor], ends: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the boundary that each segment crosses, for segments whose ends' classes meet there.

    Segments on which a third class lies between those of the ends are left out, and counted.

    Returns:
        One row a segment: ``kind`` (a place in `KINDS`) and ``row`` (the image's place), ``start``, ``end``,
        ``first`` and ``second`` class, ``point``, ``normal``, ``incidence`` in radians, ``length`` from the
        image to the boundary; ``tried`` and ``kept``, how many there were of each kind.
    """
    network = load(spec.network, trained)
    parts = [_crossed(network, ends, kind) for kind in KINDS]
    joined = {name: torch.cat([part[name] for part, _ in parts]) for name in parts[0][0]}
    kind = torch.cat([torch.full((len(part["row"]),), place) for place, (part, _) in enumerate(parts)])
    kept = torch.bincount(kind, minlength=len(KINDS))
    return joined | {"kind": kind, "tried": torch.tensor([tried for _, tried in parts]), "kept": kept}


def slopes(spec: SlopesSpec, trained: dict[str, Tensor], crossed: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row a segment, side and distance: how persistence grows from the boundary.

    Points lie on the segment at the path length $s=d/\cos\alpha$ from the crossing, for each $d$ in
    `DISTANCES`: so deep before and behind the tangent plane.

    Columns: ``kind``, ``row``, ``side``, ``distance``, ``alpha`` in degrees; ``keeps``, whether the point has
    the class that its side has at the boundary; ``sigma``, ``low``, ``high``, ``status``; ``slope``, the
    persistence over the path length, and ``ratio``, that over $\cos\alpha/z$, which a flat boundary gives.
    """
    network = load(spec.measure.network, trained)
    chosen = first_of_each(crossed["kind"], spec.segments, range(len(KINDS)))
    some = {name: column[chosen] for name, column in crossed.items() if name not in ("tried", "kept")}
    parts = [_side(spec.measure, network, some, side, distance) for side in SIDES for distance in DISTANCES]
    return pd.concat(parts, ignore_index=True)


def first_of_each(kind: Int[Tensor, " m"], count: int, kinds: Iterable[int]) -> Int[Tensor, " n"]:
    """Return the rows that are among the first so many of each of some kinds."""
    return torch.cat([(kind == place).nonzero().squeeze(1)[:count] for place in kinds])


def _side(
    spec: MeasureSpec, network: nn.Module, some: dict[str, Tensor], side: str, distance: float
) -> pd.DataFrame:
    sign, own = SIDES[side]
    path: Float[Tensor, " m"] = distance / some["incidence"].cos()
    step = some["end"] - some["start"]
    share = sign * path / step.flatten(1).norm(dim=1)
    points = some["point"] + share.reshape(-1, *[1] * (step.ndim - 1)) * step
    measured = measure(spec, network, points)
    columns = {
        "kind": [KINDS[place] for place in some["kind"]],
        "row": some["row"].numpy(),
        "side": side,
        "distance": distance,
        "alpha": some["incidence"].rad2deg().numpy(),
        "keeps": (labels_of(network, points) == some[own]).numpy(),
        "slope": measured["sigma"] / path.numpy(),
        "ratio": measured["sigma"] * float(ndtri(spec.gamma)) / distance,
    }
    return measured.assign(**columns)


def _crossed(network: nn.Module, ends: dict[str, Tensor], kind: str) -> tuple[dict[str, Tensor], int]:
    starts = ends["least" if kind == "back" else "image"]
    rows = (starts + ends[kind]).flatten(1).isfinite().all(1).nonzero().squeeze(1)
    start, end = starts[rows], ends[kind][rows]
    label = labels_of(network, start)
    apart = labels_of(network, end) != label
    rows, start, end, label = rows[apart], start[apart], end[apart], label[apart]
    at = boundary_points(network, start, end, crossing(network, start, end))
    good = (at.status == int(Status.CONVERGED)) & (at.first == label)
    good &= at.incidence < math.pi / 2
    columns = {
        "row": rows,
        "start": start,
        "end": end,
        "first": at.first,
        "second": at.second,
        "point": at.points,
        "normal": at.normals,
        "incidence": at.incidence,
        "length": (at.points - start).flatten(1).norm(dim=1),
    }
    return {name: column[good] for name, column in columns.items()}, len(apart)
