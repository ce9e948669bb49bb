"""The facet normals of a wedge, the angles between its facets, and the chain of orthogonal normals.

Projecting onto one hyperplane after another reaches their intersection only where their normals are
orthogonal. The chain $w_i, w_{ij}, w_{ijk}, \\dots$ replaces each normal by its part orthogonal to all
earlier ones, so that each step keeps what the steps before it have reached.
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.wedges import require_angles


@checked()
def facet_normals(angles: Float[Tensor, " leaning"], dimension: int | None = None) -> Float64[Tensor, "k n"]:
    """Return the unit normals of the facets, pointing into the wedge.

    $$ n_1 = e_1, \\qquad n_i = e_i\\cos\\theta_{i-1} - e_1\\sin\\theta_{i-1} \\quad (1 < i \\le k). $$

    Args:
        angles: the $k - 1$ angles $\\theta$ in radians.
        dimension: number of coordinates; $k$ if not given.

    Raises:
        ValueError: an angle steeper than 85 degrees, or a dimension below $k$.

    Source: the draft, Section 30.4, where they are $v_1$ and $w_i$.

    >>> facet_normals(torch.zeros(1), 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]], dtype=torch.float64)
    """
    angles = require_angles(angles)
    k = len(angles) + 1
    n = k if dimension is None else dimension
    if n < k:
        raise ValueError(f"dimension: got {n}; required at least {k}, one for each facet")
    normals = torch.eye(k, n, dtype=torch.float64, device=angles.device)
    normals[1:, 0] -= angles.sin()
    normals[range(1, k), range(1, k)] = angles.cos()
    return normals


@checked()
def dihedral_angles(angles: Float[Tensor, " leaning"]) -> Float64[Tensor, "k k"]:
    """Return the angle between each two facets, measured inside the wedge, in radians.

    $$ \\beta_{1i} = \\tfrac\\pi2 - \\theta_{i-1}, \\qquad
       \\beta_{ij} = \\arccos(-\\sin\\theta_{i-1}\\sin\\theta_{j-1}) \\quad (i \\ne j > 1), $$

    with $\\pi$ on the diagonal. Facets that lean to the same side open to one another.

    Args:
        angles: the $k - 1$ angles $\\theta$ in radians.

    Raises:
        ValueError: an angle steeper than 85 degrees.

    Source: ours, from the inner products (108) to (113) of the draft.

    >>> dihedral_angles(torch.full((2,), torch.pi / 6)).rad2deg().round()[1]
    tensor([ 60., 180., 104.], dtype=torch.float64)
    """
    normals = facet_normals(angles)
    beta: Tensor = torch.arccos((-normals @ normals.T).clamp(-1, 1))
    return beta.fill_diagonal_(torch.pi)


@checked()
def normal_chain(
    angles: Float[Tensor, " leaning"], dimension: int | None = None, *, unit: bool = True
) -> Float64[Tensor, "leaning n"]:
    """Return the chain $w_2, w_{23}, w_{234}, \\dots$ of the leaning facets in order.

    With $T_k = \\sum_{i<k}\\tan^2\\theta_i$ over the facets before,

    $$ c_k = e_k\\cos\\theta_k\\,(1 + T_k) - \\sin\\theta_k\\Big(e_1 + \\sum_{i<k} e_i\\tan\\theta_i\\Big),
       \\quad w_{i\\dots k} = \\frac{c_k}{\\|c_k\\|}, \\quad
       \\|c_k\\|^2 = (1 + T_k)(1 + T_k\\cos^2\\theta_k) . $$

    $c_k/(1 + T_k)$ is what Gram and Schmidt leave of $w_k$, and $c_k$ is the draft's vector. It has the right
    direction and, from the second on, the wrong length.

    Args:
        angles: the angles $\\theta$ in radians, in the order of projection.
        dimension: number of coordinates; one more than there are angles if not given.
        unit: return unit vectors; if not, the $c_k$ as printed.

    Raises:
        ValueError: an angle steeper than 85 degrees, or too low a dimension.

    Source: the draft, equations (125) and (137) to (139), with the general sum over $i < k$.

    >>> chain = normal_chain(torch.tensor([0.5, -0.3, 1.0]))
    >>> torch.allclose(chain @ chain.T, torch.eye(3, dtype=torch.float64))
    True
    """
    chain, angles = facet_normals(angles, dimension)[1:], require_angles(angles)
    tangents, own = angles.tan(), slice(1, len(angles) + 1)
    before = (tangents**2).cumsum(0) - tangents**2
    chain[:, own] += torch.diag(angles.cos() * before)
    chain[:, own] -= torch.tril(torch.outer(angles.sin(), tangents), -1)
    if not unit:
        return chain
    return chain / ((1 + before) * (1 + before * angles.cos() ** 2)).sqrt()[:, None]
