"""What a path kernel costs: the kept table of `benchmarks/path_kernel_scaling.py`, and how costs grow."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

TABLE = Path(__file__).resolve().parents[4] / "results" / "benchmarks" / "path_kernel_scaling.csv"
QUANTITIES = ("seconds", "gflop", "gflop_of_jacobian_products")


def measured() -> pd.DataFrame:
    """Return the table: seconds and operations of a step of training, one row a size and kind of output."""
    return pd.read_csv(TABLE)


def growth(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return the order in which each cost grows with each size: least squares on logarithms.

    Seconds have Student's interval; operations are counted, and need none.
    """
    rows = []
    for (output, varied), some in table.groupby(["output", "varied"], sort=False):
        size = np.log(some["value"])
        seconds, operations, products = (stats.linregress(size, np.log(some[name])) for name in QUANTITIES)
        half = stats.t.ppf((1 + confidence) / 2, len(some) - 2) * seconds.stderr
        rows.append(
            {
                "output": output,
                "varied": varied,
                "operations": operations.slope,
                "seconds": seconds.slope,
                "low": seconds.slope - half,
                "high": seconds.slope + half,
                "Jacobian products": products.slope,
            }
        )
    return pd.DataFrame(rows)
