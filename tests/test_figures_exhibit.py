"""The table behind a figure: complete, and where a notebook keeps it."""

from io import StringIO

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from IPython.core.formatters import DisplayFormatter
from neighborhoods.figures import exhibit

TABLE = pd.DataFrame({"sigma": [0.1, 0.30000000000000004], "kind": ["natural", "adversarial"]})


@given(arrays(float, st.tuples(*[st.integers(1, 3)] * 3), elements=st.floats(-1, 1)))
def test_an_array_has_a_row_an_element(values: np.ndarray) -> None:
    table = exhibit.tidy({"all": torch.from_numpy(values)})
    assert len(table) == values.size
    assert all(values[row.i, row.j, row.k] == row.value for row in table.itertuples())


def test_parts_stand_below_each_other() -> None:
    table = exhibit.tidy({"one": TABLE, ("two", 2): [5, 6, 7], "three": 8})
    assert list(table["part"]) == ["one"] * 2 + ["two, 2"] * 3 + ["three"]
    assert list(table["value"].dropna()) == [5, 6, 7, 8]
    assert list(table["kind"].dropna()) == list(TABLE["kind"])


def test_named_indices_become_columns() -> None:
    assert list(exhibit.tidy(TABLE.set_index("kind"))) == ["kind", "sigma"]
    assert list(exhibit.tidy(TABLE[1:])) == ["sigma", "kind"]


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data: received no row of \['sigma', 'kind'\]"):
        exhibit.show(TABLE[:0])


@pytest.mark.parametrize("data", [TABLE, None])
def test_a_notebook_is_told_the_table(data: pd.DataFrame | None, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(DisplayFormatter().format(plt.gcf())))
    figure = plt.figure()
    exhibit.show(data)
    plt.close(figure)
    ((picture, metadata),) = shown
    assert "text/plain" in picture, "the picture is still shown"
    if data is None:
        assert metadata == {exhibit.KEY: None}
    else:
        pd.testing.assert_frame_equal(pd.read_csv(StringIO(metadata[exhibit.KEY])), data)
