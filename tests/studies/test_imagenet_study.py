"""The ImageNet study on a flat boundary, where every number is known, and its tables on rows made by hand."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models import pretrained
from neighborhoods.models.pretrained import Pretrained
from neighborhoods.store import Item, Store
from neighborhoods.studies import command as study_command
from neighborhoods.studies import imagenet as study
from neighborhoods.studies.imagenet import __main__ as command
from neighborhoods.studies.imagenet import adversaries, kept, least, lines, measure, subjects, summary
from PIL import Image
from torch import nn

SIDE, DISTANCE, FLAT = 32, 0.5, 1.9069
SMALL = replace(
    profiles.IMAGENET["smoke"], methods=("BIM", "CW"), samples=128, line_samples=128, cw_rounds=4, cw_steps=40
)


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> profiles.ImagenetSpec:
    """Two photographs of class 0, the first at a known distance before a flat boundary, under one network."""
    pixels = np.random.default_rng(0).integers(60, 190, (2, SIDE, SIDE, 3), dtype=np.uint8)
    (tmp_path / "photographs").mkdir()
    for name, values in zip("ab", pixels, strict=True):
        Image.fromarray(values).save(tmp_path / "photographs" / f"{name}_0.png")
    x = torch.from_numpy(pixels / 255).float().permute(0, 3, 1, 2).flatten(1)
    normal = torch.nn.functional.normalize(
        torch.randn(x.shape[1], generator=torch.Generator().manual_seed(1)), dim=0
    )
    layer = nn.Linear(x.shape[1], 2).requires_grad_(False)
    layer.weight.copy_(torch.stack([-normal, normal]) / 2)
    layer.bias.copy_(torch.tensor([0.5, -0.5]) * (x @ normal).max() + torch.tensor([0.5, -0.5]) * DISTANCE)
    flat = Pretrained("squeezenet", nn.Sequential(nn.Flatten(), layer), SIDE, SIDE, False, ("low", "high"))
    monkeypatch.setattr(subjects.pretrained, "load", lambda *_, **__: flat)
    subjects._network.cache_clear()
    return replace(SMALL, images=str(tmp_path / "photographs"))


@pytest.fixture(autouse=True)
def _fresh() -> object:
    yield
    subjects._network.cache_clear()


def computed(item: Item[Any]) -> Any:
    """Compute an item and its parents without a store."""
    return item.compute(item.spec, *(computed(parent) for parent in item.parents))


def test_both_sides_of_a_flat_boundary_have_its_slope(spec: profiles.ImagenetSpec) -> None:
    image = study.attackable(subjects.choose(study.subject(spec, "squeezenet")), 1)[0]
    for method in ("BIM", "CW"):
        rows = computed(study.paired(spec, study.subject(spec, "squeezenet"), method, image))
        own, partner = rows.iloc[0], rows.iloc[1]
        assert (own["side"], partner["keeps"]) == ("adversarial", True)
        assert partner["side"] == (
            "adversarial partner" if own["depth"] > own["reach"] else "natural partner"
        )
        assert own["sigma"] == pytest.approx(FLAT * own["depth"] * own["cosine"], rel=0.1)
        lesser = min(own["depth"], own["reach"]) * own["cosine"]
        assert partner["sigma"] == pytest.approx(FLAT * lesser, rel=0.1)
        assert own["takeover"] in (-1, 0)


def test_photographs_have_the_persistence_of_their_distance(spec: profiles.ImagenetSpec) -> None:
    table = subjects.choose(study.subject(spec, "squeezenet"))
    found = measure.naturals(study.natural(spec, "squeezenet", table).spec)  # type: ignore[arg-type]
    assert len(found) == 1 and found["status"].tolist() == ["converged"]
    nearest = measure.naturals(
        measure.NaturalSpec(study.subject(spec, "squeezenet"), (0, 1), measure.Measure(0.7, 128, 1e-3))
    )
    assert nearest["sigma"].min() == pytest.approx(FLAT * DISTANCE, rel=0.1)


def test_persistence_along_a_line_is_least_at_the_boundary(
    spec: profiles.ImagenetSpec, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    aim = replace(study.aim(spec, store, study.Shown("first", 0, "BIM", 1)))
    rows = lines.measure(lines.LineSpec(aim, 5, (0.7, 0.9), 128, 1e-3), adversaries.attack(aim))
    assert rows.groupby("gamma").size().tolist() == [5, 5]
    at = summary.slopes(rows, 0.7)
    cosine = at["slope"] / FLAT
    assert at["side"].nunique() == 2 and cosine.max() < 1.1 and cosine.std() < 0.1 * cosine.mean()
    assert summary.spread(rows).median() == pytest.approx(1.9069 / 0.7803, rel=0.1)


def test_a_failed_attack_keeps_its_row(spec: profiles.ImagenetSpec) -> None:
    of = study.subject(spec, "squeezenet")
    far = replace(study.paired(spec, of, "FGSM", 0).spec, sigma_max=1.0)  # type: ignore[type-var]
    weak = replace(far, aim=replace(far.aim, settings=(("epsilon", 1e-4),)))
    rows = measure.pairs(weak, adversaries.attack(weak.aim))
    assert rows["status"].tolist() == ["failed"] and rows["target"].tolist() == [1]


def test_a_line_to_a_class_that_is_not_reached_is_named(spec: profiles.ImagenetSpec, tmp_path: Path) -> None:
    aim = study.aim(spec, Store(tmp_path / "store"), study.Shown("first", 0, "FGSM", 1))
    weak = replace(aim, settings=(("epsilon", 1e-4),))
    with pytest.raises(ValueError, match=r"images: FGSM does not lead photograph . to class 1"):
        lines.measure(lines.LineSpec(weak, 3, (0.7,), 16, 1e-3), adversaries.attack(weak))


def test_classes_drawn_are_other_ones_and_the_same_each_time(spec: profiles.ImagenetSpec) -> None:
    of = study.subject(spec, "squeezenet")
    assert subjects.other_classes(of, 0, 5).tolist() == [1]
    assert subjects.other_classes(of, 0, 5).equal(subjects.other_classes(of, 0, 5))


def test_another_photograph_is_another_subject(spec: profiles.ImagenetSpec) -> None:
    before = study.subject(spec, "squeezenet")
    Image.new("RGB", (SIDE, SIDE)).save(Path(spec.images) / "c_0.png")
    assert study.subject(spec, "squeezenet") != before


def test_a_folder_without_a_photograph_that_is_classified_correctly_is_named() -> None:
    table = pd.DataFrame({"image": [0], "predicted": [1], "label": [0]})
    with pytest.raises(ValueError, match="images: none of 1 is classified correctly"):
        study.attackable(table, 1)


def test_command_stops_in_time_goes_on_and_merges(
    spec: profiles.ImagenetSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After each of three calls the tables hold what is finished: nothing, the first targets, all of them."""
    two = replace(spec, networks=("squeezenet", "vgg16"), targets=2, part=1, least=1)
    monkeypatch.setattr(command, "default_store", lambda: Store(tmp_path / "store"))
    monkeypatch.setattr(
        subjects, "other_classes", lambda *_: torch.tensor([1, 1])
    )  # there are but two classes
    only = study.Shown("first", 0, "BIM", 1)
    monkeypatch.setattr(study, "LINES", (only,))
    monkeypatch.setattr(study, "CURVES", ((only, ("natural",)),))
    monkeypatch.setattr(least, "other_classes", lambda *_: torch.tensor([1, 1]))
    monkeypatch.setitem(profiles.IMAGENET, "smoke", two)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    out = tmp_path / "out"
    order = ["--profile", "smoke", "--images", spec.images, "--device", "cpu", "--out", str(out)]
    assert command.main([*order, "--minutes", "0"]) == 0
    told = capsys.readouterr().err
    assert "out of time at photographs" in told and "left out: vgg16-397923af.pth" in told
    assert not out.exists()
    clock = iter([0.0, *[1.0] * 3, *[100.0] * 100])  # the photographs and one turn: two pieces
    with monkeypatch.context() as patched:
        patched.setattr(study_command.time, "monotonic", lambda: next(clock))
        assert command.main([*order, "--minutes", "1"]) == 0
    partial = pd.read_csv(out / "table_2.csv").set_index("method")
    assert partial["pairs"].to_dict() == {"BIM": 1, "CW": 1, "all": 2}
    assert partial["planned"].to_dict() == {"BIM": 2, "CW": 2, "all": 4}
    assert not (out / "squeezenet.least.csv").exists() and not (out / "lines.csv").exists()
    assert command.main(order) == 0
    whole = pd.read_csv(out / "table_2.csv")
    assert whole["pairs"].tolist() == whole["planned"].tolist() == [2, 2, 4]
    told = json.loads((out / "squeezenet.json").read_text())
    assert (told["planned"], told["attacked"]) == (4, 4) and kept.planned(out) == {"squeezenet": 4}
    assert {"naturals", "attack", "pairs"} == {name.partition("-")[0] for name in told["items"]}
    assert len(pd.read_csv(out / "lines.csv")) and len(pd.read_csv(out / "squeezenet.least.csv")) == 1


