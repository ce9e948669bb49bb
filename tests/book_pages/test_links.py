"""No link of the book leads nowhere, no page loads a file of another machine, and none shows its markup."""

from pathlib import Path

import pytest
from built import broken_links, external_resources, pages, unread_markup


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return folder


LINKS = [
    '<a href="b.html">',
    '<a href="#no">',
    '<a href="c.html#no">',
    '<img src="no.svg">',
    '<a href="no/">',
]


@pytest.mark.parametrize("link", LINKS)
def test_detector_finds_a_broken_link(tmp_path: Path, link: str) -> None:
    assert len(broken_links(write(tmp_path, a_html=link, c_html='<p id="yes">'))) == 1


def test_detector_follows_good_links(tmp_path: Path) -> None:
    good = '<a href="c.html#yes"><a href="#"><a href="https://example.org"><a href="mailto:a">'
    assert broken_links(write(tmp_path, a_html=good, c_html='<p id="yes">')) == []


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example.org/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/x.css">',
        '<link rel="preconnect" href="https://example.org">',
        '<img src="http://example.org/x.png">',
        '<img src="x.png" srcset="https://example.org/x.png 2x">',
        "<style>@import 'https://example.org/x.css';</style>",
    ],
)
def test_detector_finds_an_external_resource(tmp_path: Path, text: str) -> None:
    assert len(external_resources(write(tmp_path, a_html=text))) == 1


def test_detector_reads_style_sheets(tmp_path: Path) -> None:
    font = "@font-face { src: url('https://example.org/font.woff2') }"
    assert len(external_resources(write(tmp_path, a_css=font))) == 1
    assert external_resources(write(tmp_path, a_css=f"/* {font} */ p {{ background: url(x.png) }}")) == []


@pytest.mark.parametrize("text", ["```{csv-table} by `x`", "see {doc}`page`", "<pre>\n:::{note}</pre>"])
def test_detector_finds_markup_that_was_not_read(tmp_path: Path, text: str) -> None:
    assert len(unread_markup(write(tmp_path, a_html=f"<article><p>{text}</p></article>"))) == 1


def test_no_link_is_broken(html: Path) -> None:
    assert len(pages(html)) > 1
    assert broken_links(html) == []


def test_no_page_loads_an_external_resource(html: Path) -> None:
    assert external_resources(html) == []


def test_no_page_shows_its_markup(html: Path) -> None:
    assert unread_markup(html) == []
