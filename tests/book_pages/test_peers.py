"""The page on other packages shows what was recorded, and rows whose package is missing say so."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RECORDED = {row["name"]: row for row in json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))}


@pytest.fixture
def tables() -> ModuleType:
    """The extension of Sphinx that makes the tables."""
    spec = importlib.util.spec_from_file_location("peer_tables", ROOT / "book" / "_ext" / "peer_tables.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def contests(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("contests")


def listed() -> list[tuple[str, str]]:
    """The rows and labels that the page asks for."""
    page = (ROOT / "book" / "peers.md").read_text("utf-8")
    bodies = re.findall(r"^```\{peer-table\}\n(?::[^\n]*\n)*(.*?)^```$", page, re.M | re.S)
    return [tuple(re.split(r"\s*\|\s*", line, maxsplit=1)) for body in bodies for line in body.splitlines()]


def made(ratios: tuple[float, float, float]) -> dict[str, Any]:
    low, middle, high = ratios
    spread = {"ratio_low": low, "ratio": middle, "ratio_high": high}
    times = {"ours_s": 0.05, "reference_s": 0.05 * middle}
    return {
        "name": "a/b",
        **spread,
        **times,
        "error": 0.25,
        "reference_error": 0.125,
        "threads": 1,
        "note": "sizes",
    }


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((2.0, 3.0, 4.0), "ours, 3 times (2 to 4)"),
        ((0.25, 0.5, 0.8), "**theirs**, 2 times (1.25 to 4)"),
        ((0.9, 1.0, 1.1), "neither (ratio 0.9 to 1.1)"),
    ],
)
def test_the_winner_is_named(tables: ModuleType, ratios: tuple[float, float, float], verdict: str) -> None:
    made_table = tables.table({"a/b": made(ratios)}, [("a/b", "B")], "a call", "error")
    assert f"| B | 50 | {50 * ratios[1]:.3g} | {verdict} | 0.25 | 0.125 |" in made_table
    assert "- B: sizes.\n" in made_table


def test_a_row_that_was_not_recorded_says_so(tables: ModuleType) -> None:
    assert f"| B | {tables.ABSENT} |" in tables.table({}, [("a/b", "B")], "a call", "error")


def test_a_line_without_a_label_is_refused(tables: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"required `name \| label`"):
        tables.named(["attacks/DDN"])


BUDGETS = {"path_kernel/gemm_fraction", "path_kernel/memory", "attacks/IGSM", "attacks/speed"}  # no contests


def test_the_page_lists_all_that_can_be_measured(contests: Any) -> None:
    names = [name for name, _ in listed()]
    assert len(names) == len(set(names))
    assert set(names) == set(importlib.import_module("opponents").PEERS) | (set(RECORDED) - BUDGETS)


def test_the_page_tells_what_was_recorded(tables: ModuleType) -> None:
    lines = tables.table(tables.recorded(), listed(), "a unit", "error").splitlines()
    for name, label in listed():
        (line,) = [line for line in lines if line.startswith(f"| {label} |")]
        if name in RECORDED:
            row = RECORDED[name]
            assert float(line.split("|")[2]) == pytest.approx(1e3 * row["ours_s"], rel=6e-3)
            assert float(line.split("|")[3]) == pytest.approx(1e3 * row["reference_s"], rel=6e-3)
            assert "**theirs**" in line if row["ratio_high"] < 1 else "**theirs**" not in line
        else:
            assert tables.ABSENT in line


def test_a_missing_package_is_said(contests: Any, capsys: pytest.CaptureFixture[str]) -> None:
    row = contests.Contest("a/b", "no_such_package", lambda: pytest.fail("it was measured"))
    assert list(contests.contest_rows([row], 1)) == []
    assert "not installed: no_such_package" in capsys.readouterr().out


def test_sides_that_disagree_stop_the_contest(contests: Any) -> None:
    def judge(ours: list[Any], theirs: list[Any]) -> tuple[float, float]:
        contests.require_close("outputs", abs(ours[0] - theirs[0]), 0.5)
        return 0.0, 0.0

    assert contests.hold("a/b", contests.Sides(float, lambda t: t + 0.5, judge, 1, ""), 1).threads >= 1
    with pytest.raises(contests.DisagreementError, match=r"differ by 1; at most 0\.5"):
        contests.hold("a/b", contests.Sides(float, lambda t: t + 1.0, judge, 1, ""), 1)


@pytest.mark.parametrize("module", ["geometry", "smoothing"])
def test_the_smallest_contests_agree(contests: Any, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    family = importlib.import_module(module)
    if module == "geometry":
        sides = [family.projections(family.nnls, 20, 1e-9), family.decisions(family.triangulated, 40, 3)]
    else:
        monkeypatch.setattr(family, "trained", lambda name: family.networks.build(name).eval())
        monkeypatch.setattr(family, "IMAGES", 4)
        sides = [family.sides("FC10", family.cohen)]
    for side in sides:
        assert contests.hold("a/b", side, 2).ratio > 0


def test_the_page_is_in_the_book(html: Path) -> None:
    shown = (html / "book" / "peers.html").read_text("utf-8")
    assert shown.count("<table") >= 10
    assert [label for _, label in listed() if label.replace("&", "&amp;") not in shown] == []
