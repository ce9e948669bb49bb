"""The parts of the persistence studies that are not kernels, on cases whose answers are known."""

import math

import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.kernels.persistence import Persistence
from neighborhoods.studies import persistence as study
from neighborhoods.studies.persistence import adversaries, background, matched, tables
from neighborhoods.studies.persistence.chords import chords
from torch import nn

NORMAL = torch.tensor([3.0, 4.0]) / 5


def half_plane() -> nn.Module:
    """Class 1 where the component along NORMAL exceeds 1."""
    network = nn.Sequential(nn.Linear(2, 2))
    with torch.no_grad():
        network[0].weight.copy_(torch.stack([-NORMAL, NORMAL]))
        network[0].bias.copy_(torch.tensor([1.0, -1.0]))
    return network.requires_grad_(False)


def test_chord_meets_a_line_where_geometry_says() -> None:
    natural, adversarial = torch.zeros(1, 2), torch.tensor([[3.0, 0.0]])
    chord = chords(half_plane(), natural, adversarial)
    assert chord.cosine.item() == pytest.approx(0.6)
    assert chord.overshoot.item() == pytest.approx(3 - 5 / 3, abs=1e-5)
    assert chord.before.tolist() == [0]
    assert chord.at(0.5)[0].tolist() == pytest.approx([5 / 3 + 0.5, 0])


def test_every_class_but_its_own_is_a_target_once() -> None:
    row, targets = adversaries.every_other_class(torch.tensor([3, 0]))
    assert row.tolist() == [0] * 9 + [1] * 9
    assert targets.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, *range(1, 10)]


def test_contrast_compares_pairs_and_weighs_images_alike() -> None:
    rows = []
    for image, quotients in ((0, [0.5, 0.5, 0.5]), (1, [0.8]), (2, [0.9])):
        for pair, quotient in enumerate(quotients):
            for side, sigma in (("adversarial", quotient), ("natural", 1.0)):
                rows.append((1.0, image, 10 * image + pair, side, sigma, True))
    rows += [(1.0, 3, 30, "adversarial", 9.0, True), (1.0, 3, 30, "natural", 1.0, False)]
    columns = ["distance", "image", "pair", "side", "sigma", "keeps"]
    result = matched.contrast(pd.DataFrame(rows, columns=columns)).iloc[0]
    assert result["quotient"] == pytest.approx(0.8)
    assert result["kept"] == pytest.approx(5 / 6)
    assert result["low"] == pytest.approx(0.5)
    assert result["high"] == pytest.approx(0.9)


def test_rows_name_their_status() -> None:
    two = torch.tensor([1.0, math.inf])
    rows = tables.frame(Persistence(two, two, two, torch.tensor([0, 1], dtype=torch.int8)))
    assert rows["status"].tolist() == ["converged", "censored"]


def test_leaders_are_named_by_their_part_in_the_attack(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = torch.zeros(1, background.SIGMAS, 10, dtype=torch.int64)
    for level, leader in enumerate([4, 7, 2] + [7] * (background.SIGMAS - 3)):
        counts[0, level, leader] = 9
    monkeypatch.setattr(background, "class_frequencies", lambda *_, **__: counts)
    monkeypatch.setattr(background, "load", lambda *_: None)
    attacked = {
        name: torch.tensor([value]) for name, value in {"success": True, "target": 4, "label": 7}.items()
    }
    attacked["points"] = torch.zeros(1, 1, 28, 28)
    spec = background.BackgroundSpec("FC10", sigma_max=1.0, studied=1, seed=0)
    table = background.overtake(spec, {}, attacked)
    assert table["leader"].tolist()[:4] == ["target", "original", "background", "original"]
    assert table["class"].tolist()[:3] == [4, 7, 2]


@pytest.mark.parametrize(
    "name",
    [
        "trained",
        "attacked",
        "measured",
        "curved",
        "mirrored",
        "varied",
        "gammas",
        "balls",
        "overtaken",
        "lengths",
    ],
)
def test_plan_depends_on_its_numbers_and_nothing_else(name: str) -> None:
    item = getattr(study, name)
    spec = profiles.persistence("smoke")
    assert item(spec).digest == item(profiles.persistence("smoke")).digest
    assert item(spec).digest != item(profiles.persistence("smoke", seed=1)).digest
