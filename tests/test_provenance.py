"""The provenance page: every item behind a chapter, every recorded row, and the line under a figure."""

import json
from pathlib import Path
from typing import Any

from book import provenance

SOURCE = "```{code-cell} python\n:tags: [parameters]\n\nseed: int = 3  # of it\n```\n"


def manifest(**changes: Any) -> dict[str, Any]:
    good = {
        "compute": "neighborhoods.studies.x.measure", "spec": {}, "parents": [], "commit": "0123456789abcdef",
        "dirty": False, "versions": {"torch": "2"}, "seed": None, "device": "cpu", "seconds": 1.25,
        "made": "2026-11-23T14:37:31+00:00", "artifact": {"sha256": "f" * 64, "bytes": 7},
    }  # fmt: skip
    return good | changes


def chapter(**changes: Any) -> dict[str, Any]:
    spec = {"source": SOURCE, "profile": "quick", "parameters": [], "libraries": [["papermill", "2.6"]]}
    return manifest(spec=spec | changes)


def test_origins_are_all_that_an_item_was_made_from(tmp_path: Path) -> None:
    parents = {"c": ["b", "a"], "b": ["a"], "a": [], "other": []}
    for name, above in parents.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest(parents=above)))
    assert list(provenance.origins(tmp_path, ["c", "removed"])) == ["a", "b", "c"]


def test_the_line_names_profile_commit_seed_and_every_device() -> None:
    used = {"a": manifest(device="H100"), "b": manifest()}
    line = provenance.line(chapter(), used)
    assert line == {"profile": "quick", "commit": "0123456789", "seed": "3", "device": "H100, cpu"}
    assert provenance.line(chapter(parameters=[["seed", 8]]), {})["seed"] == "8"


def test_the_page_lists_every_item_and_every_recorded_row(tmp_path: Path) -> None:
    row = {"levels": manifest(seconds=254.6, device="card"), "training": manifest(dirty=True)}
    for folder, name, kept in [("results", "C-2", row), ("book", "two", chapter(profile="paper"))]:
        (tmp_path / folder / "paper").mkdir(parents=True)
        (tmp_path / folder / "paper" / f"{name}.json").write_text(json.dumps(kept))
    page = provenance.page({"one": chapter()}, {"one": {"measure-1": manifest(seed=5)}}, tmp_path)
    assert "| {doc}`one` | quick | its own | `0123456789` | 2026-11-23T14:37:31+00:00 | 1.2 | cpu |" in page
    assert (
        "| `measure-1` | `studies.x.measure` | 5 | `0123456789` | 2026-11-23T14:37:31+00:00 | 1.2 |" in page
    )
    assert "| {doc}`two` | paper | its own | `0123456789` | 2026-11-23T14:37:31+00:00 | 1.2 | cpu |" in page
    assert "| `C-2` | levels | `studies.x.measure` |  | `0123456789` |" in page
    assert "with changes" in page
    assert "Made with torch 2, papermill 2.6." in page


def test_recorded_rows_of_this_book_are_read(tmp_path: Path) -> None:
    root = Path(__file__).parents[1]
    page = provenance.page({"one": chapter()}, {}, root)
    kept = [json.loads(path.read_text()) for path in (root / "results" / "paper").rglob("*.json")]
    parts = [part for each in kept for part in each.get("items", each)]
    assert page.count("\n| `") == len(parts) > 0
