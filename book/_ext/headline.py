"""The directive `{headline} chapters/NAME LABEL`: a figure of a chapter on another page, in words of its own.

The picture is the chapter's own, so that it cannot fall behind it; a click leads to where it stands.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import docname_join, logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)


class Headline(nodes.General, nodes.Element):  # type: ignore[misc]  # docutils carries no types
    """Where a figure is to stand; its children are the words below it."""


class HeadlineDirective(SphinxDirective):
    """Keep the place until all chapters have been read."""

    required_arguments = 2
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the place, with its words."""
        chapter, label = self.arguments
        document = docname_join(self.env.docname, chapter)
        place = Headline("", *self.parse_content_to_nodes(), document=document, label=label)
        self.set_source_info(place)
        return [place]


def fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the chapter's picture where it is to stand, with its alternative text and a link."""
    for place in list(doctree.findall(Headline)):
        picture = _picture(app, place["document"], place["label"])
        if picture is None:
            logger.warning("there is no figure %r in %s", place["label"], place["document"], location=place)
            place.parent.remove(place)
            continue
        address = app.builder.get_relative_uri(docname, place["document"])
        target = f"#{place['label']}" if "#" in address else f"{address}#{place['label']}"
        link = nodes.reference("", "", picture.deepcopy(), refuri=target)
        figure = nodes.figure("", link, classes=["headline"])
        figure += nodes.legend("", *place.children)
        place.replace_self(figure)


def _picture(app: Sphinx, document: str, label: str) -> nodes.image | None:
    if document not in app.env.all_docs:
        return None
    figures = app.env.get_doctree(document).findall(nodes.figure)
    images = [image for each in figures if label in each["names"] for image in each.findall(nodes.image)]
    return next((image for image in images if image["uri"].endswith(".svg")), None)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, its node, and when it is replaced."""
    app.add_node(Headline)
    app.add_directive("headline", HeadlineDirective)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
