"""What became of each item of the draft, in Markdown, from the rows of `book/inventory.yml`."""

import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import yaml

Row = dict[str, Any]
VERDICTS = ("reproduced", "extended", "corrected", "not reproduced", "open")
NAMES = {
    "fig": "Figure", "tab": "Table", "alg": "Algorithm", "def": "Definition", "prop": "Proposition",
    "thm": "Theorem", "lem": "Lemma", "rem": "Remark", "sec": "Section", "stub": "Section",
}  # fmt: skip
# Boxes of sphinx-proof, which have a role of their own.
BOXES = {"definition", "theorem", "proposition", "lemma", "remark", "algorithm"}
ENDS = {"draft": "draft", "ours": "here", "paper": "profile `paper`"}
HEADER = """\
::::{list-table}
:header-rows: 1
:widths: 30 70
:class: scoreboard

* - item
  - what became of it
"""


def rows(text: str) -> list[Row]:
    """The rows of the inventory, from its text."""
    found: list[Row] = yaml.safe_load(text)
    return found


def board(items: Sequence[Row], chapter: str, kept: Collection[str] = ()) -> str:
    """The table of the items of one chapter of the draft.

    Args:
        items: the rows of the inventory.
        chapter: of the draft, as the rows name it.
        kept: the sources `CHAPTER/KEY` whose value with the profile `paper` comes with the book.

    Raises:
        ValueError: there are none.
    """
    chosen = [row for row in items if row["chapter"] == chapter]
    if not chosen:
        known = ", ".join(dict.fromkeys(row["chapter"] for row in items))
        raise ValueError(f"chapter is {chapter!r}; it must be one of {known}")
    return HEADER + "".join(_line(row, kept) for row in chosen) + "::::\n"


def totals(items: Sequence[Row]) -> str:
    """A sentence with the number of items for each verdict."""
    counts = Counter(row["verdict"] for row in items)
    *parts, last = (f"**{counts[verdict]}** {verdict}" for verdict in VERDICTS)
    return f"Of {len(items)} items of the draft, {', '.join(parts)} and {last}.\n"


def name(row: Row) -> str:
    """How the draft calls an item: `Definition 4.1` for `def-4-1`, its kind where it has no number."""
    kind, *number = row["id"].split("-")
    if number and all(part.isdigit() for part in number) and kind in NAMES:
        return f"{NAMES[kind]} {'.'.join(str(int(part)) for part in number)}"
    return str(row["kind"]).capitalize()


def _line(row: Row, kept: Collection[str]) -> str:
    entries = (_with_paper(entry, kept) for entry in row.get("values", []))
    values = "".join(f"\n    - {_quantity(entry)}" for entry in entries)
    return f"* - {_link(row)}: {row['what']}\n  - **{row['verdict']}**. {row['why']}\n{values}\n"


def _link(row: Row) -> str:
    if not row["page"]:
        return name(row)
    return f"{{{'prf:ref' if row['kind'] in BOXES else 'ref'}}}`{name(row)} <{row['label']}>`"


def _with_paper(entry: Row, kept: Collection[str]) -> Row:
    """The entry with what the chapters glued at full size, where that is kept and nothing else is named."""
    sources = _listed(entry.get("ours", []))
    if "paper" in entry or not sources or any(source not in kept for source in sources):
        return entry
    return {**entry, "paper": [_at_full_size(source) for source in sources]}


def _at_full_size(source: str) -> str:
    chapter, _, key = source.partition("/")
    return f"book/paper/{chapter}.csv key={shlex.quote(key)} value"


def _quantity(entry: Row) -> str:
    unit = f" {entry['in']}" if "in" in entry else ""
    shown = [
        f"{word} {_span(entry[end], entry.get('as', ''))}{unit}" for end, word in ENDS.items() if end in entry
    ]
    return f"{entry['of']}: {'; '.join(shown)}"


def _span(sources: str | list[str], form: str) -> str:
    """A value, the ends of a range, or a value with the ends of its interval."""
    texts = [f"{{value}}`{source}{':' * bool(form)}{form}`" for source in _listed(sources)]
    return f"{texts[0]} ({texts[1]} to {texts[2]})" if len(texts) == 3 else " to ".join(texts)


def _listed(sources: str | list[str]) -> list[str]:
    return [sources] if isinstance(sources, str) else sources
