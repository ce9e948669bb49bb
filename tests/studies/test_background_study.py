"""The comparison of attacks: its plan, its rows and its summaries, on cases whose answers are known."""

import inspect
import math

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.models import networks
from neighborhoods.studies import background as study
from neighborhoods.studies.background import attacks, peers, summary
from neighborhoods.studies.persistence import table
from torch import nn

SPEC = profiles.background("smoke")


def half_spaces() -> nn.Sequential:
    """Ten logits, each a pixel of its own times ten: class k where pixel k is the brightest."""
    layer = nn.Linear(784, 10)
    with torch.no_grad():
        layer.weight.copy_(10 * torch.eye(10, 784))
        layer.bias.zero_()
    return nn.Sequential(nn.Flatten(), layer).eval().requires_grad_(False)


def digits(classes: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """An image for each class, its own pixel at 0.6 and the others at 0.2."""
    points = torch.full((len(classes), 1, 28, 28), 0.2)
    for row, label in enumerate(classes):
        points[row, 0, 0, label] = 0.6
    return points, torch.tensor(classes)


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    points, labels = digits([0, 1, 2, 3])
    monkeypatch.setattr(attacks, "load", lambda *_: half_spaces())
    monkeypatch.setattr(attacks, "sources", lambda *_: (points, labels, torch.tensor([7, 8, 9, 10])))


def spec_of(source: str, method: str, **settings: float) -> attacks.AttackedSpec:
    return attacks.AttackedSpec("FC10", source, method, tuple(settings.items()), 4, 0, "")


def test_the_network_is_that_of_table_1() -> None:
    networks_spec = profiles.networks("quick")
    item = study.trained("quick", profiles.background("quick"))
    assert item.digest == table.trained(networks_spec, "FC200-200-10").digest


def test_the_plan_has_every_attack_of_the_book() -> None:
    names = [numbers.name for numbers in study.plan(SPEC)]
    assert len(set(names)) == len(names) == 14
    assert {"FGSM, ours", "IGSM, ours", "CW, ours", "JSMA, torchattacks", "DDN, foolbox"} <= set(names)
    versions = {numbers.source: numbers.version for numbers in study.plan(SPEC)}
    assert versions == {"ours": "", "torchattacks": "3.5.1", "foolbox": "3.3.4"}
    assert "epsilon 0.25, alpha 0.01, steps 100" in {numbers.text for numbers in study.plan(SPEC)}


def test_settings_of_least_distance_are_those_of_the_kernel() -> None:
    kernel = inspect.signature(minimum_distortion).parameters
    names = ("rounds", "iterations", "refinements")
    assert ", ".join(f"{name} {kernel[name].default}" for name in names) == study.DEFAULTS


def test_quick_has_the_sizes_of_the_draft() -> None:
    spec = profiles.background("quick")
    assert (spec.network, 9 * spec.counted, spec.sources) == ("FC200-200-10", 900, 300)


@pytest.mark.usefixtures("simple")
def test_least_distances_are_those_of_the_half_spaces() -> None:
    """Both pixels meet at their mean: the step is 0.4/√2 long, towards any class."""
    nine = attacks.everywhere(attacks.EverywhereSpec("FC10", 4, 0), {})
    assert (len(nine), nine["success"].all()) == (36, True)
    assert nine["distortion"].to_numpy() == pytest.approx(np.full(36, 0.4 / math.sqrt(2) / 28), rel=1e-3)
    both = attacks.of_nine(nine, 0)
    assert both.groupby("attack").size().to_dict() == {"L-BFGS": 4, "L-BFGS, nearest of nine": 4}
    drawn = both[both["attack"] == "L-BFGS"].sort_values("image")["target"].tolist()
    assert drawn == attacks.targets(torch.tensor([0, 1, 2, 3]), 0).tolist()
    assert set(both.loc[both["goal"] == "untargeted", "target"]) == {-1}


def test_the_nearest_of_nine_is_the_nearest_success() -> None:
    nine = pd.DataFrame({"image": 5, "label": 0, "target": range(1, 10), "goal": "targeted"})
    nine["distortion"] = [0.3, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    nine["success"] = [True, False, True, True, True, True, True, True, True]
    nearest = attacks.of_nine(nine, 0)
    assert nearest.loc[nearest["goal"] == "untargeted", "distortion"].tolist() == [0.2]


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize(
    "numbers",
    [
        spec_of("ours", "CW", rounds=4, steps=60),
        spec_of("ours", attacks.MANY, starts=2),
        spec_of("torchattacks", "DeepFool", steps=5, overshoot=0.02),
        spec_of("foolbox", "DDN", steps=60),
        spec_of("foolbox", "FMN", steps=60, max_stepsize=0.1),
        spec_of("foolbox", "C&W", steps=60, binary_search_steps=3, stepsize=0.1, initial_const=0.1),
    ],
    ids=lambda numbers: numbers.name,
)
def test_attacks_of_least_distance_come_close_to_it(numbers: attacks.AttackedSpec) -> None:
    rows = attacks.attack(numbers, {})
    assert rows["success"].all()
    assert (rows["status"] == "converged").all()
    assert rows["goal"].unique().tolist() == ["untargeted" if numbers.method == "DeepFool" else "targeted"]
    exact = 0.4 / math.sqrt(2) / 28
    assert rows["distortion"].between(exact * (1 - 1e-5), exact * 1.1).all()


@pytest.mark.usefixtures("simple")
def test_signs_move_every_pixel_that_has_a_gradient() -> None:
    """The two pixels of label and target by the radius, the eight others down to 0."""
    rows = attacks.attack(spec_of("ours", "FGSM", epsilon=0.25), {})
    assert rows["success"].all()
    exact = math.sqrt((2 * 0.25**2 + 8 * 0.2**2) / 784)
    assert rows["distortion"].to_numpy() == pytest.approx(np.full(4, exact), rel=1e-5)
    weak = attacks.attack(spec_of("torchattacks", "BIM", epsilon=0.1, alpha=0.05, steps=4), {})
    assert weak["status"].tolist() == ["failed"] * 4
    assert not weak["success"].any()


def test_foolbox_wants_classes_to_reach() -> None:
    with pytest.raises(ValueError, match="targets: got None; required the classes"):
        peers.nearest("DDN", networks.build("FC10"), torch.zeros(1, 1, 28, 28), None)


def made_rows(attack: str, success: list[bool], distortion: list[float]) -> pd.DataFrame:
    named = {"attack": attack, "goal": "targeted", "settings": "", "status": "failed"}
    return pd.DataFrame({"image": range(len(success)), "success": success, "distortion": distortion}).assign(
        **named
    )


def test_a_line_counts_failures_and_measures_successes() -> None:
    rows = made_rows("a", [True] * 8 + [False] * 2, [*np.arange(1.0, 9.0), 100.0, 100.0])
    [line] = summary.summarise(rows, 0).to_dict("records")
    assert (line["images"], line["success"], line["mean"], line["median"]) == (10, 0.8, 4.5, 4.5)
    assert line["success_low"] < 0.8 < line["success_high"]
    assert line["mean_low"] < 4.5 < line["mean_high"]
    assert (line["median_low"], line["median_high"]) == (1.0, 8.0), "the ranks for eight at 95 %"
    printed = summary.printed(summary.summarise(rows, 0))
    assert printed.loc["a", "success %"].startswith("80.0 (")


def test_few_successes_have_no_interval() -> None:
    [line] = summary.summarise(made_rows("a", [True] * 5, [1.0] * 5), 0).to_dict("records")
    assert math.isnan(line["mean_low"])
    assert math.isnan(line["median_high"])


def test_pairs_are_compared_where_both_succeed() -> None:
    mine = made_rows("mine", [True] * 8 + [False], [1.0] * 9)
    theirs = made_rows("theirs", [True] * 7 + [False, True], [1.1] * 6 + [0.9] * 3)
    [pair] = summary.beside(pd.concat([mine, theirs]), "mine", ["theirs"], 0).to_dict("records")
    assert (pair["images"], pair["missed"]) == (7, 2)
    assert pair["excess"] == pytest.approx((6 * 0.1 - 0.1) / 7)
    assert pair["excess_low"] < pair["excess"] < pair["excess_high"]
    assert pair["nearer"] == pytest.approx(6 / 7)


def test_the_exact_median_interval_covers() -> None:
    """At 95 % confidence: of 2000 samples at least 1856 have to, but for one time in a thousand."""
    draws = np.random.default_rng(0).exponential(size=(2000, 15))
    ends = [summary.median_interval(row) for row in draws]
    covered = sum(low <= math.log(2) <= high for low, high in ends)
    assert covered >= 1856
