"""No number in the prose is typed by hand, and code cells stay small."""

import re
import subprocess
from pathlib import Path

import pytest
from pybtex.database import parse_file
from sources import cell_faults, lost_lines, phrases, typed_numbers

PARAMETERS = '```{code-cell} python\n:tags: [parameters]\nprofile: str = "quick"  # sizes\n```\n'


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("The persistence is 0.65 there.", ["0.65"]),
        ("It is .65 there, and about 3e-4 here.", [".65", "3e-4"]),
        ("All of 40 % of them.", ["40 %"]),
        ("| net | acc |\n|---|---|\n| FC | 97.3 |", ["97.3"]),
        (":::{prf:theorem} Title\n:label: thm-1\nIt is 1.9 times.\n:::", ["1.9"]),
        ("```{margin} Note\nIt is 1.9 times.\n```", ["1.9"]),
        ("It falls to 0.5.", ["0.5"]),
        (
            "```{code-cell} python\n---\nmystnb:\n  figure:\n    name: fig-1\n    caption: It is 1.907.\n"
            "  image:\n    alt: A curve near 2.5\n---\nx = 0.1\n```",
            ["1.907", "2.5"],
        ),
    ],
)
def test_detector_finds_a_typed_number(text: str, numbers: list[str]) -> None:
    assert typed_numbers(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "It is {glue:text}`sigma:.2f` there.",
        "With $\\gamma = 0.7$ and\n$$ x = 1.9, $$ and `gamma=0.7`.",
        "```python\nx = 0.7\n```",
        "```{math}\nx = 0.7\n```",
        "```{code-cell} python\nx = 0.7\n```",
        "See {cite:t}`bell2025persistent` and [here](https://example.org/1.5).",
        "Definition 4.1, Section 5.1.1, Definitions 4.1 and 4.2, § 7.2, Python 3.11, CC BY-SA 3.0.",
        "Of 1800 images 17 remain, with 95 % confidence.",
        "---\nmyst:\n  version: 1.3\n---\ntext",
        ":::{prf:definition} Title\n:label: def-4.1\ntext\n:::",
    ],
)
def test_detector_lets_pass_what_is_computed_or_a_name(text: str) -> None:
    assert typed_numbers(text) == []


def test_detector_shows_where_the_number_stands() -> None:
    assert phrases("The persistence is 0.65 there.") == ["The persistence is 0.65 there."]


def test_no_typed_numbers_in_pages(root: Path, chapters: list[Path]) -> None:
    pages = [*chapters, *sorted((root / "book").glob("*.md"))]
    found = {page.name: phrases(page.read_text("utf-8")) for page in pages}
    assert {name: typed for name, typed in found.items() if typed} == {}


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("def f(x):\n    return x", "defines a function"),
        ("class A:\n    pass", "defines a function or a class"),
        ("\n".join(f"x{i} = {i}" for i in range(11)), "11 lines"),
        ("loss.backward()", "trains"),
    ],
)
def test_detector_finds_a_bad_cell(cell: str, fault: str) -> None:
    assert fault in " ".join(cell_faults(f"{PARAMETERS}\n```{{code-cell}} python\n{cell}\n```\n"))


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ("gamma = 0.7  # share", "type annotation"),
        ("gamma: float = 0.7", "comment"),
        ("gamma: float  # share", "default"),
    ],
)
def test_detector_finds_a_bad_parameter(parameters: str, fault: str) -> None:
    page = PARAMETERS.replace('profile: str = "quick"  # sizes', parameters)
    assert fault in " ".join(cell_faults(page))


def test_detector_finds_a_second_parameters_cell() -> None:
    assert "2 cells" in " ".join(cell_faults(PARAMETERS + "\n" + PARAMETERS))
    assert "0 cells" in " ".join(cell_faults("# Title\n"))


def test_detector_lets_a_good_chapter_pass() -> None:
    loop = "%matplotlib inline\nfor k in range(3):\n    print(k)"
    assert cell_faults(f"{PARAMETERS}\n```{{code-cell}} python\n{loop}\n```\n") == []


def test_cells_of_chapters(chapters: list[Path]) -> None:
    assert chapters, "there is no chapter in notebooks/"
    found = {page.name: cell_faults(page.read_text("utf-8")) for page in chapters}
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_detector_finds_a_line_that_is_lost() -> None:
    cell = "```{code-cell} python\n%matplotlib inline\n```\n"
    assert lost_lines(f"Of these nine\n%). The others\n\n{cell}") == ["%). The others"]


def test_no_line_of_prose_is_lost(chapters: list[Path], root: Path) -> None:
    pages = [*chapters, *sorted((root / "book").glob("*.md"))]
    found = {page.name: lost_lines(page.read_text("utf-8")) for page in pages}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_only_source_of_a_chapter_is_markdown(root: Path) -> None:
    command = ["git", "ls-files", "notebooks/*.ipynb", "book/*.ipynb"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert listed.stdout == ""


def test_the_bibliography_can_be_read(root: Path) -> None:
    assert parse_file(root / "book" / "references.bib").entries, "a brace was lost"


def test_every_citation_is_in_the_bibliography(root: Path, chapters: list[Path]) -> None:
    known = set(re.findall(r"^@\w+\{([^,]+),", (root / "book" / "references.bib").read_text("utf-8"), re.M))
    pages = [*chapters, *sorted((root / "book").glob("*.md"))]
    cited = [
        key.strip()
        for page in pages
        for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", page.read_text("utf-8"))
        for key in keys.split(",")
    ]
    assert set(cited) <= known
