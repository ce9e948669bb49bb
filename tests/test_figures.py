"""Figures draw what their tables say: each is drawn from a small table and looked at through matplotlib."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from neighborhoods.figures import background, style, wedges
from neighborhoods.figures import persistence as draw


@pytest.fixture
def ax():
    style.use()
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_natural_is_blue_and_adversarial_red() -> None:
    assert style.COLOURS == {"natural": style.NATURAL, "adversarial": style.ADVERSARIAL}


@pytest.mark.parametrize("facets", [1, 2, 3])
def test_orthants_have_one_sheet_and_one_foot_a_facet(facets: int) -> None:
    figure, ax = plt.subplots(subplot_kw={"projection": "3d"})
    wedges.orthant(ax, facets)
    sheets = [artist for artist in ax.collections if type(artist).__name__ == "Poly3DCollection"]
    assert (len(sheets), len(ax.lines)) == (facets, facets)
    for line in ax.lines:
        assert np.linalg.norm(np.diff(np.array(line.get_data_3d()), axis=1)) == pytest.approx(1)
    plt.close(figure)


def test_each_angle_is_a_line(ax: plt.Axes) -> None:
    table = pd.DataFrame({"theta": [0, 0, 30, 30], "k": [1, 2, 1, 2], "sigma": [2.0, 1, 2, 0.9]})
    wedges.against_facets(ax, table)
    assert ax.lines[1].get_ydata().tolist() == [2.0, 0.9]


def test_each_length_is_a_line(ax: plt.Axes) -> None:
    table = pd.DataFrame({"L": [0, 0, 5, 5], "sigma": [1, 2, 1, 2], "P": [0.9, 0.8, 0.7, 0.6]})
    wedges.outside(ax, table, 0.7)
    assert [line.get_label() for line in ax.lines[:2]] == ["L = 0 d", "L = 5 d"]


def test_answers_stand_on_the_level(ax: plt.Axes) -> None:
    wedges.islands(ax, [1.0, 2.0], [0.9, 0.4], 0.7, {"one": 1.4, "other": 1.9})
    assert [line.get_xydata().tolist() for line in ax.lines[2:]] == [[[1.4, 0.7]], [[1.9, 0.7]]]


def test_target_is_red_and_original_black(ax: plt.Axes) -> None:
    rows = [(0, sigma, number, 0.3) for number in (0, 1, 2) for sigma in (0.1, 0.2)]
    table = pd.DataFrame(rows, columns=["target", "sigma", "class", "share"])
    draw.frequencies(ax, table, 0, 1)
    assert [to_hex(line.get_color()).upper() for line in ax.lines] == [
        style.ADVERSARIAL,
        style.ORIGINAL,
        style.OTHER,
    ]


def test_histograms_of_both_kinds_sum_to_one(ax: plt.Axes) -> None:
    table = pd.DataFrame({"kind": ["natural", "adversarial"] * 3, "sigma": [0.1, 0.5, 0.2, 0.6, 0.3, 0.9]})
    draw.histogram(ax, table, 0.7)
    for collection in ax.collections:
        heights = collection.get_paths()[0].vertices[:, 1]
        assert heights.max() == pytest.approx(1 / 3)


def test_bands_show_medians_by_kind(ax: plt.Axes) -> None:
    rows = [
        (kind, gamma, sigma)
        for kind in ("natural", "adversarial")
        for gamma in (0.5, 0.9)
        for sigma in (1, 2, 9)
    ]
    draw.by_gamma(ax, pd.DataFrame(rows, columns=["kind", "gamma", "sigma"]))
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2, 2], [2, 2]]


def test_balls_are_drawn_against_gaussians(ax: plt.Axes) -> None:
    rows = [("natural", 0, "gaussian", 1.0), ("natural", 0, "ball", 1.1)]
    draw.balls(ax, pd.DataFrame(rows, columns=["kind", "pair", "noise", "sigma"]))
    assert ax.lines[0].get_xydata().tolist() == [[1.0, 1.1]]


def test_leaders_fill_the_range(ax: plt.Axes) -> None:
    rows = [(0, 0.1, "target"), (1, 0.1, "original"), (0, 0.2, "background"), (1, 0.2, "background")]
    draw.leaders(ax, pd.DataFrame(rows, columns=["pair", "sigma", "leader"]))
    assert len(ax.collections) == 3
    assert ax.collections[2].get_paths()[0].vertices[:, 1].max() == pytest.approx(1)


def test_matched_sides_show_their_medians(ax: plt.Axes) -> None:
    rows = [(side, distance, 1.5) for side in ("adversarial", "natural") for distance in (0.1, 0.2)]
    draw.matched(ax, pd.DataFrame(rows, columns=["side", "distance", "ratio"]), 1.9)
    assert [line.get_label() for line in ax.lines] == ["adversarial side", "natural side", "flat boundary"]


def test_settings_are_one_marker_each(ax: plt.Axes) -> None:
    rows = [("adversarial", "success", 0.1, 0.2), ("adversarial", "never", 1.0, 0.9)]
    draw.overshoots(ax, pd.DataFrame(rows, columns=["side", "stop", "distance", "sigma"]), 1.9)
    assert ax.lines[2].get_ydata() == pytest.approx([0.19, 1.9])


def test_norms_get_an_axes_for_each_dimension() -> None:
    rows = [(n, noise, value) for n in (2, 3) for noise in ("ball", "gaussian") for value in (1.0, 2.0, 3.0)]
    figure, axes = plt.subplots(1, 2)
    draw.norms(axes, pd.DataFrame(rows, columns=["dimension", "noise", "norm"]))
    assert [one.get_title() for one in axes] == ["n = 2", "n = 3"]
    plt.close(figure)


def test_montage_and_strip_show_the_pixels(ax: plt.Axes) -> None:
    pixels = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    draw.montage(ax, pixels, "two")
    assert ax.images[0].get_array().shape == (2, 4)
    figure, axes = plt.subplots(1, 2)
    draw.strip(axes, pixels, [0.0, 0.5])
    assert axes[1].get_title() == "σ = 0.5"
    plt.close(figure)


def test_every_unit_reads_the_whole_layer_before(ax: plt.Axes) -> None:
    background.network(ax, [7, 5, 3], ["in", "hidden", "out"], "softmax")
    assert [len(column.get_offsets()) for column in ax.collections] == [7, 5, 3]
    assert len(ax.lines) == 7 * 5 + 5 * 3 + 3


def test_each_layer_sends_forward_and_back(ax: plt.Axes) -> None:
    background.recursion(ax, 3)
    words = [text.get_text() for text in ax.texts]
    assert sum(r"\nabla_{W^" in word for word in words) == 3
    patches = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    arrows = [to_hex(patch.get_edgecolor()).upper() for patch in patches]
    assert arrows.count(style.NATURAL) == arrows.count(style.ADVERSARIAL) == 4


def test_a_triptych_shows_what_was_added() -> None:
    figure, axes = plt.subplots(2, 3)
    original, attacked = np.zeros((4, 4)), np.stack([np.full((4, 4), 0.5), np.full((4, 4), 0.25)])
    background.triptychs(axes, original, attacked, [3, 5])
    shown = [[ax.images[0].get_array().mean() for ax in row] for row in axes]
    assert shown == [[0, 0.5, 0.5], [0, 0.25, 0.25]]
    assert axes[1, 1].images[0].get_clim() == (-0.5, 0.5)
    assert axes[1, 2].get_title() == "read as 5"
    plt.close(figure)


def test_two_means_stand_in_the_histogram(ax: plt.Axes) -> None:
    background.distortions(ax, pd.Series([0.02, 0.04]), 0.089)
    assert [line.get_xdata()[0] for line in ax.lines] == [pytest.approx(0.03), 0.089]


def test_the_first_attack_stands_on_top() -> None:
    figure, axes = plt.subplots(1, 2)
    columns = ["success", "success_low", "success_high", "mean", "mean_low", "mean_high", "median"]
    table = pd.DataFrame(
        [[1, 0.9, 1, 0.1, 0.08, 0.12, 0.09], [0.5, 0.4, 0.6, 0.2, 0.1, 0.3, 0.2]], columns=columns
    )
    background.attacks(axes, table.assign(attack=["L-BFGS", "DDN, foolbox"]))
    dots = axes[0].collections[1]
    assert dots.get_offsets()[:, 0].tolist() == [0.5, 1]
    assert [to_hex(colour).upper() for colour in dots.get_facecolors()] == [style.THEORY, style.NATURAL]
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["DDN, foolbox", "L-BFGS"]
    plt.close(figure)
