"""The table behind a figure, which travels with it to where the figure is shown."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd

KEY = "table"  # in the metadata of the output
Part = pd.DataFrame | npt.ArrayLike


def show(data: pd.DataFrame | Mapping[Any, Part] | None) -> None:
    """Show the current figure, with the table behind it as CSV in the metadata of a notebook's output.

    Args:
        data: a table, or the parts of one by name: tables and arrays. None for a drawing without data.
    """
    text = None if data is None else tidy(data).to_csv(index=False, lineterminator="\n")
    # The protocol by which IPython asks an object how to show it; matplotlib's own picture is added to it.
    plt.gcf()._repr_mimebundle_ = lambda **_: ({}, {KEY: text})  # type: ignore[attr-defined]
    plt.show()


def tidy(data: pd.DataFrame | Mapping[Any, Part]) -> pd.DataFrame:
    """One table of what stands behind a figure.

    Args:
        data: a table, whose index becomes columns where it has names; or parts of one by name, text or tuple.

    Returns:
        The table, or its parts below each other with their names in the column `part`. An array gives a row
        an element, with its places in the columns `i`, `j` and so on.

    Raises:
        ValueError: where there is no row.
    """
    if isinstance(data, pd.DataFrame):
        named = [name for name in data.index.names if name is not None]
        table = data.reset_index(named) if named else data
    else:
        table = pd.concat([_part(name, part) for name, part in data.items()], ignore_index=True)
    if not len(table):
        raise ValueError(f"data: received no row of {list(table.columns)}; at least one is required")
    return table


def _part(name: object, part: Part) -> pd.DataFrame:
    if isinstance(part, pd.DataFrame):
        table = tidy(part)
    else:
        values = np.asarray(part)
        places = dict(zip("ijkl", np.indices(values.shape), strict=False))
        table = pd.DataFrame({letter: each.ravel() for letter, each in places.items()})
        table["value"] = values.ravel()
    words = name if isinstance(name, tuple) else (name,)
    return table.assign(part=", ".join(map(str, words)))[["part", *table.columns]]
