"""The fourteen networks of the draft's Table 1, and what the draft reports of them."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

REPORTED = Path(__file__).resolve().parents[4] / "data" / "draft" / "table_1.csv"
HIDDEN = (1e-5, 1e-5, 1e-6)


@dataclass(frozen=True)
class Entry:
    """A row of Table 1.

    Attributes:
        name: the draft's.
        network: name understood by `networks.build`.
        penalty: λ of each layer, in the reading of Szegedy et al. (2013); none for convolutional networks.
    """

    name: str
    network: str
    penalty: tuple[float, ...] | float

    @property
    def convolutional(self) -> bool:
        """Whether the network begins with convolutions."""
        return self.name.startswith("C-")


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("FC10-4", "FC10", 1e-4),
        Entry("FC10-2", "FC10", 1e-2),
        Entry("FC10-0", "FC10", 1.0),
        Entry("FC100-100-10", "FC100-100-10", HIDDEN),
        Entry("FC200-200-10", "FC200-200-10", HIDDEN),
        *(Entry(f"C-{2**power}", f"C-{2**power}", 0.0) for power in range(1, 10)),
    )
}


def entry(name: str) -> Entry:
    """Return a row by its name.

    Raises:
        ValueError: a name that Table 1 does not have.
    """
    if name not in ENTRIES:
        raise ValueError(f"network is {name!r}; it must be one of {', '.join(ENTRIES)}")
    return ENTRIES[name]


def reported() -> pd.DataFrame:
    """Return the draft's Table 1 by network: ``accuracy`` in %, ``distortion`` and both persistences."""
    return pd.read_csv(REPORTED, index_col="network")
