"""The angle at which a line meets a hyperplane, measured from the hyperplane's normal."""

import torch
from jaxtyping import Float
from torch import Tensor


def angle_of_incidence(
    direction: Float[Tensor, "*#batch n"], normal: Float[Tensor, "*#batch n"]
) -> Float[Tensor, "*batch"]:
    """Return the angle between a line and the normal of the hyperplane that it meets, in radians.

    $$ \\alpha = \\arccos\\frac{|\\langle v, m\\rangle|}{\\|v\\|\\,\\|m\\|} \\in [0, \\tfrac\\pi2], $$

    zero where the line crosses orthogonally. The signs and lengths of both vectors do not matter. The formula
    is $2\\arctan(\\|a - b\\| / \\|a + b\\|)$ of the unit vectors $a$ and $\\pm b$: near zero the arccosine
    loses half of the digits.

    Args:
        direction: $v$, along the line.
        normal: $m$, of the hyperplane; broadcast against the directions.

    Raises:
        ValueError: a vector that is zero or not finite: it has no direction.

    Source: the draft, Definition 30.1, corrected: its first sentence defines $\\pi/2 - \\alpha$.

    >>> angle_of_incidence(torch.tensor([1.0, 1.0]), torch.tensor([0.0, -3.0])).rad2deg()
    tensor(45.)
    """
    a, b = _unit("direction", direction), _unit("normal", normal)
    b = torch.where((a * b).sum(-1, keepdim=True) < 0, -b, b)
    apart, together = (torch.linalg.vector_norm(v, dim=-1) for v in (a - b, a + b))
    angle: Tensor = 2 * torch.atan2(apart, together)
    return angle


def _unit(name: str, vectors: Tensor) -> Tensor:
    largest = vectors.abs().amax(-1, keepdim=True)
    wrong = int((~torch.isfinite(largest) | (largest == 0)).sum())
    if wrong:
        raise ValueError(f"{name}: got {wrong} vectors that are zero or not finite; required none")
    scaled = vectors / largest  # so that the squares neither overflow nor vanish
    unit: Tensor = scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    return unit
