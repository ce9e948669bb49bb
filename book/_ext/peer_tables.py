"""Tables of ours against other packages, from what `make bench` recorded.

A directive lists rows of `benchmarks/results.json`, each with its label; a row that was not recorded says so.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results.json"
ABSENT = "not installed, or not run, when the table was made"
Row = Mapping[str, Any]


def recorded(path: Path = RESULTS) -> dict[str, Row]:
    """Return the recorded rows by name."""
    return {row["name"]: row for row in json.loads(path.read_text(encoding="utf-8"))}


def named(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of a row's name and its label, from lines `name | label`.

    Raises:
        ValueError: a line of another form.
    """
    pairs = [tuple(part.strip() for part in line.split("|")) for line in lines if line.strip()]
    for pair in pairs:
        if len(pair) != 2 or not all(pair):
            raise ValueError(f"peer-table: got the line {' | '.join(pair)!r}; required `name | label`")
    return [(name, label) for name, label in pairs]


def table(rows: Mapping[str, Row], wanted: Iterable[tuple[str, str]], unit: str, accuracy: str) -> str:
    """Return the table in Markdown, and a list of what each row measured."""
    wanted = list(wanted)
    head = (
        f"| against | ours, ms {unit} | theirs | faster | {accuracy}, ours | theirs |\n"
        "|---|---|---|---|---|---|\n"
    )
    lines = "".join(_line(label, rows.get(name)) for name, label in wanted)
    notes = "".join(f"- {label}: {rows[name]['note']}.\n" for name, label in wanted if name in rows)
    return f"{head}{lines}\n{notes}"


def verdict(row: Row) -> str:
    """Say who is faster, how many times, and from the least to the greatest of the repetitions."""
    low, middle, high = row["ratio_low"], row["ratio"], row["ratio_high"]
    if low > 1:
        return f"ours, {_short(middle)} times ({_short(low)} to {_short(high)})"
    if high < 1:
        return f"**theirs**, {_short(1 / middle)} times ({_short(1 / high)} to {_short(1 / low)})"
    return f"neither (ratio {_short(low)} to {_short(high)})"


def _line(label: str, row: Row | None) -> str:
    if row is None:
        return f"| {label} | {ABSENT} | | | | |\n"
    times = (_short(1e3 * row[f"{side}_s"]) for side in ("ours", "reference"))
    errors = (_short(row[key]) for key in ("error", "reference_error"))
    return "| " + " | ".join((label, *times, verdict(row), *errors)) + " |\n"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


class PeerTable(SphinxDirective):
    """The directive: the unit of the times and the name of the accuracy as options, the rows as content."""

    has_content = True
    option_spec = {"unit": directives.unchanged_required, "accuracy": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Parse the table where the directive stands."""
        self.env.note_dependency(str(RESULTS))
        made = table(recorded(), named(self.content), self.options["unit"], self.options["accuracy"])
        place = nodes.container()
        self.state.nested_parse(StringList(made.splitlines(), str(RESULTS)), self.content_offset, place)
        children: list[nodes.Node] = list(place.children)
        return children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("peer-table", PeerTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
