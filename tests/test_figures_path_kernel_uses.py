"""Figures of the uses of a path kernel draw what their tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from neighborhoods.figures import path_kernel_uses as draw
from neighborhoods.figures import style

PICTURE = np.linspace(0, 1, 784)


@pytest.fixture
def axes():
    style.use()
    figure, grid = plt.subplots(3, 3)
    yield grid
    plt.close(figure)


def test_a_neighbour_of_another_class_has_a_red_frame(axes: np.ndarray) -> None:
    rows = pd.DataFrame({"label": [7, 2], "kernel": [7, 3], "pixel": [1, 2]})
    draw.trios(axes, [[PICTURE] * 3, [PICTURE] * 3], rows)
    frames = [[to_hex(ax.spines["left"].get_edgecolor()).upper() for ax in row[:2]] for row in axes]
    assert frames == [
        [style.OTHER, style.OTHER],
        [style.OTHER, style.ADVERSARIAL],
        [style.ADVERSARIAL, style.OTHER],
    ]
    assert axes[1, 0].get_ylabel() == "kernel"


def test_each_series_has_its_values_and_intervals(axes: np.ndarray) -> None:
    table = pd.DataFrame(
        [("x", "a", 0.5, 0.4, 0.7), ("y", "a", 0.6, 0.5, 0.8), ("x", "b", 0.1, 0.0, 0.2)],
        columns=["kind", "score", "area", "low", "high"],
    )
    ax = axes[0, 0]
    draw.interval_rows(
        ax, table, rows="kind", series="score", value="area", names={"a": "first", "b": "second"}
    )
    assert [text.get_text() for text in ax.get_yticklabels()] == ["x", "y"]
    assert ax.containers[0].lines[0].get_xdata().tolist() == [0.5, 0.6]
    ends = ax.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert ends.tolist() == pytest.approx([0.4, 0.7])
    assert ax.containers[1].get_label() == "second"


def test_contributors_stand_in_their_order(axes: np.ndarray) -> None:
    draw.contributors(axes[0], PICTURE, "3 → 5", [(PICTURE, "5: 2%"), (PICTURE, "5: 1%")])
    assert [ax.get_title() for ax in axes[0]] == ["3 → 5", "5: 2%", "5: 1%"]


def test_changes_are_drawn_by_size(axes: np.ndarray) -> None:
    table = pd.DataFrame({"size": [1, 1, 9], "attributed": [1.0, 2.0, 5.0], "actual": [0.1, 0.2, 0.5]})
    draw.changes(axes[0, :2], table)
    assert [ax.get_title() for ax in axes[0, :2]] == ["single examples", "groups of 9"]
    assert axes[0, 0].lines[0].get_xydata().tolist() == [[1.0, 0.1], [2.0, 0.2]]
    assert axes[0, 0].lines[1].get_xydata().tolist() == [[1.0, 1.0], [2.0, 2.0]]


def test_columns_have_their_own_scale(axes: np.ndarray) -> None:
    x, y = (side.ravel() for side in np.meshgrid(np.arange(4.0), np.arange(4.0), indexing="ij"))
    grid = np.stack([x, y], 1)
    centres = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 0.0]])
    draw.columns(axes[0], grid, [x - 1.5, 5 * (y - 1.5), x * y - 1], grid, centres)
    assert [ax.collections[0].get_clim() for ax in axes[0]] == [(-1.5, 1.5), (-7.5, 7.5), (-8.0, 8.0)]
    assert axes[0, 0].get_title() == "x′ = (1, 2), up to 1.5"
    assert [ax.collections[1].levels.tolist() for ax in axes[0]] == [[0.0, 1.0]] * 3


def test_interpolation_shows_each_column(axes: np.ndarray) -> None:
    names = ["t", "slope", "loss", "norm", "accuracy"]
    table = pd.DataFrame([[0.0, 1, 2, 1, 0.1], [1.0, 0, 1, 2, 0.9]], columns=names)
    draw.interpolation(axes[0], table)
    assert axes[0, 0].lines[0].get_ydata().tolist() == [1, 0]
    assert [line.get_ydata().tolist() for line in axes[0, 1].lines] == [[2, 1], [1, 2]]
    assert axes[0, 2].lines[0].get_ydata().tolist() == [0.1, 0.9]


def test_costs_are_means_over_draws(axes: np.ndarray) -> None:
    rows = [("fewer steps", 2, 0.5, 0.1, 0.9), ("last layer", 1, 0.8, 0.6, 0.5)]
    rows += [("random projection", 16, 9.0, error, 0.3) for error in (1.0, 3.0)]
    columns = ["method", "setting", "operations", "error", "order"]
    draw.costs(axes[0, :2], pd.DataFrame(rows, columns=columns))
    assert [line.get_ydata().tolist() for line in axes[0, 0].lines[:3]] == [[0.1], [0.6], [2.0]]
    assert axes[0, 1].lines[0].get_ydata().tolist() == [0.9]


def test_projections_are_counted(axes: np.ndarray) -> None:
    draw.projections(axes[0, 0], pd.DataFrame({"kernel": [0.9, 0.901, 0.5], "pixel": [0.99, 0.995, 1.0]}))
    labels = [text.get_text() for text in axes[0, 0].get_legend().get_texts()]
    assert labels == ["kernel", "pixel"]
    highest = [patch.get_path().vertices[:, 1].max() for patch in axes[0, 0].patches]
    assert highest == [2.0, 3.0]
