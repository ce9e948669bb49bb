"""The book as one PDF: all of it, in order, and no link to a file of the machine that printed it."""

import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from book import browser, pdf, site

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(browser.executable() is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def printed() -> PdfReader:
    return PdfReader(pdf.write(ROOT))


@pytest.fixture(scope="module")
def pages() -> list[BeautifulSoup]:
    files = [site.html(ROOT) / f"{name}.html" for name in pdf.contents(ROOT)]
    return [BeautifulSoup(file.read_text("utf-8"), "html.parser").article for file in files]


def squeezed(text: str) -> str:
    return re.sub(r"[\s\xad-]", "", text)


def test_the_outline_has_every_page_in_order(printed: PdfReader, pages: list[BeautifulSoup]) -> None:
    titles = [squeezed(entry.title) for entry in printed.outline if not isinstance(entry, list)]
    assert titles == [squeezed(page.h1.get_text()).rstrip("#") for page in pages]


def test_every_figure_of_the_chapters_is_there(printed: PdfReader, pages: list[BeautifulSoup]) -> None:
    after = next(entry for entry in printed.outline if getattr(entry, "title", "") == "Scoreboard")
    chapters = printed.pages[: printed.get_destination_page_number(after)]
    text = squeezed("".join(sheet.extract_text() for sheet in chapters))
    numbers = [number.get_text() for page in pages for number in page.select("figure .caption-number")]
    assert len(numbers) > 50
    assert [number for number in numbers if squeezed(number) not in text] == []
    assert not re.search(r"\$\$|\\\(|\\frac|\\sigma", text)


def test_links_lead_into_the_book_or_to_the_world(printed: PdfReader) -> None:
    sheets = {sheet.indirect_reference.idnum for sheet in printed.pages}
    links = [link.get_object() for sheet in printed.pages for link in sheet.get("/Annots", [])]
    inward = [link for link in links if "/Dest" in link]
    assert len(inward) > 500
    assert all(link["/Dest"][0].idnum in sheets for link in inward)
    outward = [str(link["/A"]["/URI"]) for link in links if "/Dest" not in link]
    assert [address for address in outward if not address.startswith("https://")] == []


def test_a_link_goes_to_its_anchor_wherever_that_is(tmp_path: Path) -> None:
    far = "<div style='height: 3000px'></div><h2 id='far'>Far <a href='#far'>#</a></h2>"
    links = ("a.html#far", "b.html", "b.html#far", "b.html#unknown", "table.csv")
    text = "".join(f"<p><a href='{target}'>{target}</a></p>" for target in links)
    for name, body in (("a", text), ("b", "")):
        (tmp_path / f"{name}.html").write_text(f"<h1>{name}</h1>{body}{far}", encoding="utf-8")
    printed = {(tmp_path / f"{name}.html").as_uri(): tmp_path / f"{name}.pdf" for name in "ab"}
    pdf.print_pages(printed)
    pdf.bind(printed, tmp_path / "book.pdf")
    book = PdfReader(tmp_path / "book.pdf")
    numbers = {sheet.indirect_reference.idnum: place for place, sheet in enumerate(book.pages)}
    found = [numbers[link.get_object()["/Dest"][0].idnum] for link in book.pages[0]["/Annots"]]
    last = len(PdfReader(tmp_path / "a.pdf").pages)
    assert found == [last - 1, last, len(book.pages) - 1, last]


def test_a_book_that_is_not_built_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "_toc.yml").write_text((ROOT / "_toc.yml").read_text("utf-8"), encoding="utf-8")
    with pytest.raises(pdf.BuildError, match="run `make book` first"):
        pdf.write(tmp_path)
