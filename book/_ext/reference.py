"""The reference of the library, from its docstrings: `{modules}` documents the packages and modules it lists.

Docstrings are written as they are read in an editor: formulas between dollar signs, names between single
backticks. reStructuredText, which autodoc reads, wants both in another way.
"""

import importlib
import pkgutil
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

# What keeps its characters, in the order in which it is looked for: drawings, examples, code, formulas.
KEPT = re.compile(
    r"(?P<drawing>^[ ]{4}[^\n]*─[^\n]*\n(?:[ ]{4}[^\n]*\n)*)"
    r"|(?P<example>^[ ]*>>>.*?(?=^[ ]*$|\Z))"
    r"|(?P<code>(?P<ticks>`+)(?P<name>.+?)(?P=ticks))"
    r"|(?P<indent>^[ ]*)?\$\$(?P<display>.+?)\$\$(?P<after>[.,;:]?)"
    r"|\$(?P<inline>[^$]+?)\$",
    re.DOTALL | re.MULTILINE,
)
MARKUP = re.compile(r"([\\*_|])")
MODULE = """\
```{{eval-rst}}
.. automodule:: {name}
   :members:
   :member-order: bysource
```
"""


def restructured(text: str) -> str:
    """A docstring in reStructuredText.

    Args:
        text: as it is written, without its indentation.

    Returns:
        The same with roles for formulas, literals for code, and the characters of other markup escaped.
    """
    parts, end = [], 0
    for match in KEPT.finditer(text):
        parts += [MARKUP.sub(r"\\\1", text[end : match.start()]), _kept(match)]
        end = match.end()
    return "".join([*parts, MARKUP.sub(r"\\\1", text[end:])])


def _kept(match: re.Match[str]) -> str:
    if match["drawing"]:
        return f"::\n\n{match['drawing']}"
    if match["example"]:
        return match["example"]
    if match["name"]:
        return f"``{match['name']}``"
    if match["inline"]:
        return f":math:`{' '.join(match['inline'].split())}`"
    indent = match["indent"] or ""
    formula = " ".join(match["display"].split()) + match["after"]
    return f"\n{indent}.. math::\n\n{indent}   {formula}\n"


def rewrite(*event: Any) -> None:
    """Rewrite the docstring of an object, which the event brings last, before its sections are read."""
    lines = event[-1]
    lines[:] = restructured("\n".join(lines)).split("\n")


def skip(*event: Any) -> bool | None:
    """Leave out the fields of named tuples: the docstring of the class says what they are."""
    _, _, _, member, *_ = event
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else None


def modules(name: str) -> list[str]:
    """A module and, where it is a package, all that is public below it, in alphabetical order."""
    below = pkgutil.walk_packages(getattr(importlib.import_module(name), "__path__", []), f"{name}.")
    return [name, *sorted(each.name for each in below if not each.name.rpartition(".")[2].startswith("_"))]


class Modules(SphinxDirective):
    """Document modules and packages, each module in a section of its own."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        names = [each for name in " ".join(self.content).split() for each in modules(name)]
        text = "\n".join(f"## `{name.split('.', 1)[1]}`\n\n{MODULE.format(name=name)}" for name in names)
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive, and the rewriting before napoleon's, which reads the sections."""
    for extension in ("sphinx.ext.autodoc", "sphinx.ext.napoleon"):
        app.setup_extension(extension)
    app.add_directive("modules", Modules)
    app.connect("autodoc-process-docstring", rewrite, priority=400)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
