"""The book as one PDF: Chromium prints every page, and pypdf binds them in the order of the contents.

Formulas and figures stay drawings, as they are on the pages. Links from page to page become links within the
document; those to files beside the pages, such as the table under a figure, are dropped.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast
from urllib.parse import urldefrag

import yaml
from neighborhoods.progress import bar, message
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NullObject

from book import browser, site
from book.parameters import BuildError

MARGIN = "15mm"
NAME = "neighborhoods.pdf"
UNFOLD = "() => document.querySelectorAll('details.below-input').forEach(output => { output.open = true; })"


class Place(NamedTuple):
    """Where a page of the book begins, and its anchors: sheet from there on, and height on it."""

    first: int
    anchors: dict[str, tuple[int, float | None]]


def main() -> int:
    """Print the book that is built; 0 when the PDF stands, 1 with one message when it does not."""
    root = Path(__file__).parents[1]
    try:
        target = write(root)
    except BuildError as error:
        message(f"pdf: {error}")
        return 1
    message(f"pdf: {target}")
    return 0


def write(root: Path) -> Path:
    """Print the book of a project beside its pages.

    Raises:
        BuildError: no book is built, or there is no Chromium.
    """
    pages = [site.html(root) / f"{name}.html" for name in contents(root)]
    missing = [str(page) for page in pages if not page.exists()]
    if missing:
        raise BuildError(f"{missing[0]} is missing: run `make book` first")
    target = root / "_build" / NAME
    with TemporaryDirectory(dir=root / "_build") as folder:
        printed = {page.as_uri(): Path(folder) / f"{place}.pdf" for place, page in enumerate(pages)}
        print_pages(printed)
        bind(printed, target)
    return target


def contents(root: Path) -> list[str]:
    """The pages of the book, without their ending, in the order in which they are read."""
    tree = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    return [tree["root"], *(page["file"] for part in tree["parts"] for page in part["chapters"])]


def print_pages(printed: Mapping[str, Path]) -> None:
    """Print each page, by its address, to its file."""
    with browser.chromium() as chromium:
        context = chromium.new_context(offline=True, color_scheme="light")
        for address, file in bar(printed.items(), description="printing", total=len(printed)):
            page = context.new_page()
            page.goto(address, wait_until="load")
            page.evaluate(browser.DRAWN)
            page.evaluate(UNFOLD)
            page.pdf(
                path=file,
                format="A4",
                scale=0.75,
                margin={"top": MARGIN, "bottom": MARGIN, "left": MARGIN, "right": MARGIN},
                print_background=True,
                outline=True,
                tagged=True,
            )
            page.close()


def bind(printed: Mapping[str, Path], target: Path) -> None:
    """Put the printed pages one after the other, with their outlines, and turn their links inwards."""
    writer = PdfWriter()
    places: dict[str, Place] = {}
    owners: list[str] = []
    for address, file in printed.items():
        reader = PdfReader(file)
        places[address] = Place(len(owners), dict(_anchors(reader)))
        owners += [address] * len(reader.pages)
        writer.append(reader, import_outline=True)
    sheets = [page.indirect_reference for page in writer.pages]
    for page, owner in zip(writer.pages, owners, strict=True):
        links = page.annotations or ArrayObject()
        kept = [link for link in links if _leads(link.get_object(), owner, places, sheets)]
        page[NameObject("/Annots")] = ArrayObject(kept)
    writer.add_metadata({"/Title": "Neighborhoods of Adversarial Examples"})
    writer.write(target)


def _anchors(reader: PdfReader) -> Iterator[tuple[str, tuple[int, float | None]]]:
    """The names in a printed page, each with its sheet and its height there."""
    for name, found in reader.named_destinations.items():
        sheet = reader.get_destination_page_number(found)
        if sheet is not None:
            yield name.removeprefix("/"), (sheet, found.top)


def _leads(link: DictionaryObject, owner: str, places: Mapping[str, Place], sheets: Sequence[object]) -> bool:
    """Turn a link to the book inwards; return whether the link leads anywhere at all."""
    if "/Dest" in link:
        address, anchor = owner, str(link["/Dest"]).removeprefix("/")
    else:
        address, anchor = urldefrag(str(cast(DictionaryObject, link["/A"])["/URI"]))
    if address not in places:
        return not address.startswith("file:")
    place = places[address]
    sheet, top = place.anchors.get(anchor, (0, None))
    height = NullObject() if top is None else FloatObject(top)
    link.pop("/A", None)
    link[NameObject("/Dest")] = ArrayObject(
        [sheets[place.first + sheet], NameObject("/XYZ"), NullObject(), height, NullObject()]
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
