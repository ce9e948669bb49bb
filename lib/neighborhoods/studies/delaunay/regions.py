"""Classes in the square [-1, 1]² whose boundary is known, and samples of them."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

Radius = Callable[[Tensor], Tensor]
NEEDLE = 0.0005
"""Half the width of the needle."""


def _disc(angle: Tensor) -> Tensor:
    return torch.full_like(angle, 0.6)


def _flower(angle: Tensor) -> Tensor:
    return 0.55 + 0.2 * torch.cos(3 * angle)


def _star(angle: Tensor) -> Tensor:
    """A star of five straight-edged points, between the radii 0.35 and 0.85."""
    wide = math.pi / 5
    turn = torch.remainder(angle, 2 * wide)
    turn = torch.minimum(turn, 2 * wide - turn)  # 0 at a point of the star, π/5 in a notch
    outer, inner = 0.85, 0.35
    radius: Tensor = (
        outer * inner * math.sin(wide) / (outer * torch.sin(turn) + inner * torch.sin(wide - turn))
    )
    return radius


RADII: dict[str, Radius] = {"disc": _disc, "flower": _flower, "star": _star}
"""Regions around the origin: the boundary's distance in each direction."""

REGIONS = (*RADII, "needle")


def labels_in(region: str, points: Float[Tensor, "points 2"]) -> Int[Tensor, " points"]:
    """Return 1 inside of a region and 0 outside.

    Args:
        region: "disc", "flower", "star", or "needle": a disc with a needle that points to the right.
        points: in the square.

    Raises:
        ValueError: another region.
    """
    _check(region)
    angle = torch.atan2(points[:, 1], points[:, 0])
    length = torch.linalg.vector_norm(points, dim=1)
    needle = (points[:, 0] > 0) & (points[:, 0] < 0.9) & (points[:, 1].abs() < NEEDLE)
    inside: Tensor = (length < 0.4) | needle if region == "needle" else length < RADII[region](angle)
    return inside.long()


def outline(region: str, count: int) -> tuple[Float[Tensor, "count 2"], Float[Tensor, "count 2"]]:
    """Return points of a region's boundary, close to each other, and unit normals there.

    Raises:
        ValueError: an unknown region.
    """
    _check(region)
    turn = torch.arange(count, dtype=torch.float64) / count
    if region == "needle":
        points = _needle(turn)
    else:
        radius = RADII[region](2 * math.pi * turn)
        angle = 2 * math.pi * turn
        points = radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    along = points.roll(-1, 0) - points.roll(1, 0)
    normal = torch.stack([along[:, 1], -along[:, 0]], 1)
    return points, normal / torch.linalg.vector_norm(normal, dim=1, keepdim=True)


def _needle(turn: Tensor) -> Tensor:
    """Around the disc, then out along the needle's lower side and back along its upper one."""
    start = math.asin(NEEDLE / 0.4)
    angle = start + (2 * math.pi - 2 * start) * (turn * 2).clamp(max=1)
    disc = 0.4 * torch.stack([angle.cos(), angle.sin()], 1)
    way = (4 * turn - 2).clamp(0, 2)
    across = torch.where(way < 1, 0.4 + 0.5 * way, 0.9 - 0.5 * (way - 1))
    needle = torch.stack([across, torch.where(way < 1, -NEEDLE, NEEDLE)], 1)
    return torch.where(turn[:, None] < 0.5, disc, needle)


def sample(count: int, generator: Generator) -> Float[Tensor, "sites 2"]:
    """Return uniform points of the square and regular ones on its rim, so that they triangulate all of it.

    The rim's points are as far apart as a grid of the same number would be.
    """
    steps = math.ceil(math.sqrt(count))
    edge = torch.linspace(-1, 1, steps + 1, dtype=torch.float64)[:-1]
    side = torch.stack([edge, torch.full_like(edge, -1.0)], 1)
    quarter = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    inner = 2 * torch.rand(count, 2, generator=generator, dtype=torch.float64) - 1
    return torch.cat([inner, side, side @ quarter, -side, -side @ quarter])


def _check(region: str) -> None:
    if region not in REGIONS:
        raise ValueError(f"region is {region!r}; it must be one of {', '.join(REGIONS)}")
