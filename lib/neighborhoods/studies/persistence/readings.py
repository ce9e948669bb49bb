"""Which reading of the draft's penalty gives the accuracies that it reports."""

from dataclasses import replace

import pandas as pd

from neighborhoods.models.training import Reading, TrainingSpec, train
from neighborhoods.progress import bar

READINGS: tuple[Reading, ...] = ("units", "parameters", "norm")
PENALTIES = {"FC10-4": 1e-4, "FC10-2": 1e-2, "FC10-0": 1.0}


def compare(spec: TrainingSpec) -> pd.DataFrame:
    """Train the three affine networks in each reading; rows ``network``, ``reading``, ``accuracy`` (%)."""
    pairs = [(name, reading) for name in PENALTIES for reading in READINGS]
    rows = []
    for name, reading in bar(pairs, description="readings of the penalty"):
        trained = train(replace(spec, penalty=PENALTIES[name], reading=reading))
        rows.append((name, reading, 100 * trained["history/accuracy"].item()))
    return pd.DataFrame(rows, columns=["network", "reading", "accuracy"])
