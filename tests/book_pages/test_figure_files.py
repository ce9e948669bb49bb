"""Each figure of the built book comes with its picture, the table behind it and what made them."""

import re
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from built import parse

MADE = re.compile(r"^made withprofile \w+, commit \S.*, seed \S+, device \S.*$")
DRAWINGS = {"fig-network", "fig-backprop", "fig-07"}
ROW = (
    '<figure id="fig-1"><img src="a.svg"><figcaption><div class="figure-files">'
    '<a href="a.svg" download="fig-1.svg">SVG</a><a href="a.csv" download="fig-1.csv">CSV</a>'
    "<details><summary>made with</summary>profile smoke, commit abc, seed 0, device cpu</details>"
    "</div></figcaption></figure>"
)


def figures(html: Path) -> dict[str, tuple[Path, Tag]]:
    pages = sorted((html / "book" / "chapters").glob("*.html"))
    return {str(each["id"]): (page, each) for page in pages for each in parse(page).select("figure[id]")}


def files(page: Path, figure: Tag) -> dict[str, Path]:
    links = figure.select(".figure-files a[download]")
    return {str(link["download"]): (page.parent / str(link["href"])).resolve() for link in links}


def faults(page: Path, figure: Tag) -> list[str]:
    label, found = str(figure["id"]), files(page, figure)
    wanted = {f"{label}.svg"} | ({f"{label}.csv"} - {f"{name}.csv" for name in DRAWINGS})
    lacking = [f"{name} is not offered" for name in sorted(wanted ^ set(found))]
    lacking += [f"{path.name} is not there" for path in found.values() if not path.is_file()]
    image = figure.find("img")
    if image is None or (page.parent / str(image["src"])).resolve() != found.get(f"{label}.svg"):
        lacking.append("its picture is another")
    details = figure.find("details")
    if details is None or details.has_attr("open") or not MADE.match(details.get_text()):
        lacking.append("it does not say, folded away, what made it")
    return [f"{label}: {fault}" for fault in lacking]


@pytest.mark.parametrize(
    "change",
    [
        ("a.svg", "b.svg"),
        ('download="fig-1.csv"', ""),
        ("a.csv", "none.csv"),
        ("<details>", "<details open>"),
        ("seed 0, ", ""),
        ("commit abc", "commit "),
    ],
)
def test_detector_misses_what_is_not_there(tmp_path: Path, change: tuple[str, str]) -> None:
    for name in ("a.svg", "a.csv", "b.svg"):
        (tmp_path / name).touch()
    page = tmp_path / "page.html"
    good, bad = (BeautifulSoup(text, "html.parser").figure for text in (ROW, ROW.replace(*change, 1)))
    assert good and faults(page, good) == []
    assert bad and faults(page, bad) != []


def test_every_figure_offers_its_files_and_says_what_made_it(html: Path, chapters: list[Path]) -> None:
    found = figures(html)
    named = [
        name
        for path in chapters
        for name in re.findall(r"^    name: (fig-\S+)", path.read_text("utf-8"), re.M)
    ]
    assert sorted(found) == sorted(named)
    assert [fault for page, figure in found.values() for fault in faults(page, figure)] == []
    offered = [file for page, figure in found.values() for file in files(page, figure)]
    assert len([file for file in offered if file.endswith(".svg")]) == len(named)
    assert len([file for file in offered if file.endswith(".csv")]) == len(named) - len(DRAWINGS)


def test_tables_behind_figures_have_rows(html: Path) -> None:
    tables = sorted((html / "tables").glob("*.csv"))
    assert tables
    assert [table.name for table in tables if not len(pd.read_csv(table, low_memory=False))] == []


def test_a_drawing_says_that_it_has_no_table(html: Path) -> None:
    said = {label: figure.get_text() for label, (_, figure) in figures(html).items() if label in DRAWINGS}
    assert set(said) == DRAWINGS
    assert all("a drawing, without a table" in text for text in said.values())
