"""A role for values of other pages, and directives for the verdicts on the draft's items.

`` {value}`persistence/flat:.3f` `` is a value as `book.values` finds it, `{scoreboard} CHAPTER` the
table of the items of a chapter, and `{verdicts}` the number of items with each verdict.
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from book import scoreboard, values
from book.glued import kept

logger = logging.getLogger(__name__)


class Value(SphinxRole):
    """Show a value; warn, and so fail, where there is none."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text of the value as a node."""
        try:
            text = values.value(Path(self.env.srcdir), self.text)
        except ValueError as error:
            logger.warning(str(error), location=self.get_location())
            text = "?"
        return [nodes.inline(text, text, classes=["pasted-text"])], []


class Verdicts(SphinxDirective):
    """Parse Markdown that is made from the inventory."""

    def run(self) -> list[nodes.Node]:
        """Return the nodes of that Markdown."""
        path = Path(self.env.srcdir) / "book" / "inventory.yml"
        return self.parse_text_to_nodes(self.markdown(scoreboard.rows(path.read_text("utf-8"))))

    def markdown(self, items: list[scoreboard.Row]) -> str:
        """Return how many items have each verdict."""
        return scoreboard.totals(items)


class Scoreboard(Verdicts):
    """The items of the chapter that is its argument."""

    required_arguments = 1

    def markdown(self, items: list[scoreboard.Row]) -> str:
        """Return the table of the items."""
        tables = kept(Path(self.env.srcdir))
        sources = {f"{chapter}/{key}" for chapter, table in tables.items() for key in table["key"]}
        return scoreboard.board(items, self.arguments[0], sources)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the role and both directives."""
    app.add_role("value", Value())
    app.add_directive("scoreboard", Scoreboard)
    app.add_directive("verdicts", Verdicts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
