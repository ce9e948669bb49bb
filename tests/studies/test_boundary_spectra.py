"""The study of spectra of the boundary, on classifiers whose boundary is known."""

import math

import pytest
import torch
from neighborhoods import profiles
from neighborhoods.studies import boundary_spectra as study
from neighborhoods.studies.boundary_spectra import balls, sites, sweep
from torch import Tensor, nn

SIDE = 6


class Ball(nn.Module):
    """Two logits that agree on the sphere of radius 3, and a third one far below."""

    def forward(self, x: Tensor) -> Tensor:
        square = x.flatten(1).square().sum(1)
        return torch.stack([torch.full_like(square, 9.0), square, torch.full_like(square, -1e3)], 1)


def classifier() -> nn.Sequential:
    return nn.Sequential(Ball())


def points(count: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Sites on the sphere, as `find` gives them."""
    directions = torch.nn.functional.normalize(torch.randn(count, SIDE * SIDE, generator=generator))
    kind = torch.arange(count) % 2
    point = (3 * directions).reshape(-1, 1, SIDE, SIDE)
    zeros, ones = torch.zeros(count, dtype=torch.long), torch.ones(count, dtype=torch.long)
    return {"kind": kind, "point": point, "normal": directions, "first": zeros, "second": ones}


def test_sites_lie_between_the_classes_of_their_ends(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    images = torch.randn(96, 1, SIDE, SIDE, generator=generator)
    images *= torch.where(torch.arange(96) < 48, 0.2, 1.0)[:, None, None, None]
    monkeypatch.setattr(sites, "load", lambda *_: classifier())
    monkeypatch.setattr(sites, "sources", lambda *_: (images, None, None))
    natural = 0.2 * torch.randn(9, 1, SIDE, SIDE, generator=generator)
    length = natural.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
    attacked = {"natural": natural, "points": natural * 3 / length, "success": torch.arange(9) > 0}
    found = sites.find(sites.SitesSpec("any", 8, 0), {}, attacked)
    assert found["kind"].tolist() == [0] * 4 + [1] * 4
    assert found["tried"].tolist() == found["kept"].tolist() == [8, 48]
    torch.testing.assert_close(found["point"].flatten(1).norm(dim=1), torch.full((8,), 3.0))
    torch.testing.assert_close(found["normal"], found["point"].flatten(1) / 3, rtol=1e-4, atol=1e-5)
    # Those adversaries lie straight ahead of their images; the loss gradient is radial wherever it is taken.
    assert float(found["incidence"][:4].max()) < 1e-3
    assert float(found["loss"][:4].max()) < 1e-3


def test_sweep_finds_the_sphere(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    monkeypatch.setattr(sweep, "load", lambda *_: classifier().double())
    found = points(4, generator)
    found = {name: value.double() if value.is_floating_point() else value for name, value in found.items()}
    spec = sweep.SweepSpec("any", 3, 0.01, 0.09, 5.0, 0)
    table = sweep.sweep(spec, {}, found)
    assert table["status"].unique().tolist() == ["converged"]
    expected = table["radius"] / 3 * math.sqrt((SIDE * SIDE - 1) / 2)
    assert ((table["ratio"] / expected - 1).abs() < 0.25).all()
    assert table["third"].max() == 0
    turn = (table["radius"] / 3 * math.sqrt(SIDE * SIDE - 1)).map(math.degrees)
    assert ((table["turn"] / turn - 1).abs() < 0.2).all()
    small = table[table["radius"] < 0.02]
    assert small[["dropped_low", "dropped", "dropped_high"]].to_numpy().tolist() == [[1, 1, 1]] * 4
    began = sweep.begin(spec, table)
    assert began["kind"].tolist() == ["adversary", "adversary", "pair", "pair"]
    assert began["curvature_status"].tolist() == ["converged"] * 4
    assert ((began["curvature"] / 3 - 1).abs() < 0.2).all()
    planar = 0.1 * 3 / math.sqrt((SIDE * SIDE - 1) / 2)
    assert ((began["planar"] / planar - 1).abs() < 0.3).all()
    assert (began["planar_low"] <= began["planar"]).all()


def test_places_without_a_boundary_keep_a_failed_row(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    constant = nn.Sequential(nn.Conv2d(1, 3, SIDE), nn.Flatten()).requires_grad_(False)
    with torch.no_grad():
        constant[0].weight.zero_()
        constant[0].bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    monkeypatch.setattr(sweep, "load", lambda *_: constant)
    table = sweep.sweep(sweep.SweepSpec("any", 2, 0.1, 1.0, 2.0, 0), {}, points(1, generator))
    assert table["status"].tolist() == ["failed", "failed"]


def test_lines_through_the_sphere_change_class_twice(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    monkeypatch.setattr(balls, "load", lambda *_: classifier())
    table = balls.count(balls.BallsSpec("any", 50, 8.0, 800, 0), {}, points(2, generator))
    # A line through a point of the sphere leaves it at the other end of a chord, which a step may leap over.
    last = table[table["distance"] == table["distance"].max()]
    assert last["changes"].tolist() == pytest.approx([2.0, 2.0], abs=0.16)
    assert last["once"].max() <= 0.04
    assert set(table["kind"]) == {"adversary", "pair"}


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_plan_uses_the_networks_of_table_1(profile: str) -> None:
    spec, networks = profiles.boundary_spectra(profile), profiles.networks(profile)
    for name in (spec.full, spec.convolutional):
        assert name in networks.networks
        trained, attacked = study.found(spec, networks, name).parents
        assert trained.digest == study.table.trained(networks, name).digest
        assert study.counted(spec, networks, name).parents[0].digest == trained.digest
        assert study.began(spec, networks, name).parents[0].parents[1].parents[1].digest == attacked.digest


def test_quick_has_the_sizes_asked_for() -> None:
    spec = profiles.boundary_spectra("quick")
    assert (spec.full_sites, spec.convolutional_sites, spec.facets) == (100, 10, 10)
    with pytest.raises(ValueError, match=r"sigma is 0.0; it must be greater than 0"):
        profiles.boundary_spectra("quick", sigma=0.0)
