"""Measurements as tidy rows."""

from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.persistence import Persistence
from neighborhoods.kernels.statistics import Status
from neighborhoods.progress import bar

GROUP = 90
"""Points that share one noise set: ten groups of nine adversaries, so that table means average over many
sets."""


def frame(result: Persistence) -> pd.DataFrame:
    """Return columns ``sigma``, ``low``, ``high`` and ``status`` (its name in lower case)."""
    columns = {name: getattr(result, name).double().cpu().numpy() for name in ("sigma", "low", "high")}
    return pd.DataFrame(columns).assign(status=[Status(code).name.lower() for code in result.status.tolist()])


def grouped(measure: Callable[[Tensor], Persistence], points: Tensor, description: str) -> pd.DataFrame:
    """Measure groups of points one after the other, each with noise of its own, and join their rows."""
    groups = points.split(GROUP)
    return pd.concat(
        [frame(measure(group)) for group in bar(groups, description=description)], ignore_index=True
    )


def generator(seed: int, device: str = "cpu") -> torch.Generator:
    """Return a new generator with the seed, for noise on a device."""
    return torch.Generator(device).manual_seed(seed)
