r"""Gaussian process regression with a covariance that is checked to be one."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.definiteness import definiteness


class Posterior(NamedTuple):
    """What is known of the function after the observations.

    Attributes:
        mean: at each query, for each column of targets.
        variance: of the function without noise at each query, between 0 and the prior's.
        evidence: logarithm of the density of the targets under the prior, for each column.
    """

    mean: Float64[Tensor, "m d"]
    variance: Float64[Tensor, " m"]
    evidence: Float64[Tensor, " d"]


@checked()
def gaussian_process(
    gram: Float[Tensor, "n n"],
    cross: Float[Tensor, "m n"],
    prior: Float[Tensor, " m"],
    targets: Float[Tensor, "n d"],
    *,
    noise: float,
) -> Posterior:
    r"""Condition a Gaussian process with mean zero on noisy observations.

    $$ \mu(x) = k_x^T(K + \sigma^2I)^{-1}y, \qquad v(x) = k(x, x) - k_x^T(K + \sigma^2I)^{-1}k_x \ge 0. $$

    Everything is computed in double precision from the eigenvectors of $K$.

    Args:
        gram: $K$, the covariance of the observed points.
        cross: $k_x$, the covariance of queries with observed points.
        prior: $k(x, x)$ at the queries.
        targets: $y$, one column for each function observed.
        noise: $\sigma^2 > 0$, the variance of the noise.

    Raises:
        ValueError: noise that is not positive, no observation, or numbers that no covariance gives: a matrix
            that is not symmetric or not positive semidefinite beyond rounding, or a variance below zero.

    Source: Rasmussen and Williams (2006), (2.25)-(2.30); the draft, Remark 1, on which kernels may be used.

    >>> one = torch.ones(1, 1, dtype=torch.float64)
    >>> found = gaussian_process(one, one, one[0], 2 * one, noise=1.0)
    >>> found.mean.item(), found.variance.item()
    (1.0, 0.5)
    """
    _check(gram, noise)
    eigenvalues, vectors = torch.linalg.eigh((gram.double() + gram.double().T) / 2)
    spread = eigenvalues.clamp(min=0) + noise
    tolerance = _tolerance(gram.dtype, len(gram))
    # Directions that rounding cannot tell from 0 have no covariance with anything; dividing by a tiny noise
    # would make errors of it.
    real = eigenvalues > tolerance * float(eigenvalues[-1])
    seen = (cross.double() @ vectors) * real
    known = vectors.T @ targets.double()
    mean = seen @ (known / spread[:, None])
    raw = prior.double() - (seen.square() / spread).sum(1)
    if bool((raw < -math.sqrt(tolerance) * prior.double().abs()).any()):
        raise ValueError(f"cross, prior: got variance {float(raw.min())}; required those of one covariance")
    fit = (known.square() / spread[:, None]).sum(0)
    evidence = -(fit + spread.log().sum() + len(gram) * math.log(2 * math.pi)) / 2
    return Posterior(mean, raw.clamp(min=0), evidence)


def _check(gram: Tensor, noise: float) -> None:
    if not 0 < noise < math.inf:
        raise ValueError(f"noise: got {noise}; required positive and finite")
    found = definiteness(gram)
    tolerance = _tolerance(gram.dtype, len(gram))
    if found.asymmetry > tolerance:
        raise ValueError(f"gram: got relative asymmetry {found.asymmetry:.2g}; required a symmetric matrix")
    if found.smallest < -tolerance * abs(found.largest):
        raise ValueError(f"gram: got eigenvalue {found.smallest:.3g}; required positive semidefinite")


def _tolerance(dtype: torch.dtype, count: int) -> float:
    """Return the relative error of eigenvalues that rounding of the entries explains."""
    return 16 * math.sqrt(count) * torch.finfo(dtype).eps
