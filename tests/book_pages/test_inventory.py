"""Every item of the draft is answered by the real thing on a built page, or says why not yet."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import named
import pytest
import yaml
from built import PROVED, VERDICTS, page_faults, parse, row_faults

Row = dict[str, Any]
ALT = "Two curves that fall from one to a third as the noise grows"
GOOD = {
    "figure": f'<figure id="x"><img src="i.svg" alt="{ALT}"><figcaption>{ALT}.</figcaption></figure>',
    "table": '<section><span id="x"></span><h2>Title</h2><div><table></table></div></section>',
    "theorem": '<div class="proof theorem admonition" id="x"><code>tests/t.py::test_a</code></div>',
    "definition": '<div class="proof definition admonition" id="x"></div>',
    "equation": '<div class="math notranslate" id="x">x</div>',
    "claim": f'<section id="s"><span id="x"></span><h2>Title</h2><p>{ALT}.</p></section>',
}
BAD = {
    "figure": [
        f'<img id="x" src="i.svg" alt="{ALT}">',
        f'<figure id="x"><figcaption>{ALT}.</figcaption></figure>',
        f'<figure id="x"><img src="no.svg" alt="{ALT}"><figcaption>{ALT}.</figcaption></figure>',
        f'<figure id="x"><img src="i.svg"><figcaption>{ALT}.</figcaption></figure>',
        f'<figure id="x"><img src="i.svg" alt="../_images/{ALT}"><figcaption>{ALT}.</figcaption></figure>',
        f'<figure id="x"><img src="i.svg" alt="{ALT}"></figure>',
        f'<figure id="x"><img src="i.svg" alt="{ALT}"><figcaption>Fig. 1</figcaption></figure>',
        GOOD["figure"] * 2,
        "<p>nothing</p>",
    ],
    "table": ['<section><span id="x"></span></section><section><table></table></section>'],
    "theorem": [
        '<div class="proof theorem admonition" id="x"><p>No test.</p></div>',
        '<div class="proof definition admonition" id="x"><code>tests/t.py::test_a</code></div>',
        '<p id="x"><code>tests/t.py::test_a</code></p>',
    ],
    "definition": ['<p id="x">text</p>'],
    "equation": ['<p id="x">text</p>'],
    "claim": [f'<p id="x">{ALT}.</p>', '<section id="s"><span id="x"></span><h2>Title</h2></section>'],
}


@pytest.fixture(scope="session")
def inventory(root: Path) -> list[Row]:
    rows: list[Row] = yaml.safe_load((root / "book" / "inventory.yml").read_text("utf-8"))
    return rows


def faults_of(tmp_path: Path, kind: str, body: str) -> list[str]:
    (tmp_path / "book").mkdir(exist_ok=True)
    (tmp_path / "book" / "i.svg").write_text("<svg/>")
    page = tmp_path / "book" / f"{abs(hash(body))}.html"
    page.write_text(f"<html><body>{body}</body></html>", "utf-8")
    row = {"id": "x", "kind": kind, "page": page.stem, "label": "x", "test": "tests/t.py::test_a"}
    return page_faults(row if kind in PROVED else {**row, "test": None}, tmp_path)


@pytest.mark.parametrize("kind", GOOD)
def test_detector_accepts_the_real_thing(tmp_path: Path, kind: str) -> None:
    assert faults_of(tmp_path, kind, GOOD[kind]) == []


@pytest.mark.parametrize(("kind", "body"), [(kind, body) for kind, bodies in BAD.items() for body in bodies])
def test_detector_refuses_anything_less(tmp_path: Path, kind: str, body: str) -> None:
    assert faults_of(tmp_path, kind, body) != []


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "done"},
        {"verdict": "open", "why": ""},
        {"why": None},
        {"page": "", "label": ""},
        {"label": "y"},
        {"test": None},
    ],
)
def test_detector_refuses_a_bad_row(change: Row) -> None:
    good = {
        "id": "x",
        "kind": "theorem",
        "page": "p",
        "label": "x",
        "verdict": "corrected",
        "test": "t.py::t",
        "why": "Its range was missing.",
    }
    assert row_faults(good) == []
    assert row_faults({**good, **change}) != []


def test_rows_are_complete(inventory: list[Row]) -> None:
    ids = [row["id"] for row in inventory]
    assert len(ids) == len(set(ids))
    assert [fault for row in inventory for fault in row_faults(row)] == []


def test_items_of_built_chapters_are_the_real_thing(inventory: list[Row], html: Path) -> None:
    answered = [row for row in inventory if row["page"]]
    assert answered
    assert [fault for row in answered for fault in page_faults(row, html)] == []


def test_the_scoreboard_leads_to_every_item(inventory: list[Row], html: Path) -> None:
    page = parse(html / "book" / "scoreboard.html")
    lines = page.select("table.scoreboard tbody tr")
    assert len(lines) == len(inventory)
    links = {str(link["href"]) for line in lines for link in line.find_all("a", href=True)}
    wanted = {row["id"]: f"{row['page']}.html#{row['label']}" for row in inventory if row["page"]}
    assert [label for label, link in wanted.items() if link not in links] == []
    words = [line.get_text(" ", strip=True) for line in lines]
    assert [line for line in words if not any(verdict in line for verdict in VERDICTS)] == []


def test_the_front_page_has_the_totals(inventory: list[Row], html: Path) -> None:
    words = parse(html / "book" / "index.html").get_text(" ", strip=True)
    counts = Counter(row["verdict"] for row in inventory)
    assert f"Of {len(inventory)} items" in words
    assert [verdict for verdict in VERDICTS if f"{counts[verdict]} {verdict}" not in words] == []


def test_every_chapter_answers_to_the_inventory(inventory: list[Row], chapters: list[Path]) -> None:
    assert {f"chapters/{source.stem}" for source in chapters} == {row["page"] for row in inventory} - {""}


def test_named_tests_are_collected(inventory: list[Row], root: Path, request: pytest.FixtureRequest) -> None:
    nodes = {row["test"] for row in inventory if row.get("test")} | named.everywhere(root)
    assert [node for node in nodes if not (root / node.split("::")[0]).is_file()] == []
    here = {item.nodeid.split("[")[0] for item in request.session.items}
    missing = {node for node in nodes if "::" in node} - here
    files = sorted({node.split("::")[0] for node in missing})  # none where all tests run
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False) if files else None
    others = {line.split("[")[0] for line in done.stdout.splitlines()} if done else set()
    assert sorted(missing - others) == []


def test_every_statement_that_is_proved_names_a_test(chapters: list[Path]) -> None:
    found = {page.name: named.untested(page.read_text("utf-8"), PROVED) for page in chapters}
    assert {name: titles for name, titles in found.items() if titles} == {}


def test_detector_finds_a_box_without_a_test() -> None:
    box = "````{{prf:theorem}} Title\n:label: thm-1\n\nTrue. {}\n````\n"
    assert named.untested(box.format("*Checked by* `tests/t.py::test_a`."), PROVED) == []
    assert named.untested(box.format("*Checked by* `tests/t.py`."), PROVED) == ["Title"]
    assert named.untested(box.format(""), {"lemma"}) == []


def test_names_of_tests_are_read_whole() -> None:
    text = "`tests/a.py::test_b` and `::test_c`, see `tests/d.py` and `x = 1`"
    assert list(named.nodes(text)) == ["tests/a.py::test_b", "tests/a.py::test_c", "tests/d.py"]


@pytest.mark.parametrize(
    ("node", "outcome"), [("tests/a.py::test_b", "failed"), ("tests/a.py::test_c", "skipped")]
)
def test_a_named_test_that_is_skipped_fails(node: str, outcome: str) -> None:
    where = {
        "location": ("tests/a.py", 1, "test"),
        "keywords": {},
        "longrepr": ("tests/a.py", 1, "no device"),
    }
    report = pytest.TestReport(f"{node}[0]", outcome="skipped", when="setup", **where)
    assert named.insist(report, {"tests/a.py::test_b"}).outcome == outcome


def test_corrections_are_in_the_errata(inventory: list[Row], root: Path) -> None:
    cited = set(
        re.findall(
            r"<([\w-]+)>`|\{\w+(?::ref)?\}`([\w-]+)`", (root / "book" / "errata.md").read_text("utf-8")
        )
    )
    labels = {label for pair in cited for label in pair}
    assert [row["id"] for row in inventory if row["verdict"] == "corrected" and row["id"] not in labels] == []


def test_named_tests_name_their_statement(inventory: list[Row], root: Path) -> None:
    silent = [row["id"] for row in inventory if row.get("test") and not names(root, row["test"], row["id"])]
    assert silent == []


def test_detector_wants_the_number_of_the_statement(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("def test_a():\n    'Proposition 4.3'\n\ndef test_b():\n    'Lemma 4.2'\n")
    assert names(tmp_path, "t.py::test_a[1]", "prop-4-3")
    assert not names(tmp_path, "t.py::test_b", "prop-4-3")
    assert not names(tmp_path, "t.py::test_c", "prop-4-3")
    assert not names(tmp_path, "u.py::test_a", "prop-4-3")


def names(root: Path, node: str, label: str) -> bool:
    """Whether the source of a test writes the number of its statement: 4.3 for prop-4-3."""
    file, *path = node.split("[", maxsplit=1)[0].split("::")
    if not (root / file).is_file():
        return False
    source = (root / file).read_text("utf-8")
    number = r"[._-]".join(label.split("-")[1:])
    functions = [
        n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == path[-1]
    ]
    return any(re.search(number, ast.get_source_segment(source, function) or "") for function in functions)
