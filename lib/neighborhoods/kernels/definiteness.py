"""Whether a matrix may be a covariance: its asymmetry and its least eigenvalue."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor


class Definiteness(NamedTuple):
    r"""How far a square matrix is from positive semidefinite.

    Attributes:
        asymmetry: $\|K - K^T\|_F / \|K\|_F$, 0 for a symmetric matrix.
        smallest: least eigenvalue of $(K + K^T)/2$.
        largest: greatest eigenvalue of $(K + K^T)/2$.
    """

    asymmetry: float
    smallest: float
    largest: float

    @property
    def ratio(self) -> float:
        """The least eigenvalue over the greatest; negative beyond rounding for an indefinite matrix."""
        return self.smallest / self.largest if self.largest else 0.0


def definiteness(gram: Float[Tensor, "n n"]) -> Definiteness:
    """Return the asymmetry and the extreme eigenvalues of the symmetric part, in double precision.

    Raises:
        ValueError: an empty matrix or one with values that are not finite.

    >>> definiteness(torch.tensor([[1.0, 2.0], [2.0, 1.0]]))
    Definiteness(asymmetry=0.0, smallest=-1.0, largest=3.0)
    """
    if not len(gram) or not bool(gram.isfinite().all()):
        raise ValueError(f"gram: got shape {tuple(gram.shape)}; required finite values and at least one row")
    matrix = gram.double()
    norm = float(matrix.norm())
    asymmetry = float((matrix - matrix.T).norm()) / norm if norm else 0.0
    eigenvalues = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    return Definiteness(asymmetry, float(eigenvalues[0]), float(eigenvalues[-1]))


def as_matrix(kernel: Float[Tensor, "m M K K"]) -> Float[Tensor, "mK MK"]:
    """Return the kernel of points with several outputs as a matrix over pairs of point and output."""
    m, M, K, _ = kernel.shape
    return kernel.transpose(1, 2).reshape(m * K, M * K)


def mean_over_outputs(kernel: Float[Tensor, "m M K K"]) -> Float[Tensor, "m M"]:
    """Return one number a pair, the mean of the diagonal: positive semidefinite where the kernel is."""
    return kernel.diagonal(dim1=2, dim2=3).mean(-1)


def eigenvalues_of(gram: Float[Tensor, "n n"]) -> Float64[Tensor, " n"]:
    """Return all eigenvalues of the symmetric part, least first."""
    matrix = gram.double()
    values: Tensor = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    return values
