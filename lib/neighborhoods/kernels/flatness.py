"""How far a local sample departs from a plane: its least spread beside the others."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from scipy import stats
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.spectra import Spectrum, spectrum
from neighborhoods.kernels.statistics import require_fraction

EXCESS = 12  # of the square of a normal number


class Flatness(NamedTuple):
    """Spread across a sample over its spread along it, 0 for a plane.

    Attributes:
        ratio: $\\rho$.
        low: end of its interval.
        high: the other end.
    """

    ratio: Float64[Tensor, "*batch"]
    low: Float64[Tensor, "*batch"]
    high: Float64[Tensor, "*batch"]


@checked()
def flatness(patch: Float[Tensor, "*batch m n"], confidence: float = 0.95) -> tuple[Flatness, Spectrum]:
    r"""Return the flatness of local samples, and the centred spectra that it was read from.

    $$ \rho^2 = \frac{s_n^2/(m - n)}{\sum_{i<n}s_i^2/((m - 1)(n - 1))} . $$

    The mean and $n - 1$ slopes are fitted, so $m - n$ degrees of freedom are left to $s_n$. For normal
    samples of deviation $r$ in the tangent plane of a boundary with second fundamental form $II$,
    $\rho = r\|II\|_F/\sqrt2$, for a sphere $r\sqrt{(n - 1)/2}/R$. The interval is that of a variance with
    $\nu$ degrees of freedom, where $\kappa$ is the excess of the heights,

    $$ \frac2\nu = \frac\kappa{m} + \frac2{m - n}, \qquad
       \frac{\nu\rho^2}{\chi^2_{\nu, 1 - \alpha/2}} \le \rho_\infty^2
       \le \frac{\nu\rho^2}{\chi^2_{\nu, \alpha/2}} . $$

    The heights of a smooth boundary are $\sum_i\lambda_i(z_i^2 - 1)$ and have

    $$ \kappa = 12\,\frac{\sum_i\lambda_i^4}{(\sum_i\lambda_i^2)^2} \le 12 , $$

    with equality where one direction curves alone. A small sample seldom shows its own tail, so $\kappa$ is
    taken as 12, or as the sample's own (which the fit shrinks by $(1 - n/m)^2$) where that is larger. Hence
    intervals cover as stated where one direction curves alone, and more often where many do.

    Args:
        patch: points of the boundary around one of its points, $m > n$ of them, in $n \ge 2$ coordinates.
        confidence: of the interval.

    Raises:
        ValueError: too few points or coordinates, a confidence outside (0, 1), or values that are not finite.

    Source: ours; the draft, section 31, proposes the spectrum of a small sample around each point.
    """
    require_fraction("confidence", confidence)
    m, n = patch.shape[-2:]
    if m < n + 2 or n < 2:
        raise ValueError(f"patch: got {m} points of {n} coordinates; required n + 2 points, 2 coordinates")
    found = spectrum(patch, "centred")
    normal = found.vectors[..., -1, :]
    heights = ((patch.double() - patch.double().mean(-2, keepdim=True)) @ normal[..., None])[..., 0]
    across = heights.square().sum(-1) / (m - n)
    along = found.values[..., :-1].square().sum(-1) / ((m - 1) * (n - 1))
    second = heights.square().mean(-1).clamp(min=torch.finfo(torch.float64).tiny)
    excess = (m + 1) * (heights.pow(4).mean(-1) / second.square() - 3) + 6
    excess = ((m - 1) / ((m - 2) * (m - 3)) * excess / (1 - n / m) ** 2).clamp(min=EXCESS)
    nu = (2 / (excess / m + 2 / (m - n))).cpu().numpy()
    ratio = (across / along).sqrt()
    low, high = (
        ratio * torch.as_tensor(nu / stats.chi2.ppf(tail, nu)).sqrt().to(ratio)
        for tail in ((1 + confidence) / 2, (1 - confidence) / 2)
    )
    return Flatness(ratio, low, high), found
