"""The Delaunay chapter's studies, on cases whose answers are known."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models.datasets import Images
from neighborhoods.studies.delaunay import convergence, crossings, plane, regions, shares, unlike_pairs
from neighborhoods.studies.delaunay.replicates import over_replicates
from torch import Generator, nn


@pytest.mark.parametrize("region", regions.REGIONS)
def test_outline_is_where_the_label_changes(region: str) -> None:
    points, normals = regions.outline(region, 40_000)
    here = 1e-6 * normals
    sides = [regions.labels_in(region, points + sign * here) for sign in (-1, 1)]
    assert float((sides[0] != sides[1]).double().mean()) > 0.99
    widest = math.hypot(2 * regions.NEEDLE, 1e-4) if region == "needle" else 4e-4  # its tip is one step
    assert float((points - points.roll(1, 0)).norm(dim=1).max()) < widest


def test_star_has_its_points_and_notches() -> None:
    angle = torch.tensor([0.0, math.pi / 5, 2 * math.pi / 5], dtype=torch.float64)
    assert regions.RADII["star"](angle).tolist() == pytest.approx([0.85, 0.35, 0.85])


def test_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match="region is 'ring'; it must be one of disc, flower, star, needle"):
        regions.labels_in("ring", torch.zeros(1, 2))


def test_samples_reach_the_rim_without_coincidences() -> None:
    sites = regions.sample(50, Generator().manual_seed(0))
    assert len(torch.unique(sites, dim=0)) == len(sites) == 50 + 4 * 8
    assert sites.abs().max() == 1
    corners = {(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)}
    assert corners <= {(x, y) for x, y in sites.tolist()}


def test_interval_is_that_of_student() -> None:
    table = pd.DataFrame({"n": [2, 2, 2, 3], "v": [1.0, 2.0, 3.0, 5.0]})
    rows = over_replicates(table, ["n"], "v").set_index("n")
    assert rows.loc[2, ["mean", "low", "high", "replicates"]].tolist() == pytest.approx(
        [2.0, 2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3), 3], abs=1e-5
    )
    assert rows.loc[3, "mean"] == 5
    assert math.isnan(rows.loc[3, "low"])


def test_convergence_of_theorem_30_6_keeps_the_bound_in_every_row() -> None:
    table = convergence.converge(convergence.ConvergenceSpec((200, 800), 2, 0))
    clean = table[table["case"].isin(["disc", "star"])]
    assert (clean["outward"] <= clean["epsilon"]).all()
    disc = table[table["case"] == "disc"]
    assert (disc["inward"] <= 2 * disc["epsilon"]).all()
    assert (table.loc[table["case"] == "needle", "inward"] > 0.2).all()


def test_order_of_a_power_law_is_its_exponent() -> None:
    epsilon = np.array([0.4, 0.2, 0.1])
    table = pd.DataFrame({"case": "disc", "replicate": 0, "epsilon": epsilon, "outward": 3 * epsilon**1.5})
    assert convergence.orders(table, "outward")["order"].tolist() == pytest.approx([1.5])


def test_boundary_without_points_is_infinitely_far() -> None:
    truth = convergence._Truth("disc")
    found = convergence.triangulate(regions.sample(30, Generator().manual_seed(0)))
    measured = truth.compare(found, torch.zeros(len(found.sites), dtype=torch.int64))
    assert math.isnan(measured["outward"])
    assert measured["inward"] == math.inf


def test_fitted_network_knows_its_points_and_is_the_same_each_time() -> None:
    spec = plane.PlaneSpec(100, 32, 300, 1, 3)
    fitted = plane.fit(spec)
    again = plane.fit(spec)
    assert all(torch.equal(fitted[name], again[name]) for name in fitted)
    answers = plane.answers(fitted, fitted["sites"])
    for rule in ("Voronoi", "Delaunay"):
        assert torch.equal(answers[rule], fitted["labels"])
    assert float((answers["network"] == fitted["labels"]).double().mean()) > 0.97


def test_grid_goes_row_by_row_from_below() -> None:
    assert plane.square(2).tolist() == [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]


def gray(split: str, limit: int | None = None) -> Images:
    """Images of two classes, black and white, with a little noise."""
    count = limit or 100
    labels = torch.arange(count) % 2
    noise = 0.2 * torch.rand(count, 1, 28, 28, generator=Generator().manual_seed(7))
    return Images(0.4 * labels[:, None, None, None] + noise, labels)


def test_shares_by_triangulation_and_by_programmes_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "mnist", gray)
    spec = shares.SharesSpec(24, (3,), 10_000, 2, 100, 0)
    triangulated = shares.measure(spec)
    monkeypatch.setattr(shares, "HIGHEST", 1)
    programmed = shares.measure(spec)
    for column in ("all", "degree", "share"):
        assert programmed[column].tolist() == pytest.approx(triangulated[column].tolist())
    assert programmed["undecided"].sum() == 0
    assert set(programmed["data"]) == {"Gaussian", "MNIST"}


def test_unlike_pairs_are_unlike_and_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlike_pairs, "mnist", gray)
    found = unlike_pairs.find(unlike_pairs.UnlikeSpec(60, 20, 0))
    data = gray("train", 60)
    flat = data.points.flatten(1)
    for kind in unlike_pairs.KINDS:
        first, second = found[f"{kind}/pairs"].T
        assert (data.labels[first] != data.labels[second]).all()
    first, second = found["nearest/pairs"].T
    apart = torch.cdist(flat[first], flat)
    apart[data.labels[first][:, None] == data.labels] = torch.inf
    assert torch.equal(apart.argmin(1), second)
    assert found["nearest/empty"][found["nearest/mutual"]].all()


class Threshold(nn.Module):
    """Two logits whose difference is the mean of the pixels minus 0.2 and a little."""

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        mean = points.flatten(1).mean(1)
        return torch.stack([torch.zeros_like(mean), mean - 0.25], 1)


def test_crossings_of_a_flat_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unlike_pairs, "mnist", gray)
    monkeypatch.setattr(crossings, "mnist", gray)
    monkeypatch.setattr(crossings, "load", lambda *_: Threshold())
    found = unlike_pairs.find(unlike_pairs.UnlikeSpec(60, 20, 0))
    table = crossings.cross(crossings.CrossingsSpec("FC10", 60), {}, found)
    assert (table["status"] == "converged").all()
    data = gray("train", 60)
    for kind in unlike_pairs.KINDS:
        first, second = (data.points[part].flatten(1).mean(1) for part in found[f"{kind}/pairs"].T)
        expected = (0.25 - first) / (second - first)
        rows = table[table["kind"] == kind]
        assert rows["fraction"].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert table["direct"].astype(bool).all()
    rows = crossings.summary(table).set_index("kind")
    assert rows.loc["nearest", "pairs"] == 20
    assert (rows["off_low"] <= rows["off"]).all() and (rows["off"] <= rows["off_high"]).all()


def test_wrong_ends_stay_as_failed_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def half_wrong(points: torch.Tensor) -> torch.Tensor:
        turned = (points[:, 0, 0, :1] * 1e4).floor() % 2 == 0
        return torch.where(turned, -Threshold()(points), Threshold()(points))

    data = gray("train", 60)
    right = half_wrong(data.points).argmax(1) == data.labels
    monkeypatch.setattr(unlike_pairs, "mnist", gray)
    monkeypatch.setattr(crossings, "mnist", gray)
    monkeypatch.setattr(crossings, "load", lambda *_: half_wrong)
    found = unlike_pairs.find(unlike_pairs.UnlikeSpec(60, 20, 0))
    table = crossings.cross(crossings.CrossingsSpec("FC10", 60), {}, found)
    ends = torch.cat([found[f"{kind}/pairs"] for kind in unlike_pairs.KINDS])
    failed = (~right[ends].all(1)).tolist()
    assert (table["status"] == "failed").tolist() == failed
    assert table["fraction"].isna().tolist() == failed
    assert 0 < sum(failed) < len(failed) == 40


def test_sizes_that_give_no_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="replicates is 1; it must be at least 2"):
        profiles.delaunay("smoke", replicates=1)
    with pytest.raises(ValueError, match="images is 100; it must be at least 60 x 3"):
        profiles.delaunay("smoke", images=100)
