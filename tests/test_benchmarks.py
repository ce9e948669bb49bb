"""The list of benchmarks can be read, and holds all that was recorded."""

import json
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


def test_every_recorded_row_can_be_measured_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", ["run.py", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(FOLDER / "run.py"), run_name="__main__")
    assert left.value.code == 0
    listed = capsys.readouterr().out
    recorded = [row["name"] for row in json.loads((FOLDER / "results.json").read_text("utf-8"))]
    assert len(recorded) > 10
    assert [name for name in recorded if name not in listed.replace("\n", "")] == []
