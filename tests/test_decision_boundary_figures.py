"""Figures of boundaries and wedges draw what they are given: each is looked at through matplotlib."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, Polygon
from neighborhoods.figures import decision_boundaries as draw
from neighborhoods.figures import style, wedge_fields


@pytest.fixture
def ax():
    style.use()
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


@pytest.fixture
def space():
    figure, axes = plt.subplots(subplot_kw={"projection": "3d"})
    yield axes
    plt.close(figure)


def test_balls_touch_the_line_of_ties(ax: plt.Axes) -> None:
    draw.balls(ax, np.array([2.0, 1.0]), {"l1": 1.0, "l2": 0.5**0.5, "linf": 0.5})
    diamond, square = (patch.get_xy() for patch in ax.patches if isinstance(patch, Polygon))
    [circle] = (patch for patch in ax.patches if isinstance(patch, Circle))
    assert (diamond[:, 0] - diamond[:, 1]).min() == pytest.approx(0)
    assert (square[:, 0] - square[:, 1]).min() == pytest.approx(0)
    assert circle.radius == pytest.approx((2 - 1) / 2**0.5)


def test_winning_sets_mark_where_each_class_wins() -> None:
    figure, (top, bottom) = plt.subplots(2)
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=bool)
    draw.winning_sets(top, bottom, np.arange(3.0), np.eye(3), sets)
    assert [line.get_xdata().tolist() for line in bottom.lines] == [[0, 1], [1, 2], []]
    assert [line.get_ydata().tolist() for line in top.lines] == np.eye(3).tolist()
    plt.close(figure)


def test_counterexamples_mark_their_sets_and_break_at_jumps(ax: plt.Axes) -> None:
    x, outputs = np.arange(4.0), np.array([[0.2, 0.8], [0.2, 0.8], [0.8, 0.2], [0.8, 0.2]])
    draw.counterexample(ax, x, outputs, {"D": x == 1, "ties": x > 1}, "jump")
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, False, True, False]
    marks = [line.get_xdata() for line in ax.lines if line.get_marker() == "s"]
    assert [list(mark) for mark in marks] == [[1], [2, 3]]
    assert [text.get_text() for text in ax.texts] == ["D", "ties"]


def test_classes_are_shown_with_their_ties(ax: plt.Axes) -> None:
    draw.classes_near(ax, np.array([[1, 2], [2, 3]]), np.zeros((1, 2)), 1.0, "three")
    assert ax.images[0].get_array().tolist() == [[1, 2], [2, 3]]
    assert ax.lines[0].get_xydata().tolist() == [[0, 0]]


def test_square_and_segment_end_in_the_middle(ax: plt.Axes) -> None:
    shares = np.array([[0.7, 0.3], [0.4, 0.6]])
    draw.square(ax, np.array([[0.1, 0.2]]), shares)
    assert ax.lines[3].get_xydata().tolist() == [[0.5, 0.5]]
    figure, other = plt.subplots()
    draw.segment(other, shares)
    assert [line.get_xdata().tolist() for line in other.lines] == [[0.3], [0.6], [0.5]]
    plt.close(figure)


def test_simplex_puts_the_centroid_in_the_middle(ax: plt.Axes) -> None:
    third = np.full((1, 3), 1 / 3)
    draw.simplex(ax, np.eye(3), [third])
    centre = draw.CORNERS.mean(0)
    assert ax.lines[3].get_xydata()[0] == pytest.approx(centre)
    assert [line.get_xydata()[0].tolist() for line in ax.lines[:3]] == draw.CORNERS.tolist()


def test_a_wedge_has_three_facets_and_its_path_its_crossings(space: plt.Axes) -> None:
    wedge_fields.facets(space, np.eye(3), 2.0)
    wedge_fields.path(space, np.array([[0.0, 0, 0], [1, 1, 1]]), np.zeros((1, 3)), style.THEORY, "line")
    sheets = [artist for artist in space.collections if type(artist).__name__ == "Poly3DCollection"]
    assert len(sheets) == 3
    assert np.array(space.lines[0].get_data_3d()).T.tolist() == [[0, 0, 0], [1, 1, 1]]


def test_directions_are_coloured_by_facets(ax: plt.Axes) -> None:
    starts, moves = np.array([[-1.0, 1], [-1, -1]]), np.array([[1.0, 0], [0, 1]])
    wedge_fields.directions(ax, starts, moves, np.array([1, 2]), rays=np.eye(2), axis=np.ones(2))
    arrows = ax.collections[0]
    assert [to_hex(colour).upper() for colour in arrows.get_facecolor()] == list(wedge_fields.HELD[1:3])
    assert arrows.U.tolist() == [1, 0]


def test_directions_in_space_have_a_group_for_each_number(space: plt.Axes) -> None:
    starts = np.arange(9.0).reshape(3, 3)
    wedge_fields.directions_in_space(space, starts, np.ones((3, 3)), np.array([1, 1, 3]))
    assert [text.get_text() for text in space.get_legend().get_texts()] == ["1", "3"]


def test_wrong_regions_are_shaded_where_they_are(ax: plt.Axes) -> None:
    side = np.linspace(-1, 1, 21)
    wrong = np.broadcast_to(side > 0.25, (21, 21))
    wedge_fields.wrong_regions(ax, side, wrong, np.eye(2), "recipe")
    [shade] = ax.collections
    assert shade.get_paths()[0].vertices[:, 0].min() == pytest.approx(0.25)


def test_failures_show_shares_with_intervals() -> None:
    figure, axes = plt.subplots(1, 2)
    rows = [(lean, 2, name, 0.4, 0.3, 0.6) for lean in (0, 30) for name in "abc"]
    table = pd.DataFrame(rows, columns=["lean", "facets", "recipe", "share", "low", "high"])
    wedge_fields.failures(axes, table)
    assert [one.get_title() for one in axes] == ["θ = 0°", "θ = 30°"]
    bars = axes[0].containers[0]
    assert bars.lines[0].get_ydata().tolist() == [0.4]
    assert bars.lines[2][0].get_segments()[0][:, 1] == pytest.approx([0.3, 0.6])
    plt.close(figure)


def test_conormals_are_drawn_beside_normals(space: plt.Axes) -> None:
    circle = np.eye(3)
    wedge_fields.restricted_normals(space, [circle], [circle], [0.5 * circle])
    lengths = [
        np.linalg.norm(segment[1] - segment[0])
        for lines in space.collections[1:]
        for segment in np.array(lines._segments3d)[:3]
    ]
    assert lengths == pytest.approx([0.4] * 3 + [0.2] * 3)
