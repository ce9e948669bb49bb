"""The tests that pages of the book name: which they are, who must name one, and that none is skipped."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

NODE = re.compile(r"`((?:tests/[\w/]+\.py)?(?:::\w+)*)`")
BOX = re.compile(r"^(`{3,})\{prf:(\w+)\}([^\n]*)\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)


def pages(root: Path) -> list[Path]:
    """The sources of all pages: chapters, and those around them."""
    return [*sorted((root / "notebooks").glob("*.md")), *sorted((root / "book").glob("*.md"))]


def nodes(markdown: str) -> Iterator[str]:
    """The tests and files of tests that a page names, whole also where it does not repeat the file."""
    file = ""
    for found in NODE.findall(markdown):
        file = found.split("::")[0] or file
        if found:
            yield found if found.startswith("tests/") else file + found


def everywhere(root: Path) -> set[str]:
    """The same over all pages of a project."""
    return {node for page in pages(root) for node in nodes(page.read_text("utf-8"))}


def untested(markdown: str, kinds: Collection[str]) -> list[str]:
    """The titles of boxes of these kinds that name no test."""
    boxes = [(kind, title.strip(), text) for _, kind, title, text in BOX.findall(markdown)]
    return [title for kind, title, text in boxes if kind in kinds and not any("::" in n for n in nodes(text))]


def insist(report: pytest.TestReport, names: Collection[str]) -> pytest.TestReport:
    """Count a test as failed that a page names and that was skipped: the page says that it was checked."""
    if report.skipped and report.nodeid.split("[")[0] in names:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} is named by a page of the book, and may not be skipped"
    return report
