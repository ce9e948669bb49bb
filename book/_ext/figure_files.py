"""Under each figure of a chapter: its picture and the table behind it to take away, and what made them.

The table is what `neighborhoods.figures.exhibit.show` left in the output's metadata, and what made it is what
the build wrote to `book/chapters/origins.json`. A figure that was shown in another way is a warning.
"""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from neighborhoods.figures.exhibit import KEY
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

TABLES = "tables"  # the folder of the tables beside that of the pages
logger = logging.getLogger(__name__)


def add_files(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the tables of a chapter, and put links to them and the line of origin under its figures."""
    source = Path(app.env.doc2path(docname))
    if app.builder.name != "html" or source.suffix != ".ipynb":
        return
    tables = shown_tables(json.loads(source.read_text(encoding="utf-8")))
    origins = json.loads((source.parent / "origins.json").read_text(encoding="utf-8"))
    folder = Path(app.outdir) / TABLES
    folder.mkdir(exist_ok=True)
    for figure in doctree.findall(nodes.figure):
        label, image = figure["names"][0], next(figure.findall(nodes.image))
        if label not in tables:
            logger.warning("figure %r is not shown by exhibit.show", label, location=figure)
            continue
        files = {f"{label}.svg": f"{app.builder.imagedir}/{app.env.images[image['uri']][1]}"}
        if tables[label] is not None:
            files[f"{label}.csv"] = f"{TABLES}/{label}.csv"
            (folder / f"{label}.csv").write_text(tables[label], encoding="utf-8")
        here = app.builder.get_target_uri(docname)
        links = {name: relative_uri(here, place) for name, place in files.items()}
        figure.append(nodes.raw("", html(links, origins[source.stem]), format="html"))


def shown_tables(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """The CSV text of each labelled figure of an executed notebook, None where it is a drawing."""
    return {
        cell["metadata"]["mystnb"]["figure"]["name"]: output["metadata"][KEY]
        for cell in notebook["cells"]
        if "figure" in cell["metadata"].get("mystnb", {})
        for output in cell["outputs"]
        if KEY in output.get("metadata", {})
    }


def html(links: Mapping[str, str], origin: Mapping[str, str]) -> str:
    """The line under a figure: its files by name, and, folded away, what made it."""
    shown = [
        f'<a href="{place}" download="{name}" aria-label="{name}">{name.rpartition(".")[2].upper()}</a>'
        for name, place in links.items()
    ]
    if len(links) == 1:
        shown.append("<span>a drawing, without a table</span>")
    made = ", ".join(f"{name} {escape(value)}" for name, value in origin.items())
    shown.append(f"<details><summary>made with</summary>{made}</details>")
    return f'<div class="figure-files">{" ".join(shown)}</div>'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what is added when a page is about to be written."""
    app.connect("doctree-resolved", add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
