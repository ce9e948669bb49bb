"""Singular values of samples, through the Gram matrix in double precision, and samples without a spectrum."""

import math
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from neighborhoods.kernels.arguments import checked

Form = Literal["raw", "centred", "differences"]
"""`raw`: the rows. `centred`: minus their mean. `differences`: of pairs of rows drawn without replacement."""


class Spectrum(NamedTuple):
    """Singular values of a sample, the largest first, with their right vectors.

    Attributes:
        values: $s_1 \\ge \\dots \\ge s_r \\ge 0$, $r = \\min(m, n)$.
        vectors: one unit row for each value; zeros where the sample has fewer rows than coordinates and the
            value is not resolved.
        resolution: values below it cannot be told from zero.
        degrees: independent rows behind the values: $m$, $m - 1$ when centred, $m / 2$ of differences.
    """

    values: Float64[Tensor, "*batch r"]
    vectors: Float64[Tensor, "*batch r n"]
    resolution: Float64[Tensor, "*batch"]
    degrees: int


@checked()
def spectrum(
    sample: Float[Tensor, "*batch m n"], form: Form = "raw", *, generator: Generator | None = None
) -> Spectrum:
    r"""Return the singular values and right vectors of a sample, one point a row.

    $$ X = U S V^\top, \qquad X^\top X = V S^2 V^\top \quad\text{or}\quad X X^\top = U S^2 U^\top, $$

    whichever matrix is smaller. Squares cost half the digits: in float64 values down to about
    $10^{-7} s_1$ are right.

    Args:
        sample: $X$, with at least two rows.
        form: what is done to the rows first.
        generator: of the pairing of differences, which all samples of a batch share.

    Raises:
        ValueError: another form, fewer than two rows, or values that are not finite.

    Source: the draft, section 31.

    >>> spectrum(torch.tensor([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])).values
    tensor([4., 3.], dtype=torch.float64)
    """
    _check(sample, form)
    X, degrees = _formed(sample.double(), form, generator)
    m, n = X.shape[-2:]
    gram = X.mT @ X if m >= n else X @ X.mT
    squares, axes = torch.linalg.eigh(gram)
    values = squares.clamp(min=0).sqrt().flip(-1)
    vectors = axes.flip(-1).mT
    resolution = values[..., 0] * math.sqrt(max(m, n) * torch.finfo(torch.float64).eps)
    if m < n:
        seen = (values > resolution[..., None])[..., None]
        vectors = torch.where(seen, vectors @ X / values[..., None].clamp(min=1e-300), 0.0)
    return Spectrum(values, vectors, resolution, degrees)


@checked()
def flattened(sample: Float[Tensor, "m n"]) -> Float[Tensor, "m n"]:
    r"""Return the sample with all its singular values equal and its Frobenius norm kept.

    $$ U \Sigma V^\top \;\mapsto\; \frac{\|X\|_F}{\sqrt r}\, U V^\top, \qquad r = \min(m, n). $$

    Args:
        sample: $X$ of full rank, such as independent normals.

    Raises:
        ValueError: values that are not finite, or a sample of lesser rank, whose polar factor is not unique.

    Source: the draft, section 31, corrected: its factor $|\Sigma|_2$ does not keep the Frobenius norm.

    >>> spectrum(flattened(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))).values
    tensor([3.5355, 3.5355], dtype=torch.float64)
    """
    _check(sample, "raw")
    X = sample.double()
    tall = X if X.shape[0] >= X.shape[1] else X.T
    squares, V = torch.linalg.eigh(tall.T @ tall)
    least, most = squares[0].item(), squares[-1].item()
    if not least > len(X) * torch.finfo(torch.float64).eps * most:
        raise ValueError(f"sample: got singular values from {max(least, 0) ** 0.5} on; required full rank")
    flat: Tensor = tall @ (V / squares.sqrt()) @ V.T * (X.norm() / math.sqrt(min(X.shape)))
    same: Tensor = (flat if tall is X else flat.T).to(sample.dtype)
    return same


@checked()
def numerical_rank(spectrum: Spectrum, error: float = 0.0) -> Tensor:
    r"""Return how many singular values are certainly not zero, a lower bound of the rank.

    Rows known up to $\epsilon$ each move no singular value by more than $\epsilon\sqrt m$ (Weyl).

    Args:
        spectrum: of the rows.
        error: $\epsilon\sqrt m$, the norm that the errors of all rows have together.

    Raises:
        ValueError: a negative error.

    Source: Weyl's inequality for singular values; Horn and Johnson, Matrix Analysis, section 7.3.

    >>> int(numerical_rank(spectrum(torch.tensor([[1.0, 1.0], [2.0, 2.0]]))))
    1
    """
    if not 0 <= error < math.inf:
        raise ValueError(f"error: got {error}; required finite, 0 or more")
    floor = spectrum.resolution.clamp(min=error)[..., None]
    rank: Tensor = (spectrum.values > floor).sum(-1)
    return rank


def _check(sample: Tensor, form: str) -> None:
    if form not in get_args(Form):
        raise ValueError(f"form: got {form!r}; required one of {get_args(Form)}")
    if sample.shape[-2] < 2 or sample.shape[-1] < 1:
        raise ValueError(f"sample: got shape {tuple(sample.shape)}; required at least two rows, one column")
    if not bool(sample.isfinite().all()):
        raise ValueError(f"sample: got {int((~sample.isfinite()).sum())} values that are not finite")


def _formed(X: Tensor, form: str, generator: Generator | None) -> tuple[Tensor, int]:
    m = X.shape[-2]
    if form == "raw":
        return X, m
    if form == "centred":
        return X - X.mean(-2, keepdim=True), m - 1
    order = torch.randperm(m, generator=generator, device=X.device)
    first, second = order[: m // 2], order[m // 2 : m // 2 * 2]
    return X[..., first, :] - X[..., second, :], m // 2
