"""What the built pages must be: linked without gaps, free of other machines, and true to the inventory."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

LOADED = {  # attributes whose address a browser fetches while it shows the page
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
    "embed": "src", "object": "data", "input": "src",
}  # fmt: skip
FETCHED_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
CSS_ADDRESS = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s;]+)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
MARKUP = re.compile(r"```|\{[a-z-]+\}`|^:::", re.MULTILINE)
STATEMENTS = {"definition", "theorem", "proposition", "lemma", "remark", "algorithm"}
PROVED = {"theorem", "proposition", "lemma", "algorithm"}
SECTIONS = {"prose", "claim", "result", "open"}
VERDICTS = {"reproduced", "not reproduced", "corrected", "extended", "open"}
LONG_ENOUGH = 40  # characters of a caption or an alt text that can be read alone


@cache
def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


def pages(html: Path) -> list[Path]:
    return [page for page in sorted(html.rglob("*.html")) if "_static" not in page.parts]


# ---- markup ----------------------------------------------------------------------------------------------
def unread_markup(html: Path) -> list[str]:
    """Every page on which a fence, a directive or a role stands as it was written."""
    return [
        f"{page.relative_to(html)}: {found[0]}"
        for page in pages(html)
        if (article := parse(page).article) and (found := MARKUP.search(article.get_text()))
    ]


# ---- links ---------------------------------------------------------------------------------------------
def broken_links(html: Path) -> list[str]:
    """Every local address of every page that leads nowhere: a missing file, or a missing anchor."""
    return [
        f"{page.relative_to(html)}: {address}"
        for page in pages(html)
        for address in addresses(parse(page))
        if not reaches(page, address)
    ]


def addresses(soup: BeautifulSoup) -> Iterator[str]:
    for tag in soup.find_all(True):
        yield from (str(tag[name]) for name in ("href", "src", "data") if tag.get(name))


def reaches(page: Path, address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or address == "#":
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target.suffix != ".html" or anchor in anchors(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    tags = parse(page).find_all(lambda tag: tag.has_attr("id") or tag.has_attr("name"))
    return frozenset(str(tag[name]) for tag in tags for name in ("id", "name") if tag.has_attr(name))


def external_resources(html: Path) -> list[str]:
    """Every file of another machine that a browser would load with a page; what one may follow is none."""
    found = [
        f"{page.relative_to(html)}: {address}"
        for page in pages(html)
        for address in loaded(parse(page))
        if urlsplit(address).scheme in {"http", "https"} or address.startswith("//")
    ]
    return found + [
        f"{sheet.relative_to(html)}: {address}"
        for sheet in html.rglob("*.css")
        for address in CSS_ADDRESS.findall(COMMENT.sub("", sheet.read_text("utf-8")))
    ]


def loaded(soup: BeautifulSoup) -> Iterator[str]:
    for tag in soup.find_all(True):
        if tag.name in LOADED and tag.get(LOADED[tag.name]):
            yield str(tag[LOADED[tag.name]])
        if tag.name == "link" and FETCHED_LINKS & set(tag.get("rel") or []):
            yield str(tag.get("href"))
        if tag.name == "style":
            yield from CSS_ADDRESS.findall(tag.get_text())
        yield from (part.split()[0] for part in str(tag.get("srcset") or "").split(",") if part.strip())


# ---- inventory -----------------------------------------------------------------------------------------
def row_faults(row: dict[str, Any]) -> list[str]:
    """What is wrong with a row of the inventory by itself."""
    faults = []
    if row["verdict"] not in VERDICTS:
        faults.append(f"verdict is {row['verdict']!r}; it must be one of {', '.join(sorted(VERDICTS))}")
    if not row.get("why"):
        faults.append("it does not say why")
    if row["verdict"] != "open" and not (row["page"] and row["label"]):
        faults.append("it has a verdict, but no page and label that bear it out")
    if row["label"] and row["label"] != row["id"]:
        faults.append(f"its label is {row['label']!r}; it must be the id")
    if row["page"] and row["kind"] in PROVED and not row.get("test"):
        faults.append("it is a statement, and no test is named")
    return [f"{row['id']}: {fault}" for fault in faults]


def page_faults(row: dict[str, Any], html: Path) -> list[str]:
    """What is missing of an item on the page that answers it; empty for the real thing."""
    page = html / "book" / f"{row['page']}.html"
    if not page.exists():
        return [f"{row['id']}: there is no page {row['page']}"]
    found = parse(page).find_all(id=row["label"])
    if len(found) != 1:
        return [f"{row['id']}: {len(found)} elements of {row['page']} have this label; it must be one"]
    return [f"{row['id']}: {fault}" for fault in element_faults(row, found[0], page)]


def element_faults(row: dict[str, Any], element: Tag, page: Path) -> list[str]:
    if row["kind"] == "figure":
        return figure_faults(element, page)
    if row["kind"] in STATEMENTS:
        return statement_faults(row, element)
    if row["kind"] == "table":
        return [] if near(element, "table") else ["there is no table"]
    if row["kind"] == "equation":
        is_math = "math" in (element.get("class") or []) or element.find(class_="math")
        return [] if is_math else ["there is no equation"]
    return section_faults(element)


def section_faults(element: Tag) -> list[str]:
    section = element if element.name == "section" else element.find_parent("section")
    if section is None or (element.parent is not section and element is not section):
        return ["it does not label a section"]
    if not section.find(re.compile("^h[1-6]$"), recursive=False):
        return ["the section has no heading"]
    return [] if section.find("p") and len(section.get_text()) > LONG_ENOUGH else ["the section is empty"]


def near(element: Tag, name: str) -> bool:
    """Whether the label is on such an element, around one, or before one in the same section."""
    if element.name == name or element.find(name):
        return True
    section, following = element.find_parent("section"), element.find_next(name)
    return section is not None and following is not None and section in following.parents


def figure_faults(element: Tag, page: Path) -> list[str]:
    if element.name != "figure":
        return [f"the label is on <{element.name}>, not on a figure"]
    image, caption = element.find("img"), element.find("figcaption")
    faults = []
    if image is None or not (page.parent / unquote(str(image.get("src", "-")))).is_file():
        faults.append("there is no image")
    described = "" if image is None else str(image.get("alt", ""))
    if len(described) < LONG_ENOUGH or "_images/" in described:  # Sphinx puts the path where there is none
        faults.append("the alternative text does not describe the image")
    if caption is None or len(caption.get_text(strip=True)) < LONG_ENOUGH:
        faults.append("the caption cannot be read alone")
    return faults


def statement_faults(row: dict[str, Any], element: Tag) -> list[str]:
    classes = element.get("class") or []
    if "proof" not in classes or row["kind"] not in classes:
        return [f"there is no box of kind {row['kind']}"]
    named = [code.get_text() for code in element.find_all("code")]
    return [f"the box does not name {row['test']}"] if row.get("test") and row["test"] not in named else []
