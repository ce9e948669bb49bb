"""Persistence of images beside the distance of the nearest adversary and of the nine other classes."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.special import ndtri
from torch import Tensor

from neighborhoods.kernels.wedge_persistence import effective_facets, orthant_dip
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec, measure

NEARBY = 1.5
"""Classes count as nearby up to so many times the distance of the nearest."""
FAR = 1e6  # stands for a tie that was not reached, where no noise goes
Numbers = npt.NDArray[np.float64]


def compare(spec: MeasureSpec, trained: dict[str, Tensor], ends: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row an image.

    Columns: ``sigma``, ``low``, ``high``, ``status``; ``length`` of the shortest attack in the box; ``free``,
    the distance of the nearest tie without it; ``nearby``, the number of ties up to `NEARBY` times as far;
    ``quotient`` $\sigma^*z/d$ of the persistence and that before a flat boundary at distance $d$ = ``free``;
    ``facets``, the effective number at that distance; ``predicted``, the persistence in the orthant whose
    facets are at the nine distances.
    """
    measured = measure(spec, load(spec.network, trained), ends["image"])
    ties, free = ends["ties"].double(), ends["ties"].amin(1).double().numpy()
    columns = {
        "length": ends["length"].double().numpy(),
        "free": free,
        "nearby": (ties <= NEARBY * ties.amin(1, keepdim=True)).sum(1).numpy(),
        "quotient": measured["sigma"] * ndtri(spec.gamma) / free,
        "facets": facets(free, measured["sigma"].to_numpy(), spec.gamma),
        "predicted": orthant_dip(ties.clamp(max=FAR), spec.gamma).low.numpy(),
    }
    return measured.assign(**columns)


def facets(distance: Numbers, sigma: Numbers, gamma: float) -> Numbers:
    """Return the effective number of facets of points at a distance."""
    found: Numbers = effective_facets(torch.tensor(distance), torch.tensor(sigma), gamma).numpy()
    return found
