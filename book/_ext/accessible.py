"""Roles that screen readers know: what stands in a list of works is an item of the list.

docutils gives each entry the role of a bibliography entry, which is no child that a list may have.
"""

from typing import Any

from docutils.nodes import document
from sphinx.application import Sphinx


def name_items(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: document | None
) -> None:
    """Make the entries of the bibliography items of their list."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the change of each page."""
    app.connect("html-page-context", name_items)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
