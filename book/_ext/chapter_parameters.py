"""The directive `{parameters}`: what the cell tagged `parameters` of each chapter declares."""

from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from book import execute, parameters

HEADER = "| parameter | type | default | meaning |\n|---|---|---|---|\n"


class Parameters(SphinxDirective):
    """A table for each chapter, in a section of its own."""

    def run(self) -> list[nodes.Node]:
        """Return the sections, in alphabetical order of the chapters."""
        sources = sorted((Path(self.env.srcdir) / "notebooks").glob("*.md"))
        return self.parse_text_to_nodes("\n".join(map(section, sources)), allow_section_headings=True)


def section(source: Path) -> str:
    """The section of a chapter in Markdown, from its source."""
    rows = parameters.table(execute.read(source.read_text(encoding="utf-8")))
    lines = [
        f"| `{each.name}` | `{each.annotation}` | `{each.default}` | {escape(each.comment, quote=False)} |"
        for each in rows  # <width> is a word of a comment, and would be a tag of HTML
    ]
    heading = f"### `{source.stem}`\n\nOf {{doc}}`/book/chapters/{source.stem}`.\n\n"
    return heading + HEADER + "\n".join(lines) + "\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("parameters", Parameters)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
