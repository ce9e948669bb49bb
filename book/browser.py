"""A headless Chromium without a network: it prints the book, and looks at its pages in tests.

`python -m book.browser` tells where it is, and fails where there is none.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from book.parameters import BuildError

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DRAWN = "() => window.MathJax?.startup?.promise"  # resolves when every formula of a page is drawn


def executable() -> str | None:
    """Where this machine has a Chromium, if it has one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser while the context lasts.

    Raises:
        BuildError: this machine has none.
    """
    path = executable()
    if path is None:
        raise BuildError(f"there is no Chromium on this machine; required one of {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


if __name__ == "__main__":
    found = executable()
    print(found or f"none of {', '.join(NAMES)}")
    sys.exit(found is None)
