"""Figures of the Delaunay chapter draw what their tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from neighborhoods.figures import delaunay as draw
from neighborhoods.figures import style


@pytest.fixture
def ax():
    style.use()
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_counterexample_marks_the_crossing(ax: plt.Axes) -> None:
    sites = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 0.5]])
    draw.cells(ax, sites, np.zeros((3, 4)), (-1, 5, -1, 2))
    draw.counterexample(ax, sites, [1.0, 0.0])
    segment, place = ax.lines[-2:]
    assert segment.get_xydata().tolist() == [[0.0, 0.0], [4.0, 0.0]]
    assert place.get_xydata().tolist() == [[1.0, 0.0]]
    assert [text.get_text() for text in ax.texts[:3]] == ["$x$", "$y$", "$z$"]


def test_boundaries_have_a_panel_a_rule() -> None:
    figure, axes = plt.subplots(1, 2)
    grid = np.tile([0, 1], (2, 1))
    draw.boundaries(axes, {"truth": grid, "rule": 1 - grid}, [[0.0, 0.0], [0.5, 0.5]], [0, 1])
    assert [ax.get_title() for ax in axes] == ["truth", "rule"]
    assert [line.get_color() for line in axes[1].lines] == [style.NATURAL, style.ADVERSARIAL]
    plt.close(figure)


def test_levels_colour_each_segment(ax: plt.Axes) -> None:
    segments = np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    draw.levels(ax, segments, [0.5, 0.4], [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 2])
    [lines] = ax.collections
    assert lines.get_array().tolist() == [0.5, 0.4]
    assert len(lines.get_segments()) == 2


def test_dimensions_have_a_line_a_kind_and_known_crosses(ax: plt.Axes) -> None:
    columns = {
        "data": ["Gaussian"] * 2 + ["MNIST"] * 2,
        "dimension": [2, 3] * 2,
        "mean": [0.6, 0.5, 0.5, 0.4],
    }
    table = pd.DataFrame(columns).assign(low=lambda t: t["mean"] - 0.1, high=lambda t: t["mean"] + 0.1)
    draw.by_dimension(ax, table, {2: 2 / 3}, ylabel="share")
    assert [container.get_label() for container in ax.containers] == ["Gaussian", "MNIST"]
    assert ax.lines[-1].get_xydata().tolist() == [[2.0, pytest.approx(2 / 3)]]


def test_order_draws_cases_and_the_bound(ax: plt.Axes) -> None:
    table = pd.DataFrame({"case": ["disc", "star"], "epsilon": [0.2, 0.1], "outward": [0.05, 0.02]})
    draw.order(ax, table, "outward", {"disc": "disc", "star": "star"})
    assert ax.lines[0].get_xydata().tolist() == [[0.2, 0.05]]
    assert ax.lines[-1].get_xydata().tolist() == [[0.1, 0.1], [0.2, 0.2]]


def test_normals_are_drawn_by_case(ax: plt.Axes) -> None:
    draw.normals(ax, pd.DataFrame({"case": ["disc"], "epsilon": [0.2], "normal": [23.0]}), {"disc": "disc"})
    assert ax.lines[0].get_xydata().tolist() == [[0.2, 23.0]]


def test_places_leave_out_what_failed() -> None:
    figure, axes = plt.subplots(1, 1, squeeze=False)
    columns = {"kind": ["nearest", "nearest", "random"], "status": ["converged", "failed", "converged"]}
    draw.places(axes[0], {"net": pd.DataFrame(columns).assign(fraction=[0.51, np.nan, 0.9])})
    heights = [patch.get_xy()[:, 1].max() for patch in axes[0][0].patches]
    assert heights == [1.0, 1.0]
    plt.close(figure)
