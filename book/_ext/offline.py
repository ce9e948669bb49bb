"""Pages that stand alone: each script once, and none that lives on another machine.

Jupyter Book always loads sphinx-thebe, whose script names a server, and under Sphinx 7 some extensions
register their scripts twice. A `const` declared twice is an error in the reader's console, and MathJax
must start once.
"""

from typing import Any

from docutils.nodes import document
from sphinx.application import Sphinx


def identity(script: Any) -> str:
    """Return what makes a script the same script: its file without the digest, or the code it carries."""
    return str(script.filename or script.attributes.get("body", ""))


def keep_local_scripts(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: document | None
) -> None:
    """Keep one of equal scripts of a page, and none of sphinx-thebe."""
    scripts = {identity(script): script for script in context["script_files"]}
    context["script_files"] = [script for name, script in scripts.items() if "thebe" not in name.lower()]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the filter after every extension that adds scripts to a page."""
    app.connect("html-page-context", keep_local_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
