"""Local samples at growing radii around boundary points: flatness, normals, and the classes met there."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Generator, Tensor, nn

from neighborhoods.kernels.curvature import curvature_radius, planarity_radius
from neighborhoods.kernels.dimension import dropped_directions
from neighborhoods.kernels.flatness import Flatness
from neighborhoods.kernels.normals import incidence, least_squares_normal, margins
from neighborhoods.kernels.patches import between, in_row_space, patch
from neighborhoods.kernels.statistics import Classifier, Status
from neighborhoods.models.networks import load
from neighborhoods.progress import bar
from neighborhoods.studies.boundary_spectra.sites import KINDS

NEIGHBOURS = 20  # points of a sample whose normals are compared with the one in its middle
MISSING = 0.05  # share of places without a crossing above which a sample counts as no graph
HALVINGS = 14
CUT = 0.1  # share of the other deviations below which a direction counts as dropped


@dataclass(frozen=True)
class SweepSpec:
    """Numbers of the sweep.

    Attributes:
        network: name of the network.
        levels: radii, in equal ratios from ``least`` to ``most``.
        oversampling: points of a sample for each of its coordinates.
        seed: of the samples.
    """

    network: str
    levels: int
    least: float
    most: float
    oversampling: float
    seed: int


def sweep(spec: SweepSpec, trained: dict[str, Tensor], sites: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a site and radius.

    Columns: ``kind``, ``site``, ``radius``; ``ratio``, ``low``, ``high`` of the flatness; ``dropped``,
    ``dropped_low``, ``dropped_high`` directions; ``error`` of the normal by least squares and its ``angle``
    from the gradient, ``turn``: median angle between the gradients at neighbours and in the middle, in
    degrees; ``third``: share of the neighbours at which a third class leads; ``width`` of the brackets;
    ``coordinates``; ``status``: "failed" where more than a twentieth of the places have no crossing.
    """
    network, points, normals = _smallest(load(spec.network, trained), sites)
    radii = torch.logspace(math.log10(spec.least), math.log10(spec.most), spec.levels).tolist()
    generator = Generator().manual_seed(spec.seed)
    rows = []
    for site in bar(range(len(points)), description=f"local samples, {spec.network}"):
        first, second = int(sites["first"][site]), int(sites["second"][site])
        samples = int(spec.oversampling * normals.shape[1])
        for radius in radii:
            found = patch(
                between(network, first, second),
                points[site],
                normals[site],
                radius,
                samples=samples,
                iterations=HALVINGS,
                generator=generator,
            )
            good = found.status == int(Status.CONVERGED)
            head = {"kind": KINDS[int(sites["kind"][site])], "site": site, "radius": radius}
            head |= {"width": found.width, "coordinates": normals.shape[1]}
            if float(good.double().mean()) < 1 - MISSING:
                rows.append(head | {"status": "failed"})
                continue
            offsets = found.offsets[good]
            around = points[site] + offsets[:NEIGHBOURS].to(points).reshape(-1, *points.shape[1:])
            rows.append(
                head
                | _measured(offsets, normals[site])
                | _neighbours(network, around, first, second, normals[site])
            )
    return pd.DataFrame(rows)


def begin(spec: SweepSpec, swept: pd.DataFrame) -> pd.DataFrame:
    """Return one row a site: where flatness ends, and the radius of curvature.

    Columns: ``kind``, ``site``; ``planar``, ``planar_low``, ``planar_high``, ``planar_status``;
    ``curvature``, ``curvature_low``, ``curvature_high``, ``slope``, ``curvature_status``.
    """
    rows = []
    for (kind, site), group in swept[swept["status"] == "converged"].groupby(["kind", "site"]):
        flat = Flatness(*(torch.tensor(group[name].to_numpy()) for name in ("ratio", "low", "high")))
        radii = torch.tensor(group["radius"].to_numpy())
        planar = planarity_radius(flat, radii)
        error = torch.tensor(group["width"].to_numpy()) / math.sqrt(12)
        curved = curvature_radius(flat, radii, int(group["coordinates"].iloc[0]), error=error)
        row: dict[str, Any] = {"kind": kind, "site": site, "slope": float(curved.slope)}
        for name, found in (("planar", planar), ("curvature", curved)):
            row |= {name: float(found.value), f"{name}_low": float(found.low)}
            row |= {
                f"{name}_high": float(found.high),
                f"{name}_status": Status(int(found.status)).name.lower(),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _smallest(network: nn.Sequential, sites: dict[str, Tensor]) -> tuple[nn.Sequential, Tensor, Tensor]:
    """Return the network, points and normals in as few coordinates as the network hears."""
    points, normals = sites["point"], sites["normal"].double()
    if not isinstance(network[0], nn.Flatten):
        return network, points, normals
    smaller, axes = in_row_space(network, points)
    return smaller.double(), points.flatten(1).double() @ axes, normals @ axes


def _measured(offsets: Tensor, normal: Tensor) -> dict[str, Any]:
    fitted = least_squares_normal(offsets)
    dropped = dropped_directions(fitted.spectrum, cut=CUT)
    numbers = {
        "ratio": fitted.flatness.ratio,
        "low": fitted.flatness.low,
        "high": fitted.flatness.high,
        "error": fitted.error.rad2deg(),
        "angle": incidence(fitted.normal, normal).rad2deg(),
        "dropped": dropped.value,
        "dropped_low": dropped.low,
        "dropped_high": dropped.high,
    }
    return {name: float(value) for name, value in numbers.items()} | {"status": "converged"}


def _neighbours(
    network: Classifier, around: Tensor, first: int, second: int, normal: Tensor
) -> dict[str, float]:
    pair = torch.full((len(around),), first), torch.full((len(around),), second)
    at = margins(network, around, *pair)
    angles = incidence(at.gradient.double(), normal).rad2deg()
    return {"turn": float(angles.median()), "third": float((at.lead < 0).double().mean())}
