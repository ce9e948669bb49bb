"""Table 1: its networks, depths, rows and command line, on cases whose answers are known."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models import networks
from neighborhoods.store import Store
from neighborhoods.studies.persistence import __main__ as command
from neighborhoods.studies.persistence import agreement, levels, rows, table, zoo
from torch import nn

SPEC = profiles.networks("smoke")


def test_zoo_is_the_table_of_the_draft() -> None:
    assert list(zoo.ENTRIES) == list(zoo.reported().index)
    for entry in zoo.ENTRIES.values():
        networks.build(entry.network)
    assert zoo.entry("C-64").convolutional
    assert not zoo.entry("FC10-2").convolutional


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="network is 'C-3'; it must be one of FC10-4, "):
        zoo.entry("C-3")


def test_rows_of_quick_have_the_sizes_of_the_draft() -> None:
    spec = profiles.networks("quick")
    for name in profiles.FULLY_CONNECTED:
        training = table.training(spec, name)
        assert (training.images, training.epochs, training.reading) == (60_000, 21, "units")
    assert table.training(spec, "C-8").epochs >= 5
    assert spec.pairs == 300
    assert set(profiles.networks("paper").networks) == set(zoo.ENTRIES)


def half_space() -> nn.Module:
    """Two logits whose difference is the first pixel minus one half."""
    layer = nn.Linear(784, 2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[1, 0] = 1.0
        layer.bias.copy_(torch.tensor([0.0, -0.5]))
    return nn.Sequential(nn.Flatten(), layer).requires_grad_(False)


def test_depths_before_a_flat_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "load", lambda *_: half_space())
    natural = torch.zeros(6, 1, 28, 28)
    points = natural.clone()
    points[:, 0, 0, 0] = 0.6
    attacked = {"natural": natural, "points": points, "target": torch.ones(6, dtype=torch.int64)}
    attacked["success"] = torch.tensor([True] * 5 + [False])
    spec = levels.LevelsSpec("FC10", 0.7, 1024, 5, distortion=0.9 / 28, margin=0.2, seed=0)
    found = levels.measure(spec, {}, attacked)
    depth = found[found["side"] == "adversarial"].groupby("level")["depth"].first()
    assert depth["minimum"] == pytest.approx(0.1, abs=1e-6)
    assert depth["draft"] == pytest.approx(0.4, abs=1e-6)
    assert depth["margin"] == pytest.approx(min(step for step in levels.DEPTHS if step >= 0.2))
    near = found[found["level"] != "natural"]
    assert near["keeps"].all()
    ratio = (near["sigma"] / near["distance"]).to_numpy()
    assert ratio == pytest.approx(np.full(len(ratio), 1.9069), rel=0.1)
    assert set(near.groupby(["level", "pair"]).size()) == {2}


def test_level_out_of_reach_keeps_a_failed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "load", lambda *_: half_space())
    natural = torch.zeros(1, 1, 28, 28)
    points = natural.clone()
    points[:, 0, 0, 0] = 0.6
    attacked = {"natural": natural, "points": points, "target": torch.ones(1, dtype=torch.int64)}
    attacked["success"] = torch.tensor([True])
    spec = levels.LevelsSpec("FC10", 0.7, 64, 1, distortion=0.1 / 28, margin=1e6, seed=0)
    found = levels.measure(spec, {}, attacked).set_index(["level", "side"])["status"]
    assert found["draft", "adversarial"] == "failed"
    assert found["margin", "adversarial"] == "failed"


def measured(sigma: list[float], partner: list[float]) -> pd.DataFrame:
    """Rows of every level, all with the same persistence."""
    tables = []
    for level in rows.LEVELS:
        for side, values in (("adversarial", sigma), ("natural", partner)):
            if (level, side) != ("natural", "adversarial"):
                columns = {"pair": range(len(values)), "sigma": values, "level": level, "side": side}
                tables.append(pd.DataFrame(columns))
    joined = pd.concat(tables, ignore_index=True)
    return joined.assign(depth=2.0, distance=1.0, keeps=True, status="converged")


def test_row_has_medians_and_says_how_many_are_infinite() -> None:
    trained = {"history/loss": torch.zeros(21), "history/accuracy": torch.tensor(0.5)}
    attacked = {"success": torch.tensor([True, False]), "distortion": torch.tensor([0.25, 9.0])}
    partner = [2.0, 4.0, 4.0, 8.0, math.inf]
    row = rows.summarise(
        rows.RowSpec("C-2", 0), trained, attacked, measured([1.0, 2.0, 2.0, 4.0, 9.0], partner)
    ).set_index("level")
    assert row.loc["natural", ["epochs", "accuracy", "success", "distortion"]].tolist() == [
        21,
        50.0,
        0.5,
        0.25,
    ]
    assert row.loc["natural", ["sigma", "mean", "censored"]].tolist() == pytest.approx([4.0, 4.5, 0.2])
    assert row.loc["draft", ["sigma", "ratio", "natural_ratio"]].tolist() == [2.0, 2.0, 4.0]
    assert row.loc["draft", ["quotient", "quotient_low"]].tolist() == [0.5, 0.0]
    few = rows.summarise(rows.RowSpec("C-2", 0), trained, attacked, measured([1.0] * 4, [1.0] * 4))
    assert few["sigma"].isna().all()


def test_quotient_is_that_of_pairs() -> None:
    trained = {"history/loss": torch.zeros(1), "history/accuracy": torch.tensor(0.5)}
    attacked = {"success": torch.tensor([True]), "distortion": torch.tensor([0.25])}
    own = [1.0, 2.0, 3.0, 4.0, 5.0]
    row = rows.summarise(rows.RowSpec("C-2", 0), trained, attacked, measured(own, [2 * v for v in own]))
    assert (
        row.set_index("level").loc["margin", ["quotient", "quotient_low", "quotient_high"]].tolist()
        == [0.5] * 3
    )


def test_networks_without_a_row_are_not_run() -> None:
    empty = pd.DataFrame(columns=["network", "level"])
    printed = table.beside(empty, zoo.reported())
    assert len(printed) == 14
    assert printed.loc["C-512", "accuracy %"] == "not run (99.22)"


def test_command_stops_in_time_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "default_store", lambda: Store(tmp_path / "store"))
    small = profiles.NetworksSpec(("FC10-4",), 500, 4, 1, pairs=6, samples=64)
    monkeypatch.setitem(profiles.NETWORKS, "smoke", small)
    order = ["--profile", "smoke", "--only", "FC10-4", "--out", str(tmp_path / "out")]
    assert command.main([*order, "--minutes", "0"]) == 0
    assert "out of time at FC10-4" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert command.main(order) == 0
    row = pd.read_csv(tmp_path / "out" / "FC10-4.csv")
    assert row["level"].tolist() == list(rows.LEVELS)
    assert table.computed_at_full_size(small, tmp_path / "out")["network"].unique().tolist() == ["FC10-4"]
    assert table.kept(replace(small, gamma=0.9), tmp_path / "out") == []
    measured = table.measurements(Store(tmp_path / "other"), small, tmp_path / "out")
    assert set(measured["network"]) == {"FC10-4"}
    manifest = json.loads((tmp_path / "out" / "FC10-4.json").read_text())
    assert manifest["training"]["spec"]["epochs"] == 4


def test_tf32_is_used_where_labels_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "default_store", lambda: Store(tmp_path / "store"))
    monkeypatch.setattr(table, "COMPARED", 100)
    small = profiles.NetworksSpec(("FC10-4", "C-2"), 300, 1, 1, pairs=4, samples=16, convolutional_samples=16)
    monkeypatch.setitem(profiles.NETWORKS, "smoke", small)
    order = ["--profile", "smoke", "--device", "cpu", "--tf32", "--out", str(tmp_path / "out")]
    assert command.main(order) == 0
    compared = pd.read_csv(tmp_path / "out" / "C-2.precision.csv").iloc[0]
    assert compared[["labels", "agreement"]].tolist() == [300, 1.0]  # on a CPU both are the same
    assert 0.98 < compared["low"] < 1
    assert not (tmp_path / "out" / "FC10-4.precision.csv").exists()
    assert len(table.computed_at_full_size(small, tmp_path / "out")) == 2 * len(rows.LEVELS)


@pytest.mark.parametrize(("share", "allowed"), [(0.998, True), (0.9979, False)])
def test_tf32_asks_for_agreement(share: float, allowed: bool) -> None:
    assert agreement.sufficient(pd.DataFrame({"agreement": [share]})) is allowed
    assert not agreement.sufficient(None)


def test_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--only", "C-5", "--out", "nowhere"]) == 2
    assert "network is 'C-5'; it must be one of" in capsys.readouterr().err


def test_rows_at_full_size_come_first_and_order_is_that_of_table_1() -> None:
    full = pd.DataFrame({"network": ["C-2"], "epochs": [21], "ratio": [1.0], "natural_ratio": [1.0]})
    computed = pd.DataFrame({"network": ["C-2", "FC10-0"], "epochs": [5, 21]})
    rows = table.together(full, computed)
    assert rows["network"].tolist() == ["FC10-0", "C-2"]
    assert rows["epochs"].tolist() == [21, 21]


def test_depths_print_medians_of_both_sides() -> None:
    trained = {"history/loss": torch.zeros(21), "history/accuracy": torch.tensor(0.5)}
    attacked = {"success": torch.tensor([True]), "distortion": torch.tensor([0.25])}
    own = [1.0, 2.0, 3.0, 4.0, 5.0]
    levels_of = measured(own, [2 * value for value in own]).assign(network="C-2", distance=0.5)
    row = rows.summarise(rows.RowSpec("C-2", 0), trained, attacked, levels_of)
    printed = table.depths(levels_of, row)
    assert printed.index.tolist() == [("C-2", name) for name in table.DEPTHS.values()]
    first = printed.iloc[0]
    assert first[["d", "σ* adversary", "σ* partner"]].tolist() == ["0.5", "3", "6"]
    assert first[["σ*/d adversary", "σ*/d partner"]].tolist() == ["6.00", "12.00"]
    assert first["quotient"] == "0.50 [0.50, 0.50]"
    again = table.again(row, row.assign(epochs=5)).loc["C-2"]
    assert again[["kept: epochs", "here: epochs"]].tolist() == ["21", "5"]
    assert again["here: quotient (c)"] == again["kept: quotient (c)"] == "0.50 [0.50, 0.50]"


@pytest.mark.parametrize("side", ["adversarial", "natural"])
def test_there_is_no_quotient_of_what_was_not_seen(side: str) -> None:
    trained = {"history/loss": torch.zeros(21), "history/accuracy": torch.tensor(0.5)}
    attacked = {"success": torch.tensor([True]), "distortion": torch.tensor([0.25])}
    seen, unseen = [1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.0, 0.0, 4.0, 5.0]
    sides = (unseen, seen) if side == "adversarial" else (seen, unseen)
    levels_of = measured(*sides).assign(network="C-2", distance=0.5)
    row = rows.summarise(rows.RowSpec("C-2", 0), trained, attacked, levels_of)
    together = table.together(row, row[:0])
    assert together.loc[together["level"] == "margin", table.QUOTIENT].isna().all(axis=None)
    assert table.depths(levels_of, together).iloc[-1]["quotient"] == table.MISSING
    assert table.beside(together, zoo.reported()).loc["C-2"].iloc[-1].endswith(table.MISSING)


def test_kept_rows_are_those_of_the_paper_profile() -> None:
    full = table.computed_at_full_size(profiles.networks("paper"), table.RESULTS)
    assert set(full["epochs"]) == {21}
    assert set(full["network"]) <= set(zoo.ENTRIES)
    for name in full["network"].unique():
        manifest = json.loads((table.RESULTS / f"{name}.json").read_text())
        assert manifest["training"]["spec"]["images"] == 60_000
        assert manifest["attack"]["spec"]["pairs"] == 300
        assert not manifest["row"]["dirty"]