def test_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "resnet", "--out", "nowhere"]) == 2
    assert "network is 'resnet'; it must be one of" in capsys.readouterr().err


def rows_by_hand() -> pd.DataFrame:
    """Two adversaries of one photograph, one of another, and a failure."""
    common = {"network": "n", "method": "BIM", "label": 3, "status": "converged"}
    common |= {"natural": 0.4, "natural_low": 0.3, "natural_high": 0.5}
    own = common | {"side": "adversarial", "low": 0.1, "high": 0.3, "cosine": 0.5}
    deep = {"image": 0, "target": 1, "distortion": 0.02, "depth": 3.0, "reach": 1.0}
    flat = {"image": 0, "target": 2, "distortion": 0.04, "depth": 1.0, "reach": 3.0}
    rows = [
        own | deep | {"sigma": 0.2, "takeover": 3, "original": True},
        common | deep | {"side": "adversarial partner", "sigma": 0.1, "keeps": True},
        own | flat | {"sigma": 0.8, "takeover": 7, "original": False},
        common | flat | {"side": "natural partner", "sigma": 0.2, "keeps": False},
        common | {"image": 1, "target": 1, "side": "adversarial", "status": "failed", "distortion": 0.5},
    ]
    return pd.DataFrame(rows)


def test_adversaries_are_compared_at_equal_depth() -> None:
    table = summary.compared(rows_by_hand()).set_index("target")
    assert table.loc[1, ["equal", "inner", "outer", "kept"]].tolist() == [0.5, 0.1, 0.4, True]
    assert table.loc[2, ["equal", "inner", "outer", "kept"]].tolist() == [0.5, 0.8, 0.2, False]


