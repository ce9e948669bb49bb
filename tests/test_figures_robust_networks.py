"""Figures of networks at random and of robust ones draw what their tables say."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from neighborhoods.figures import robust_networks as draw
from neighborhoods.figures import style


@pytest.fixture
def axes() -> Iterator[np.ndarray]:
    style.use()
    figure, grid = plt.subplots(1, 3)
    yield grid
    plt.close(figure)


def test_decay_shows_each_depth_over_the_exact_values(axes: np.ndarray) -> None:
    rows = [(1, 4, 3.7, 3.5, 3.9, 3.75), (1, 16, 0.9, 0.8, 1.0, 0.94), (2, 4, 12.0, 11.0, 13.0, 12.2)]
    table = pd.DataFrame(rows, columns=["depth", "width", "value", "low", "high", "expected"])
    draw.decay(axes[0], table)
    assert [list(line.get_ydata()) for line in axes[0].lines if line.get_color() == style.THEORY] == [
        [3.75, 0.94],
        [12.2],
    ]
    assert axes[0].containers[0].lines[0].get_ydata().tolist() == [3.7, 0.9]
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == [
        "1 hidden layer",
        "2 hidden layers",
    ]


def test_outputs_lie_over_the_normal_density(axes: np.ndarray) -> None:
    samples, edges = {"width 4": np.array([0.1, 0.2, 1.5])}, np.array([0.0, 1.0, 2.0])
    draw.outputs(axes[0], samples, edges, np.array([0.4, 0.2]))
    assert axes[0].lines[0].get_xdata().tolist() == [0.5, 1.5]
    assert axes[0].patches[0].get_xy()[:, 1].max() == pytest.approx(2 / 3)


def test_classes_have_a_colour_each_and_a_key(axes: np.ndarray) -> None:
    walks = {"one": np.array([[3, 3, 7]]), "other": np.array([[3, 1, 7]])}
    draw.classes(axes[:2], walks)
    assert [ax.get_title() for ax in axes[:2]] == ["one", "other"]
    assert axes[0].images[0].get_array().tolist() == [[3, 3, 7]]
    legend = axes[1].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["1", "3", "7"]
    shown = axes[0].images[0].to_rgba(np.array([[7]]), bytes=False)[0, 0]
    assert tuple(shown) == to_rgba(legend.get_lines()[2].get_color())


def test_strip_shows_its_pictures(axes: np.ndarray) -> None:
    draw.strip(axes, [np.eye(3)] * 3)
    assert all(len(ax.images) == 1 for ax in axes)


def test_locations_and_changes_lie_under_their_laws(axes: np.ndarray) -> None:
    edges = np.array([0.0, 0.5, 1.0])
    draw.locations(axes[0], np.array([0.1, 0.2, 0.7, 0.3]), edges, np.array([1.0, 0.5]))
    assert [patch.get_height() for patch in axes[0].patches] == [1.5, 0.5]
    assert axes[0].lines[0].get_ydata().tolist() == [1.0, 0.5]
    table = pd.DataFrame({"place": [0.25, 0.75], "counted": [3, 1], "expected": [2.5, 1.5]})
    draw.changes(axes[1], table, np.array([2.0, 2.0]))
    assert [patch.get_height() for patch in axes[1].patches] == [3, 1]
    assert [list(line.get_ydata()) for line in axes[1].lines] == [[2.5, 1.5], [2.0, 2.0]]


def test_every_width_has_its_points_and_their_median(axes: np.ndarray) -> None:
    table = pd.DataFrame({"width": [10, 10, 10, 30], "skewness": [1.0, 2.0, 9.0, 0.5]})
    draw.by_width(axes[:1], table, {"skewness": "skewness"})
    assert [list(line.get_ydata()) for line in axes[0].lines] == [[1, 2, 9], [2, 2], [0.5], [0.5, 0.5]]
    assert [text.get_text() for text in axes[0].get_xticklabels()] == ["10", "30"]


def test_defences_stand_in_their_order_with_their_intervals(axes: np.ndarray) -> None:
    table = pd.DataFrame({"defence": ["b", "a"], "value": [2.0, 1.0], "low": [1.5, 0.5], "high": [3.0, 1.2]})
    draw.defences(axes[:1], {"distance": table}, {"a": "first", "b": "second"})
    assert axes[0].containers[0].lines[0].get_xdata().tolist() == [1.0, 2.0]
    ends = [segment[:, 0].tolist() for segment in axes[0].containers[0].lines[2][0].get_segments()]
    assert np.allclose(ends, [[0.5, 1.2], [1.5, 3.0]])
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["first", "second"]


def test_order_has_a_point_a_network_and_the_line_of_a_half_space(axes: np.ndarray) -> None:
    rows = [("a", 1.0, 0.5), ("a", 1.2, 0.6), ("b", 2.0, 1.0)]
    means = pd.DataFrame(rows, columns=["defence", "distance", "persistence"])
    draw.order(axes[0], means, 1.9, {"a": "first", "b": "second"})
    assert axes[0].lines[0].get_xydata().tolist() == [[1.0, 0.5], [1.2, 0.6]]
    assert axes[0].lines[2].get_xydata().tolist() == [[0, 0], [2.0, 3.8]]
    assert axes[0].lines[3].get_ydata().tolist() == [0, 1.0]
