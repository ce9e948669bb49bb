"""Figures of the path kernel draw what their tables say."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from neighborhoods.figures import path_kernel as draw
from neighborhoods.figures import style


@pytest.fixture
def axes() -> Iterator[np.ndarray]:
    style.use()
    figure, found = plt.subplots(1, 3)
    yield found
    plt.close(figure)


def test_powers_of_ten_have_no_hyphen() -> None:
    table = draw.scientific(pd.DataFrame({"a": [1.25e-7], "b": [0.5]}), ["a"])
    assert table.to_dict("records") == [{"a": "1.2e−07", "b": 0.5}]


def test_classes_are_told_apart(axes: np.ndarray) -> None:
    draw.classes(axes[0], np.array([[0.0, 1], [2, 3], [4, 5]]), np.array([0, 1, 1]))
    assert [line.get_xydata().tolist() for line in axes[0].lines] == [[[0, 1]], [[2, 3], [4, 5]]]


def test_residuals_stand_on_a_log_scale_and_zero_on_its_floor(axes: np.ndarray) -> None:
    table = pd.DataFrame({"network": [1.0, 2.0], "kernel": [1.0, 2.5]})
    draw.agreement(axes[:2], table)
    assert axes[0].lines[1].get_ydata().tolist() == [1.0, 2.5]
    assert axes[1].lines[0].get_ydata().tolist() == [draw.FLOOR, 0.5]
    assert axes[1].get_yscale() == "log"


def test_kernel_values_have_their_sum_in_the_title(axes: np.ndarray) -> None:
    draw.values(axes[0], np.zeros((2, 2)), np.array([1.0, -3.0]), (4.0, 15.0), 3.0)
    assert "(4, 15): sum −2" in axes[0].get_title()


def test_rules_are_lines_and_the_exact_one_is_dashed(axes: np.ndarray) -> None:
    rows = [("exact", 0, 1e-16), ("left", 1, 0.1), ("midpoint", 1, 0.05), ("gauss", 1, 0.04)]
    table = pd.DataFrame(rows, columns=["rule", "nodes", "gap"]).assign(network="2-2", activation="relu")
    draw.nodes(axes[:1], table)
    assert [line.get_ydata()[0] for line in axes[0].lines] == [0.1, 0.05, 0.04, 1e-16]
    assert axes[0].lines[3].get_linestyle() == "--"


def test_orders_are_drawn_by_activation(axes: np.ndarray) -> None:
    values = {name: [0.2, 0.1] for name in draw.QUANTITIES}
    table = pd.concat(
        [pd.DataFrame({"rate": [0.2, 0.1]} | values).assign(activation=name) for name in ("tanh", "relu")]
    )
    draw.orders(axes[:2], table)
    assert [ax.get_title() for ax in axes[:2]] == ["tanh", "relu"]
    assert len(axes[0].lines) == len(draw.QUANTITIES) + 1


def test_negative_ratios_can_be_drawn(axes: np.ndarray) -> None:
    rows = [(1.0, 0, "asymmetric", -0.3), (1.0, 0, "dpk", 0.1)]
    draw.definiteness(axes[0], pd.DataFrame(rows, columns=["rate", "step", "form", "ratio"]))
    assert [line.get_ydata()[0] for line in axes[0].lines[:2]] == [-0.3, 0.1]
    assert axes[0].get_yscale() == "symlog"


def test_widths_have_a_line_of_medians(axes: np.ndarray) -> None:
    table = pd.DataFrame({"data": "mnist", "width": [16, 16, 16], "frozen": [1.0, 2, 9]})
    draw.widths(axes[:1], table.assign(linearised=1.0, moved=1.0))
    assert axes[0].lines[1].get_ydata().tolist() == [2.0]


def test_spectra_fall(axes: np.ndarray) -> None:
    draw.spectrum(axes[0], pd.DataFrame({"one": [1.0, 2.0], "other": [0.5, 3.0]}))
    assert [line.get_ydata().tolist() for line in axes[0].lines] == [[2.0, 1.0], [3.0, 0.5]]
