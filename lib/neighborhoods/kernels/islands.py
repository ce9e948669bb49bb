"""Stability that falls and rises again: classes made of several intervals, and every crossing of a level.

In one dimension the stability of a point is a sum of normal probabilities, so a class with islands is the
smallest exact counterexample to reading persistence off any crossing but the first.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.statistics import require_fraction

_BISECTIONS = 64


@checked("edges")
def island_stability(
    edges: Float[Tensor, "islands 2"], sigma: float | Float[Tensor, "*batch"], *, point: float = 0.0
) -> Float64[Tensor, "*batch"]:
    """Return the probability that Gaussian noise takes a point of the line into a union of intervals.

    $$ P(\\sigma) = \\sum_i \\Phi\\Big(\\frac{b_i - x}\\sigma\\Big) - \\Phi\\Big(\\frac{a_i - x}\\sigma\\Big).
    $$

    Args:
        edges: the ends $a_i < b_i \\le a_{i+1}$ of the intervals, which may be infinite.
        sigma: standard deviations of the noise.
        point: $x$, in the unit of the edges.

    Raises:
        ValueError: intervals that are empty, overlap or are out of order, or a sigma that is not positive.

    Source: ours; it answers the draft's Definition 4.2 and Algorithm 1 by example.

    >>> island_stability(torch.tensor([[-1.96, 1.96]]), torch.tensor([1.0, 2.0]))
    tensor([0.9500, 0.6729], dtype=torch.float64)
    """
    ends = edges.double()
    spread = torch.as_tensor(sigma, dtype=torch.float64, device=ends.device)
    if not bool((ends[:, 0] < ends[:, 1]).all() and (ends[:-1, 1] <= ends[1:, 0]).all()):
        raise ValueError(f"edges: got {edges.tolist()}; required disjoint intervals (low, high) in order")
    if not bool((spread > 0).all()):
        raise ValueError(f"sigma: got {sigma}; required greater than 0")
    scaled = (ends - point) / spread[..., None, None]
    probability: Tensor = torch.special.ndtr(scaled).diff(dim=-1)[..., 0].sum(-1)
    return probability


@checked()
def level_crossings(
    stability: Callable[[Float64[Tensor, " grid"]], Float64[Tensor, " grid"]],
    gamma: float,
    sigmas: Float[Tensor, " grid"],
) -> Float64[Tensor, " crossings"]:
    """Return every noise level at which an exact stability curve crosses $\\gamma$, in increasing order.

    The first is the persistence where the curve starts above $\\gamma$. Two crossings between neighbours of
    the grid are missed: the grid states the resolution. Each crossing that is found is bisected to rounding.

    Args:
        stability: noise levels to their exact probabilities $P(\\sigma)$, element by element.
        gamma: the level, in (0, 1).
        sigmas: increasing positive noise levels, at least two.

    Raises:
        ValueError: a level outside (0, 1), or noise levels that are not positive and increasing.

    Source: ours; the draft's Definition 4.2 asks for the first.

    >>> half_line = lambda s: torch.special.ndtr(1 / s)
    >>> level_crossings(half_line, 0.7, torch.logspace(-2, 2, 9))
    tensor([1.9069], dtype=torch.float64)
    """
    require_fraction("gamma", gamma)
    grid = sigmas.double()
    if len(grid) < 2 or not bool((grid > 0).all() and (grid.diff() > 0).all()):
        raise ValueError(f"sigmas: got {sigmas.tolist()}; required at least two, positive and increasing")
    stable = stability(grid) >= gamma
    changes = (stable[1:] != stable[:-1]).nonzero()[:, 0]
    low, high, was_stable = grid[changes], grid[changes + 1], stable[changes]
    for _ in range(_BISECTIONS):
        middle = (low * high).sqrt()
        same = (stability(middle) >= gamma) == was_stable
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    return (low * high).sqrt()
