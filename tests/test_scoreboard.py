"""Values of other pages and of tables, and the scoreboard made of the inventory."""

from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from book import scoreboard
from book.glued import kept
from book.values import value

ROOT = Path(__file__).parents[1]
GLUED = {"flat": "1.90694", "many": "np.int64(12)", "none": "nan", "ever": "inf", "pixel share": "'a few'"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    cell = nbformat.v4.new_code_cell()
    for name, text in GLUED.items():
        entry = {"name": name, "mime_prefix": "application/papermill.record/"}
        data = {"application/papermill.record/text/plain": text}
        cell.outputs.append(nbformat.v4.new_output("display_data", data, metadata={"scrapbook": entry}))
    (tmp_path / "book" / "chapters").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "book" / "chapters" / "one.ipynb")
    (tmp_path / "t.csv").write_text("network,level,sigma\nC D,low,1.5\nA,low,0.25\nA,high,0.5\nB,low,0.75\n")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("one/flat:.2f", "1.91"),
        ("one/flat", "1.90694"),
        ("one/many:.0f", "12"),
        ("one/none:.2f", "–"),
        ("one/ever:.2f", "∞"),
        ("one/pixel share", "a few"),
        ("t.csv network=A level=high sigma:.1f", "0.5"),
        ("t.csv network=B sigma", "0.75"),
        ("t.csv network='C D' sigma", "1.5"),
    ],
)
def test_values_are_those_of_chapters_and_tables(project: Path, source: str, text: str) -> None:
    assert value(project, source) == text


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("two/flat", "no executed chapter 'two'"),
        ("one/flatt", "one glues ever, flat, many, none, pixel share"),
        ("one/pixel share:.1f", "could not convert"),
        ("t.csv network=A sigma", "names 2"),
        ("t.csv network=C sigma", "names 0"),
        ("t.csv net=A sigma", "the columns are network, level, sigma"),
        ("t.csv network=B sigmas", "the columns are network, level, sigma"),
        ("u.csv network=B sigma", "there is no table"),
    ],
)
def test_sources_that_name_no_value_are_refused(project: Path, source: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        value(project, source)


def row(**changes: Any) -> scoreboard.Row:
    return {
        "id": "fig-03", "kind": "figure", "chapter": "background", "what": "histogram",
        "page": "chapters/background", "label": "fig-03", "verdict": "reproduced", "why": "It is.", **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "kind", "name"),
    [
        ("def-4-1", "definition", "Definition 4.1"),
        ("fig-03", "figure", "Figure 3"),
        ("stub-18", "open", "Section 18"),
        ("fig-31-raw", "figure", "Figure"),
        ("eq-fgsm", "equation", "Equation"),
        ("gp", "result", "Result"),
    ],
)
def test_items_have_the_draft_s_names(label: str, kind: str, name: str) -> None:
    assert scoreboard.name(row(id=label, kind=kind)) == name


def test_a_line_has_link_verdict_reason_and_values() -> None:
    entry = {
        "of": "mean",
        "in": "%",
        "as": ".1f",
        "draft": "t.csv a=b c",
        "ours": ["one/m", "one/l", "one/h"],
    }
    made = scoreboard.board([row(values=[entry, {"of": "range", "paper": ["one/l", "one/h"]}])], "background")
    assert "* - {ref}`Figure 3 <fig-03>`: histogram\n  - **reproduced**. It is.\n\n    - mean: draft" in made
    assert (
        "    - mean: draft {value}`t.csv a=b c:.1f` %; "
        "here {value}`one/m:.1f` ({value}`one/l:.1f` to {value}`one/h:.1f`) %\n"
        "    - range: profile `paper` {value}`one/l` to {value}`one/h`\n"
    ) in made


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ({"ours": "one/m"}, "here {value}`one/m`; profile `paper` {value}`book/paper/one.csv key=m value`\n"),
        (
            {"ours": ["one/m", "one/h"], "as": ".1f"},
            "profile `paper` {value}`book/paper/one.csv key=m value:.1f` to",
        ),
        ({"ours": ["one/m", "one/other"]}, "here {value}`one/m` to {value}`one/other`\n"),
        ({"ours": "one/two words"}, "profile `paper` {value}`book/paper/one.csv key='two words' value`\n"),
        ({"ours": "one/m", "paper": "t.csv a=b c"}, "profile `paper` {value}`t.csv a=b c`\n"),
    ],
)
def test_values_kept_at_full_size_stand_beside_those_of_this_copy(entry: Any, shown: str) -> None:
    sources = {"one/m", "one/h", "one/two words"}
    made = scoreboard.board([row(values=[{"of": "it", **entry}])], "background", sources)
    assert shown in made


def test_items_without_a_page_have_no_link_and_boxes_their_own() -> None:
    made = scoreboard.board(
        [row(id="stub-18", page=""), row(id="def-1-1", label="def-1-1", kind="definition")], "background"
    )
    assert "* - Section 18: histogram" in made
    assert "* - {prf:ref}`Definition 1.1 <def-1-1>`: histogram" in made


def test_a_chapter_without_items_is_refused() -> None:
    with pytest.raises(ValueError, match="chapter is 'backgrounds'; it must be one of background"):
        scoreboard.board([row()], "backgrounds")


def test_totals_count_every_item_once() -> None:
    made = scoreboard.totals([row(), row(), row(verdict="open")])
    assert made == (
        "Of 3 items of the draft, **2** reproduced, **0** extended, **0** corrected, **0** not reproduced "
        "and **1** open.\n"
    )


def test_every_source_in_a_table_is_there() -> None:
    items = scoreboard.rows((ROOT / "book" / "inventory.yml").read_text("utf-8"))
    ends = [
        entry[end]
        for item in items
        for entry in item.get("values", [])
        for end in scoreboard.ENDS
        if end in entry
    ]
    sources = [source for end in ends for source in ([end] if isinstance(end, str) else end)]
    tables = [source for source in sources if ".csv " in source]
    assert len(tables) > 10
    assert [source for source in tables if not value(ROOT, source)] == []


def test_chapters_kept_at_full_size_glue_what_the_chapters_glue_now() -> None:
    tables = kept(ROOT)
    assert tables
    for chapter, table in tables.items():
        now = pd.read_csv(ROOT / "tests" / "expected" / "smoke" / f"{chapter}.csv")
        assert set(table["key"]) == set(now["key"])
        assert value(ROOT, f"book/paper/{chapter}.csv key=profile value") == "paper"
