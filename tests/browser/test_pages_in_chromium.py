"""The book in a real browser, from the disk and without a network: what a reader sees on a train."""

import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from book import browser as chromium

ROOT = Path(__file__).parents[2]
HTML = Path(os.environ.get("NEIGHBORHOODS_HTML", ROOT / "_build" / "html"))
SCREENSHOTS = ROOT / "_build" / "screenshots"
PAGES = sorted(str(page.relative_to(HTML)) for page in (HTML / "book").rglob("*.html")) or ["book/index.html"]
# Rows and entries of the reference after the first few, which are alike, and formulas, which are drawings.
ALIKE = ["tr:nth-of-type(n+9)", "section:nth-of-type(n+4) dl.py", "mjx-container"]
READABLE = 4.5  # contrast of text that WCAG 2 asks for at level AA, here of formulas and long tables, too
PHONE, DESK = {"width": 375, "height": 800}, {"width": 1300, "height": 900}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.executable() is None, reason="there is no Chromium on this machine"),
]

CONTRAST = """
() => {
  const parse = colour => colour.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = element => {
    const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const text = "p, li, h1, h2, td, th, figcaption span, p a:not(.headerlink), mjx-container, code, pre span";
  const all = [...document.querySelectorAll(`article :is(${text})`)];
  return Math.min(...all.filter(element => element.offsetParent).map(ratio));
}
"""
PROSE = """
() => {
  const copy = document.querySelector("article").cloneNode(true);
  copy.querySelectorAll("pre, code, mjx-assistive-mml").forEach(element => element.remove());
  return copy.textContent;
}
"""
# What sticks out on the right, unless it can be scrolled to within its own box.
TOO_WIDE = """
() => {
  const edge = document.documentElement.clientWidth + 1;
  const open = e => !["auto", "scroll"].includes(getComputedStyle(e).overflowX);
  const scrolls = e => e && (!open(e) || scrolls(e.parentElement));
  const hidden = "svg, mjx-assistive-mml, .visually-hidden";
  const wide = e => e.getClientRects().length && e.getBoundingClientRect().right > edge;
  const names = [...document.querySelectorAll("article, article *")]
    .filter(e => wide(e) && !e.closest(hidden) && !scrolls(e.parentElement))
    .map(e => `${e.tagName} ${e.className}`);
  return document.documentElement.scrollWidth > edge ? ["the page", ...names] : names;
}
"""


class Seen(NamedTuple):
    """A page at a desk: what went wrong on the way, what stands on it, and what axe-core has against it."""

    troubles: list[str]
    broken: list[str]
    text: str
    written: int
    drawn: int
    theme: str
    contrast: float
    violations: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not (HTML / "index.html").exists():
        pytest.fail(f"there is no book in {HTML}: run `make book`, or set NEIGHBORHOODS_HTML")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with chromium.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def seen(browser: Browser) -> Callable[[str, str], Seen]:
    """Look at a page in a mode, once for all tests."""
    return cache(lambda name, mode: look(browser, name, mode))


def look(browser: Browser, name: str, mode: str) -> Seen:
    context = contexts(browser, DESK, mode)
    page, troubles = visit(context, name)
    photograph(page, name, mode)
    found = Seen(
        troubles,
        page.evaluate("() => [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"),
        page.evaluate(PROSE),
        page.locator("article .math").count(),
        page.locator("article mjx-container").count(),
        page.evaluate("() => document.documentElement.dataset.theme"),
        page.evaluate(CONTRAST),
        violations(page, {} if mode == "light" else {"runOnly": ["color-contrast"]}),
    )
    context.close()
    return found


def photograph(page: Page, name: str, kind: str) -> None:
    """Keep a picture of the whole page for people to look at, unless it is a long one of the reference."""
    if not name.startswith("book/api"):
        page.screenshot(path=SCREENSHOTS / f"{Path(name).stem}-{kind}.png", full_page=True)


