"""What the sites of a diagram must be: finite, in one space, and named by valid indices."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

EXACT = 64
"""Units of rounding, relative to the squared extent of the sites, below which a comparison is a tie."""


def require_sites(sites: Float[Tensor, "sites n"], least: int = 1) -> None:
    """Raise `ValueError` unless there are at least so many sites and all coordinates are finite."""
    if len(sites) < least or sites.shape[1] < 1:
        raise ValueError(f"sites: got shape {tuple(sites.shape)}; required at least {least} of dimension 1")
    require_finite("sites", sites)


def require_finite(name: str, points: Float[Tensor, "points n"]) -> None:
    """Raise `ValueError` where a coordinate is infinite or no number."""
    wrong = int((~torch.isfinite(points)).any(-1).sum())
    if wrong:
        raise ValueError(f"{name}: got {wrong} points that are not finite; required none")


def require_labels(labels: Int[Tensor, " labels"], sites: Float[Tensor, "sites n"], classes: int) -> None:
    """Raise `ValueError` unless each site has a label in 0, …, classes - 1."""
    if len(labels) != len(sites):
        raise ValueError(f"labels: got {len(labels)}; required one for each of {len(sites)} sites")
    if classes < 1 or int(labels.min()) < 0 or int(labels.max()) >= classes:
        ends = f"{int(labels.min())} to {int(labels.max())}"
        raise ValueError(f"labels: got {ends}; required 0 to {classes - 1}, with classes = {classes}")


def require_pairs(pairs: Int[Tensor, "pairs 2"], sites: Float[Tensor, "sites n"]) -> None:
    """Raise `ValueError` unless each pair names two different sites."""
    if pairs.numel() == 0:
        return
    if int(pairs.min()) < 0 or int(pairs.max()) >= len(sites):
        ends = f"{int(pairs.min())} to {int(pairs.max())}"
        raise ValueError(f"pairs: got indices {ends}; required 0 to {len(sites) - 1}")
    same = int((pairs[:, 0] == pairs[:, 1]).sum())
    if same:
        raise ValueError(f"pairs: got {same} that name one site twice; required two different ones")


def rounding(sites: Float[Tensor, "sites n"]) -> float:
    """Return the error that a difference of squared distances may have after the sites are centred."""
    extent = float(torch.linalg.vector_norm(sites - sites.mean(0), dim=1).max())
    return EXACT * torch.finfo(sites.dtype).eps * extent**2
