"""Figures 20 and 23: outputs of a network and of its kernel machine, point by point."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel.gaps import opened
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class OutputsSpec:
    """A run and how many queries it is asked.

    Attributes:
        run: what was recorded.
        queries: new points, test images or fresh draws from the Gaussians.
    """

    run: RecordedSpec
    queries: int


def outputs(spec: OutputsSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``query``, ``output``, ``label``, ``start``, ``network``, ``kernel``."""
    run = opened(spec.run, values, 2 * spec.queries)
    new = run.queries[: run.new]
    found = attribution(
        run.network, run.trajectory, new, run.points, run.targets, loss=recorded.loss(spec.run)
    )
    labels = recorded.held_out(spec.run, len(new)).targets
    count = found.start.shape[1]
    table = {
        "query": torch.arange(len(new)).repeat_interleave(count),
        "output": torch.arange(count).repeat(len(new)),
        "label": labels.repeat_interleave(count),
        "start": found.start.double().flatten(),
        "network": run.outputs[: run.new].double().flatten(),
        "kernel": found.prediction.double().flatten(),
    }
    return pd.DataFrame({name: column.numpy() for name, column in table.items()})
