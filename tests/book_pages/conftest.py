"""Where the built book is, and its chapters' sources."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "html" in getattr(item, "fixturenames", ()):
            item.add_marker("book")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the built pages: NEIGHBORHOODS_HTML, else _build/html."""
    folder = Path(os.environ.get("NEIGHBORHOODS_HTML", ROOT / "_build" / "html"))
    if not (folder / "index.html").exists():
        pytest.fail(f"there is no book in {folder}: run `make book PROFILE=smoke`, or set NEIGHBORHOODS_HTML")
    return folder


@pytest.fixture(scope="session")
def chapters() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("*.md"))
