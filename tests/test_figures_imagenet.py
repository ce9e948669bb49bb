"""What the figures of the ImageNet chapter show of small tables."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from neighborhoods.figures import imagenet as draw
from neighborhoods.figures.style import ADVERSARIAL, NATURAL, ORIGINAL, OTHER

NAMES = ("tench", "goldfish", "shark")
SHARES = pd.DataFrame({"sigma": [0.1, 0.1, 1.0, 1.0], "class": [0, 2, 0, 2], "share": [0.75, 0.25, 0.0, 1.0]})
LINE = pd.DataFrame(
    {
        "place": [0.0, 0.5, 1.0] * 2,
        "class": [0, 1, 1] * 2,
        "distance": [-2.0, 1.0, 4.0] * 2,
        "gamma": [0.7] * 3 + [0.9] * 3,
        "sigma": [0.2, 0.1, 0.3, 0.1, 0.05, 0.2],
        "low": 0.05,
        "high": np.inf,
    }
)


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    plt.close("all")


def test_frequencies_start_in_the_class_of_the_centre_and_name_the_others() -> None:
    _, ax = plt.subplots()
    draw.frequencies(ax, SHARES, NAMES, original=0, target=1, centre=1)
    curves = {to_hex(line.get_color()).upper(): line for line in ax.lines}
    assert set(curves) == {ORIGINAL.upper(), ADVERSARIAL.upper(), OTHER.upper()}
    assert curves[ADVERSARIAL.upper()].get_ydata().tolist() == [1.0, 0.0]
    assert curves[ORIGINAL.upper()].get_ydata().tolist() == [0.0, 0.75, 0.0]
    assert [text.get_text() for text in ax.texts] == ["shark"]


def test_points_of_a_line_carry_their_class_and_its_colour() -> None:
    _, ax = plt.subplots()
    draw.line(ax, LINE[LINE["gamma"] == 0.7], original=0, target=1)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "1"]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [line.get_color() for line in points] == [NATURAL, ADVERSARIAL, ADVERSARIAL]


def test_lines_of_several_levels_mark_where_the_class_begins() -> None:
    _, ax = plt.subplots()
    draw.by_gamma(ax, LINE)
    *curves, entry = ax.lines
    assert [curve.get_label() for curve in curves] == ["γ = 0.7", "γ = 0.9"]
    assert entry.get_xdata()[0] == pytest.approx(1 / 3)


def test_change_is_magnified_around_grey() -> None:
    _, axes = plt.subplots(1, 3)
    before, after = np.full((3, 2, 2), 0.4, np.float32), np.full((3, 2, 2), 0.41, np.float32)
    draw.attack(axes, before, after, 10, ["a", "b", "c"])
    shown = [np.asarray(ax.images[0].get_array()) for ax in axes]
    assert [float(pixels[0, 0, 0]) for pixels in shown] == pytest.approx([0.4, 0.6, 0.41], abs=1e-6)
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]


def test_histogram_counts_every_adversary_and_marks_the_draft() -> None:
    _, ax = plt.subplots()
    draw.distortions(ax, {"n": np.array([0.001, 0.002, 0.02])}, 0.01)
    assert sum(patch.get_height() for patch in ax.patches) == 3
    assert ax.lines[0].get_xdata()[0] == 0.01


def test_both_sides_and_all_attacks_are_shown() -> None:
    table = pd.DataFrame(
        {"network": "n", "method": ["BIM", "CW"], "natural": [0.1, 0.2], "adversarial": [0.2, 0.1]}
    ).assign(equal=[0.1, 0.01], inner=[0.1, 0.02], outer=[0.2, 0.3])
    _, axes = plt.subplots(1, 2)
    draw.pairs(axes[:1], table)
    assert {line.get_label() for line in axes[0].lines} >= {"BIM", "CW"}
    draw.sides(axes[1:], table, 2.0)
    flat = axes[1].lines[-1]
    assert flat.get_ydata().tolist() == pytest.approx([0.02, 0.2])
    assert [line.get_color() for line in axes[1].lines[:2]] == [ADVERSARIAL, NATURAL]


def test_of_many_points_only_those_are_numbered_at_which_a_class_begins() -> None:
    many = pd.DataFrame({"place": np.linspace(0, 1, 41), "class": [0] * 20 + [2] * 5 + [1] * 16})
    _, ax = plt.subplots()
    draw.line(ax, many.assign(sigma=0.1, low=0.05, high=0.2), original=0, target=1)
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["0", "2", "1"]