def violations(page: Page, options: dict[str, object]) -> list[str]:
    """The rules of axe-core that a page breaks gravely, with the first elements that do."""
    found = Axe().run(page, {"exclude": ALIKE}, {"preload": False, "resultTypes": ["violations"], **options})
    return [
        f"{rule['id']}: {[node['html'] for node in rule['nodes'][:3]]}"
        for rule in found.response["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


def contexts(browser: Browser, viewport: dict[str, int], mode: str) -> BrowserContext:
    context = browser.new_context(viewport=viewport, offline=True, color_scheme=mode)
    context.set_default_timeout(20_000)
    return context


def visit(context: BrowserContext, name: str, query: str = "") -> tuple[Page, list[str]]:
    """A page of the book, loaded from the disk, with what went wrong meanwhile."""
    page, troubles = context.new_page(), []
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("requestfailed", lambda request: troubles.append(f"not loaded: {request.url}"))
    page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or troubles.append(f"asks for {r.url}"))
    page.goto((HTML / name).as_uri() + query, wait_until="load")
    page.evaluate(chromium.DRAWN)
    return page, troubles


@pytest.mark.parametrize("name", PAGES)
def test_page_loads_without_a_network_and_renders_formulas(
    seen: Callable[[str, str], Seen], name: str
) -> None:
    page = seen(name, "light")
    assert page.troubles == []
    assert page.broken == []
    assert page.drawn >= page.written
    assert not re.search(r"\$\$|\\\(|\\\[|\\(?:frac|sigma|gamma|begin)\b", page.text)


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_a_phone(browser: Browser, name: str) -> None:
    context = contexts(browser, PHONE, "light")
    page, troubles = visit(context, name)
    photograph(page, name, "phone")
    excess = page.evaluate(TOO_WIDE)
    context.close()
    assert troubles == []
    assert excess == []


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_can_be_read_by_all(seen: Callable[[str, str], Seen], name: str, mode: str) -> None:
    page = seen(name, mode)
    assert page.theme == mode
    assert page.contrast >= READABLE
    assert page.violations == []


def test_dark_mode_can_be_switched(browser: Browser) -> None:
    context = contexts(browser, DESK, "light")
    page, _ = visit(context, "book/index.html")
    background = "() => getComputedStyle(document.body).backgroundColor"
    seen = {page.evaluate(background)}
    for _ in range(3):  # automatic, light, dark
        page.locator(".theme-switch-button").first.click()
        page.wait_for_timeout(500)  # colours change gradually
        seen.add(page.evaluate(background))
    context.close()
    assert len(seen) > 1


def test_search_finds_a_word(browser: Browser) -> None:
    context = contexts(browser, DESK, "light")
    page, troubles = visit(context, "search.html", "?q=persistence")
    page.locator("#search-results li a[href*='chapters/persistence']").first.wait_for()
    page.screenshot(path=SCREENSHOTS / "search.png")
    context.close()
    assert troubles == []


def test_what_made_a_figure_is_folded_away_until_asked_for(browser: Browser) -> None:
    context = contexts(browser, DESK, "light")
    page, _ = visit(context, "book/chapters/persistence.html")
    details = page.locator("figure#fig-10 details")
    shut = details.bounding_box()
    details.locator("summary").click()
    opened, said = details.bounding_box(), details.inner_text()
    context.close()
    assert shut and opened and opened["height"] > shut["height"]
    assert re.search(r"profile \w+, commit \w+.*, seed \d+, device \w+", said)


def test_detectors_see_a_bad_page(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<article><p style='color: #999; background: #aaa; width: 2000px'>pale</p></article>"
        "<img src='https://example.org/x.png'><script>no.such.thing</script>"
    )
    context = contexts(browser, PHONE, "light")
    page, troubles = visit(context, str(bad))
    contrast, grave, excess = page.evaluate(CONTRAST), violations(page, {}), page.evaluate(TOO_WIDE)
    context.close()
    assert contrast < READABLE
    assert any(rule.startswith("color-contrast") for rule in grave)
    assert excess != []
    assert any("asks for https" in trouble for trouble in troubles)
    assert any(trouble.startswith("error") for trouble in troubles)
