"""Figures of spectra, drawn from small tables and looked at through matplotlib."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from neighborhoods.figures import boundary_spectra, style


@pytest.fixture
def ax():
    style.use()
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_orthants_have_a_panel_each_and_their_predicted_lines() -> None:
    rows = [(k, part, r, 1.0) for k in (1, 2) for part in ("raw", "centred", "differences") for r in (1, 2)]
    table = pd.DataFrame(rows, columns=["facets", "part", "rank", "value"])
    figure, axes = plt.subplots(1, 2)
    boundary_spectra.orthants(axes, table, table.assign(value=0.5))
    assert [ax.get_title() for ax in axes] == ["k = 1", "k = 2"]
    assert [line.get_ydata()[0] for line in axes[1].lines[3:]] == [0.5]
    plt.close(figure)


def test_spectra_stand_on_what_would_be_there_anyway(ax: plt.Axes) -> None:
    boundary_spectra.spectrum(ax, {"points": np.array([3.0, 2.0, 0.1])}, np.array([2.0, 2.0, 1.0]), "title")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[2, 2, 1], [3, 2, 0.1], [3, 0.1]]


def test_displacements_show_each_orthant_and_the_prediction(ax: plt.Axes) -> None:
    rows = [(k, "displacements", rank, float(k)) for k in (1, 2) for rank in (1, 2)]
    table = pd.DataFrame(rows, columns=["facets", "part", "rank", "value"])
    boundary_spectra.displacements(ax, table, table)
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 1], [2, 2], [1, 1, 2, 2]]


def test_vectors_with_a_sign_are_centred_on_white() -> None:
    figure, axes = plt.subplots(1, 2)
    boundary_spectra.pictures(axes, {"image": np.eye(2), "vector": np.array([[1.0, -3.0], [0.0, 0.0]])})
    assert axes[1].images[0].get_clim() == (-3, 3)
    assert axes[0].images[0].get_clim() == (0, 1)
    plt.close(figure)


def test_radii_lines_and_beginnings_are_grouped_by_network_and_kind(ax: plt.Axes) -> None:
    rows = [
        (name, kind, 1.0 * site, 0.1, 0.5)
        for name in ("C-4", "FC10")
        for kind in ("adversary", "pair")
        for site in (1, 2, 3)
    ]
    table = pd.DataFrame(rows, columns=["network", "kind", "radius", "ratio", "once"])
    boundary_spectra.against_radius(ax, table, "ratio", "flatness")
    assert [line.get_linestyle() for line in ax.lines] == ["--", "--", "-", "-"]
    ax.clear()
    boundary_spectra.once(ax, table.rename(columns={"radius": "distance"}))
    assert [line.get_ydata().tolist() for line in ax.lines[:4]] == [[0.5] * 3] * 4
    ax.clear()
    planar = table.assign(planar=0.2, planar_low=0.1, planar_high=np.inf)
    boundary_spectra.begins(ax, planar, 1.0)
    assert [line.get_ydata().tolist() for line in ax.lines[:4]] == [[0.2] * 3] * 4


def test_angles_have_a_column_for_each_route() -> None:
    table = pd.DataFrame({"network": "FC10", "kind": ["adversary", "pair"], "loss": [10.0, 70.0]})
    figure, axes = plt.subplots(1, 1, squeeze=False)
    boundary_spectra.angles(axes[0], table, {"loss": "loss gradient"})
    assert [line.get_ydata()[0] for line in axes[0, 0].lines] == [70, 70, 10, 10]
    plt.close(figure)