def test_table_2_counts_failures_and_averages_successes() -> None:
    row = summary.table_2(rows_by_hand()).set_index("method").loc["all"]
    assert row[["pairs", "success"]].tolist() == [3, 2]
    assert row[["distortion", "adversarial", "natural", "depth"]].tolist() == pytest.approx(
        [0.03, 0.5, 0.4, 2.0]
    )
    printed = summary.printed(summary.table_2(rows_by_hand()[4:]))
    assert printed["σ* adversarial"].tolist() == ["–", "–"]


def test_shares_and_quotients() -> None:
    table = summary.compared(rows_by_hand())
    found = summary.less(table, "adversarial", "natural")
    assert (found["count"], found["pairs"], found["share"]) == (1, 2, 0.5)
    assert found["low"] == pytest.approx(1 - math.sqrt(0.975)) and found["high"] == pytest.approx(
        math.sqrt(0.975)
    )
    middle, low, high = summary.quotient(table, "adversarial", "natural", 0)
    assert middle == 1.25 and math.isnan(low) and math.isnan(high), "one photograph has no interval"
    many = pd.concat([table.assign(image=image) for image in range(6)])
    assert summary.quotient(many, "adversarial", "natural", 0) == (1.25, 1.25, 1.25)


def test_takeovers_tell_background_from_original() -> None:
    found = summary.takeovers(summary.compared(rows_by_hand()))
    assert (found["count"], found["pairs"], found["returns"]) == (1, 2, 0.5)


def test_kept_rows_are_whole_and_what_did_not_run_is_said() -> None:
    paper = profiles.imagenet("paper")
    table = kept.table_2(kept.RESULTS, paper.networks, paper.methods)
    assert table.groupby("network", sort=False).size().to_dict() == dict.fromkeys(paper.networks, 7)
    printed = summary.printed(table)["reached"]
    assert printed["vgg16"].unique().tolist() == ["not run"]
    assert printed["squeezenet", "all"] == "89 of 126 (2352 planned)"
    again = summary.table_2(kept.read(kept.RESULTS)).set_index(["network", "method"])
    ran = table.dropna(subset="pairs").set_index(["network", "method"])
    assert again.loc[ran.index, "adversarial"].to_numpy() == pytest.approx(
        ran["adversarial"].to_numpy(), rel=1e-4, nan_ok=True
    )
    made = kept.manifests(kept.RESULTS)
    assert {each["sizes"]["gamma"] for each in made.values()} == {paper.gamma}
    rows = kept.read(kept.RESULTS).query("side == 'adversarial'").groupby("network").size()
    assert rows.to_dict() == {name: each["attacked"] for name, each in made.items()}


def test_changes_of_class_along_lines() -> None:
    line = pd.DataFrame({"place": [0.0, 0.5, 1.0], "class": [3, 4, 4], "sigma": [0.4, 0.1, 0.2]})
    line = line.assign(low=line["sigma"], high=line["sigma"], gamma=0.7, network="n", method="BIM")
    other = line.assign(method="PGD", **{"class": 5})
    found = summary.changes(pd.concat([line, other, line.assign(gamma=0.9)], ignore_index=True), 0.7)
    assert found[["method", "place", "class", "next_class"]].to_numpy().tolist() == [["BIM", 0.0, 3, 4]]
    assert found[["sigma", "next_sigma"]].to_numpy().tolist() == [[0.4, 0.1]]


def test_the_draft_s_table_is_the_printed_one() -> None:
    table = summary.reported().set_index(["network", "method"])
    assert table.loc[("vgg16", "all")].tolist() == [0.0154, 0.0146, 0.0011]
    assert len(table) == 8


def test_quick_and_paper_have_the_stated_sizes() -> None:
    quick, paper = profiles.imagenet("quick"), profiles.imagenet("paper")
    assert (quick.sigmas, quick.draws, quick.line, quick.samples, quick.least) == (16, 100, 11, 128, 6)
    assert quick.attacked * quick.targets == 3 and quick.methods == paper.methods == profiles.METHODS
    assert (paper.sigmas, paper.draws, paper.sigma_max, paper.samples, paper.least) == (
        100,
        100,
        2.0,
        256,
        112,
    )
    assert paper.targets == 28 and set(paper.networks) == set(pretrained.NAMES)
