"""Figures of the space of weights draw what their tables say."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from neighborhoods.figures import style
from neighborhoods.figures import weight_space as draw


@pytest.fixture
def axes():
    style.use()
    figure, grid = plt.subplots(1, 3)
    yield grid
    plt.close(figure)


def test_cosines_have_an_axes_an_activation_and_the_null_behind(axes: np.ndarray) -> None:
    rows = [
        (a, target, d, value)
        for a in ("tanh", "relu")
        for target, value in (("end", 0.8), ("back", 0.1))
        for d in (0.0, 0.03, 3.0)
    ]
    table = pd.DataFrame(rows, columns=["activation", "target", "distance", "mean"])
    table = table.assign(low=table["mean"] - 0.1, high=table["mean"] + 0.1)
    draw.pointing(axes[:2], table, (-0.01, 0.01), {"end": "the end", "back": "back"})
    assert [ax.get_title() for ax in axes[:2]] == ["tanh", "relu"]
    assert [line.get_ydata().tolist() for line in axes[1].lines] == [[0.8] * 3, [0.1] * 3]
    assert axes[0].lines[0].get_xdata().tolist() == pytest.approx([0.01, 0.03, 3.0])
    null = axes[0].patches[0].get_extents().transformed(axes[0].transData.inverted())
    assert (null.y0, null.y1) == pytest.approx((-0.01, 0.01))


def test_steps_show_medians_of_runs_and_the_size_of_training(axes: np.ndarray) -> None:
    rows = [(a, size, size * f, 10 * f) for a in ("tanh", "relu") for size in (0.1, 1.0) for f in (1, 2, 9)]
    draw.steps(axes[:2], pd.DataFrame(rows, columns=["activation", "size", "change", "flips"]), 0.3)
    assert axes[0].lines[0].get_ydata().tolist() == pytest.approx([0.2, 2.0])
    assert axes[1].lines[1].get_ydata().tolist() == [20, 20]
    assert [ax.lines[-1].get_xdata()[0] for ax in axes[:2]] == [0.3, 0.3]


def test_arcs_show_samples_over_the_law_and_paths_over_their_chords(axes: np.ndarray) -> None:
    names = ("low", "median", "high", "exact_low", "exact_high")
    table = pd.DataFrame({"dimension": [2, 4], **{name: [1.0, 1.1] for name in names}})
    draw.random_arcs(axes[0], table, 1.11)
    assert axes[0].lines[0].get_ydata()[0] == 1.11
    assert len(axes[0].lines) == 4
    quarter = draw.quarter_circle(3)
    assert quarter["along"].tolist() == pytest.approx([0, 0.5, 1])
    assert quarter["off"].tolist() == pytest.approx([0, (1 - np.sqrt(0.5)) / np.sqrt(2), 0])
    rows = [("tanh", run, x, 0.2) for run in (0, 1) for x in (0.0, 1.0)]
    draw.shapes(axes[1], pd.DataFrame(rows, columns=["name", "run", "along", "off"]), quarter)
    assert [line.get_label() for line in axes[1].lines[::2]] == ["tanh", "quarter circle"]
    assert [text.get_text() for text in axes[1].get_legend().get_texts()] == ["tanh", "quarter circle"]


def test_the_line_shows_ratios_and_not_their_logarithms(axes: np.ndarray) -> None:
    accuracy = pd.DataFrame(
        {"activation": "tanh", "kind": ["line", "line"], "t": [0.0, 1.0], "mean": [0.1, 0.9]}
    )
    ratios = pd.DataFrame(
        {
            "activation": "relu",
            "contrast": ["line", "path"],
            "t": 0.5,
            "mean": [1.0, -1.0],
            "low": -2.0,
            "high": 2.0,
        }
    )
    draw.line(axes[:2], accuracy, ratios)
    assert axes[0].lines[0].get_ydata().tolist() == [0.1, 0.9]
    first, second = axes[1].containers
    assert (first.lines[0].get_ydata()[0], second.lines[0].get_ydata()[0]) == (2.0, 0.5)
    assert first.lines[2][0].get_segments()[0][:, 1].tolist() == [0.25, 4.0]
    assert to_hex(second.lines[0].get_markerfacecolor()) == "#ffffff"


def test_a_population_has_a_colour_for_each_kind(axes: np.ndarray) -> None:
    table = pd.DataFrame(
        {"kind": ["noise", "trained"], "accuracy": [0.2, 0.9], "cosine": [0.5, -0.1], "product": 0.0}
    )
    draw.population(axes[:2], table, {"cosine": "cosine", "product": "inner product"})
    assert [line.get_ydata().tolist() for line in axes[0].lines] == [[0.2], [], [0.9]]
    assert axes[0].lines[2].get_color().upper() == style.ADVERSARIAL
    assert axes[1].get_xlabel() == "inner product"
