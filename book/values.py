"""Values that a page shows beside the chapter that computed them, or from a table kept with the book.

A *source* names one value. `CHAPTER/KEY` is what the executed `book/chapters/CHAPTER.ipynb` glued under that
key, and `TABLE.csv COLUMN=VALUE ... COLUMN` the cell of the one row that has these values, in quotation marks
where there are spaces in them. Either may end in `:FORMAT`.
"""

import math
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from book.glued import glued


def value(root: Path, source: str) -> str:
    """The text of a value: of a number as its format says, of anything else as it stands.

    Args:
        root: of the project, whose chapters have been executed.
        source: as above, for instance `persistence/flat:.3f`.

    Raises:
        ValueError: the source names no value, with what there is to choose from.
    """
    name, _, form = source.partition(":")
    text = _cell(root, name) if ".csv " in name else _glued(root, name)
    return _formatted(text, form) if form else text


def _glued(root: Path, name: str) -> str:
    chapter, _, key = name.partition("/")
    path = root / "book" / "chapters" / f"{chapter}.ipynb"
    if not path.is_file():
        raise ValueError(f"source is {name!r}; there is no executed chapter {chapter!r}")
    found = _all(path)
    if key not in found:
        raise ValueError(f"source is {name!r}; {chapter} glues {', '.join(found) or 'nothing'}")
    return found[key]


@cache
def _all(path: Path) -> Mapping[str, str]:
    return dict(glued(path.read_bytes()).itertuples(index=False))


def _cell(root: Path, name: str) -> str:
    table, *conditions, column = shlex.split(name)
    if not (root / table).is_file():
        raise ValueError(f"source is {name!r}; there is no table {table!r}")
    rows = pd.read_csv(root / table, dtype=str)
    for condition in conditions:
        other, _, wanted = condition.partition("=")
        rows = rows[rows[_column(rows, other, name)] == wanted]
    if len(rows) != 1:
        raise ValueError(f"source is {name!r}; it must name one row, and names {len(rows)}")
    return str(rows[_column(rows, column, name)].iloc[0])


def _column(rows: pd.DataFrame, column: str, name: str) -> str:
    if column not in rows:
        raise ValueError(f"source is {name!r}; the columns are {', '.join(map(str, rows))}")
    return column


def _formatted(text: str, form: str) -> str:
    number = float(text)
    if math.isnan(number):
        return "–"
    return f"{number:{form}}" if math.isfinite(number) else "∞"
