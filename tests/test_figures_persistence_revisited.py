"""Figures of persistence looked at again, drawn from small tables and looked at through matplotlib."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from neighborhoods.figures import persistence_revisited as draw
from neighborhoods.figures import style


@pytest.fixture
def axes():
    style.use()
    figure, axes = plt.subplots(1, 3)
    yield axes
    plt.close(figure)


def test_infinite_persistence_is_not_drawn_and_the_line_has_its_slope(axes) -> None:
    table = pd.DataFrame({"sigma": [1.0, 2.0, np.inf], "free": [1.0, 1.0, 1.0], "nearby": [1, 5, 9]})
    shades = draw.against_distance(axes[0], table, "free", slope=2.0, label="distance")
    assert shades.get_offsets().tolist() == [[1, 1], [1, 2]]
    assert shades.get_array().tolist() == [1, 5]
    across, up = axes[0].lines[0].get_data()
    assert up[1] / across[1] == pytest.approx(2)


def test_angles_show_each_kind_on_both_axes(axes) -> None:
    rows = [("least", 30.0, 1.0, 0.5), ("partner", 80.0, 2.0, 0.5)]
    draw.angles(axes[:2], pd.DataFrame(rows, columns=["kind", "alpha", "plane", "sigma"]))
    assert [line.get_xdata().tolist() for line in axes[0].lines] == [[30], [80]]
    assert [line.get_xdata().tolist() for line in axes[1].lines] == [[1], [2]]


def test_sides_have_their_colours_and_intervals(axes) -> None:
    row = {"before": 1.2, "before_low": 1.1, "before_high": 1.4}
    row |= {"beyond": 0.8, "beyond_low": 0.7, "beyond_high": 0.9, "distance": 0.1}
    draw.sides(axes[:2], pd.DataFrame([row | {"kind": "least"}, row | {"kind": "back"}]), ("least", "back"))
    before, beyond, *_ = axes[0].containers
    assert before.lines[0].get_color() == style.NATURAL
    assert beyond.lines[0].get_color() == style.ADVERSARIAL
    assert before.lines[2][0].get_segments()[0][:, 1].tolist() == pytest.approx([1.1, 1.4])
    assert axes[1].get_title() == "and back"


def test_paths_scale_probability_by_what_lies_between_its_ends(axes) -> None:
    rows = [
        (row, space, u, u, u, 4 * u - 2, "before" if u < 0.5 else "beyond", abs(2 * u - 1) + (u in (0, 1)))
        for row in (0, 1)
        for space in ("image", "probability")
        for u in (0, 0.25, 0.5, 0.75, 1)
    ]
    columns = ["row", "space", "u", "t", "q", "odds", "side", "sigma"]
    draw.paths(axes, pd.DataFrame(rows, columns=columns), slope=0.5)
    assert axes[0].get_ylim()[1] == axes[2].get_ylim()[1] == pytest.approx(2.1)
    assert axes[1].get_ylim()[1] == pytest.approx(0.525)
    assert axes[2].lines[-1].get_ydata().tolist() == [1, 0, 1]


def test_stability_draws_counts_over_the_models(axes) -> None:
    model = {"kind": "image", "sigma": [1.0, 2.0], "stability": [0.9, 0.5]}
    parts = [pd.DataFrame(model | {"model": name}) for name in draw.FITS]
    counts = {"model": "counted", "stability": [0.85, 0.55], "low": [0.8, 0.4], "high": [0.95, 0.6]}
    parts.append(pd.DataFrame(model | counts))
    draw.stability(axes[:1], pd.concat(parts))
    assert [line.get_linestyle() for line in axes[0].lines[:5]] == [":", "-.", "--", "-", "--"]
    assert axes[0].containers[0].lines[0].get_ydata().tolist() == [0.85, 0.55]


def test_orthants_show_medians_of_the_deviance_by_what_is_fitted(axes) -> None:
    models = [*draw.FITS, "skewed", "nine"]
    rows = [
        (kind, model, 2.0, 1.5, float(place + step), 1)
        for kind in draw.POINTS
        for place, model in enumerate(models, start=1)
        for step in (-0.5, 0, 0.5)
    ]
    columns = ["kind", "model", "k", "facets", "deviance", "freedom"]
    draw.orthants(axes[:2], pd.DataFrame(rows, columns=columns))
    middles = [bar.lines[0].get_ydata()[0] for bar in axes[1].containers]
    assert middles == [1, 2, 3, 4, 5, 6, 7] * 3
    assert axes[0].lines[0].get_data()[0].tolist() == [1.5] * 3
