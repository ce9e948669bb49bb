"""Exact walks through a Voronoi diagram: where a segment leaves its class, and at which angle."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.normals import incidence
from neighborhoods.kernels.sites import require_finite, require_sites, rounding
from neighborhoods.kernels.statistics import Status


class Exit(NamedTuple):
    """Where segments first leave the class of their start, one row for each segment.

    Attributes:
        fraction: $t$ in [0, 1] of the segment; 1 where it does not leave.
        near: the site whose cell it leaves.
        far: the site whose cell, of another class, it enters; equal to `near` where it does not leave.
        angle: of incidence on the facet between the two, in radians; 0 where it does not leave.
        cells: number of facets passed up to there, the exit among them.
        status: CONVERGED; CENSORED where the segment ends in the class of its start without having left it;
            UNDECIDED where several sites tie at the exit, or two classes at the start: the facet is one of
            several.
    """

    fraction: Float[Tensor, " m"]
    near: Int[Tensor, " m"]
    far: Int[Tensor, " m"]
    angle: Float[Tensor, " m"]
    cells: Int[Tensor, " m"]
    status: Int8[Tensor, " m"]


@checked()
def voronoi_exit(
    start: Float[Tensor, "m n"],
    end: Float[Tensor, "ends n"],
    sites: Float[Tensor, "sites dimension"],
    labels: Int[Tensor, " labels"],
) -> Exit:
    """Follow all segments from cell to cell until the class of the cell changes.

    $$ \\|x_0 + tv - x_i\\|^2 - \\|x_0 + tv\\|^2 = a_i + b_i t, \\qquad
       a_i = \\|x_i\\|^2 - 2\\langle x_0, x_i\\rangle, \\quad b_i = -2\\langle v, x_i\\rangle . $$

    Along a segment the diagram is the lower envelope of these lines, and the next cell after that of $i$
    belongs to the line of smaller slope that meets $i$'s first. Slopes decrease with every step, so that a
    walk has fewer steps than there are sites.

    Args:
        start: $x_0$, where the segments begin.
        end: $x_0 + v$, where they end.
        sites: $x_i$.
        labels: a number for each site; all different, and the walk ends at the first facet.

    Returns:
        An `Exit`, exact up to rounding.

    Raises:
        ValueError: no sites, a coordinate that is not finite, shapes that differ, or a segment of no length.

    Source: ours; in the draft, Section 30.1, a segment between two sites meets one facet, at a right angle.

    >>> sites = torch.tensor([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5]])
    >>> found = voronoi_exit(sites[:1], sites[1:2], sites, torch.tensor([0, 1, 1]))
    >>> found.far, found.angle.rad2deg()
    (tensor([2]), tensor([14.0362]))
    """
    _check(start, end, sites, labels)
    middle, step = sites.mean(0), end - start
    centred = sites - middle
    height = (centred**2).sum(1) - 2 * (start - middle) @ centred.T
    slope = -2 * step @ centred.T
    exact = rounding(torch.cat([sites, start, end]))
    lowest = height.min(1, keepdim=True).values
    tied = height <= lowest + exact
    near = torch.where(tied, slope, torch.inf).argmin(1)
    split = (tied & (labels != labels[near][:, None])).any(1)
    walk = _walk(_Lines(height, slope, exact), near, split, labels)
    normal = torch.where((walk.near != walk.far)[:, None], sites[walk.far] - sites[walk.near], step)
    return walk._replace(angle=incidence(step, normal))


class _Lines(NamedTuple):
    height: Float[Tensor, "m sites"]
    slope: Float[Tensor, "m sites"]
    exact: float

    def meeting(self, site: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return where a site's line is met first, by which line that is lowest beyond, and by which ones."""
        falls = self.slope.gather(1, site[:, None]) - self.slope
        gap = (self.height - self.height.gather(1, site[:, None])).clamp_min(0)
        times = torch.where(falls > self.exact, gap / falls, torch.inf)
        first = times.min(1, keepdim=True).values
        meets = (times - first) * falls.clamp_min(self.exact) <= self.exact
        return first.squeeze(1), torch.where(meets, falls, -torch.inf).argmax(1), meets


def _walk(lines: _Lines, near: Tensor, unsure: Tensor, labels: Tensor) -> Exit:
    """Walk from the nearest site of each start; `unsure` says which starts have several, of other classes."""
    far, cells = near.clone(), torch.zeros_like(near)
    fraction = torch.ones_like(lines.height[:, 0])
    left = torch.zeros_like(unsure)
    going = ~left
    while going.any():
        time, following, meets = lines.meeting(near)
        going &= time < 1
        cells += going
        mixed = (meets & (labels != labels[following][:, None])).any(1)
        leaves = going & (labels[following] != labels[near])
        unsure |= (going & mixed) | (leaves & (meets.sum(1) > 1))
        fraction = torch.where(leaves, time, fraction)
        left, going = left | leaves, going & ~leaves
        far = torch.where(leaves | going, following, far)
        near = torch.where(going, following, near)
    status = torch.where(left, int(Status.CONVERGED), int(Status.CENSORED))
    status = torch.where(unsure, int(Status.UNDECIDED), status).to(torch.int8)
    return Exit(fraction, near, far, torch.zeros_like(fraction), cells, status)


def _check(start: Tensor, end: Tensor, sites: Tensor, labels: Tensor) -> None:
    require_sites(sites)
    if len(labels) != len(sites):
        raise ValueError(f"labels: got {len(labels)}; required one for each of {len(sites)} sites")
    if start.shape != end.shape or start.shape[1] != sites.shape[1]:
        shapes = f"{tuple(start.shape)} and {tuple(end.shape)}"
        raise ValueError(
            f"start, end: got shapes {shapes}; required equal ones of dimension {sites.shape[1]}"
        )
    require_finite("start", start)
    require_finite("end", end)
    short = int((start == end).all(1).sum())
    if short:
        raise ValueError(f"end: got {short} that are their starts; required segments of positive length")
