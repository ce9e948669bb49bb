"""What may stand in the source of a page: prose without typed numbers, and small code cells."""

import ast
import re
from collections.abc import Iterator

import jupytext

# Numbers that name something are no results: "Definition 4.1", "Python 3.11", "95 % confidence".
NAMED = "Definition|Proposition|Theorem|Lemma|Remark|Section|Figure|Fig|Table|Equation|Appendix|Algorithm"
NAME = re.compile(
    rf"(?:§|\b(?:(?:{NAMED})s?\.?|CC\s+BY(?:-SA)?|Python))\s*\d+(?:\.\d+)*(?:(?:,| and|–| to) \d+(?:\.\d+)*)*"
    r"|\d+(?:\.\d+)?\s?% (?:confidence|intervals?\b|level)"
)
NUMBER = re.compile(r"(?<![\w.])(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\d+(?:\.\d+)?\s?%)")
NOT_PROSE = [
    r"\A---\n.*?\n---\n",  # front matter
    r"^(`{3,}|~{3,})(?!\{)[^\n]*\n.*?^\1[ \t]*$",  # code
    r"^(`{3,}|:{3,}|~{3,})\{(?:math|code-block|bibliography|literalinclude)\}.*?^\1[ \t]*$",
    r"^[ \t]*(?:`{3,}|~{3,}|:{3,})(?:\{[\w:+-]+\}|[ \t]*$)",  # fences of directives
    r"<!--.*?-->",
    r"^%[^\n]*$",
    r"^[ \t]*:[\w-]+:[^\n]*$",  # options of directives
    r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}",
    r"(?<!\\)\$\$.*?\$\$",
    r"(?<!\\)\$[^$]+?(?<!\\)\$",
    r"\{[\w:+-]+\}`[^`]*`",  # roles: glue, citations, references
    r"(`+)[^`].*?\1",  # inline code
    r"\]\([^)]*\)",  # where a link goes
    r"<(?:https?|mailto):[^>]*>",
]
TRAINING = re.compile(r"\.backward\(|\boptim\b|\boptimizer\b|\.step\(|\btrain\(")


def typed_numbers(markdown: str) -> list[str]:
    """The decimals and percentages that stand in prose, captions and alt texts of a MyST page."""
    return [match.group() for match in matches(markdown)]


def phrases(markdown: str) -> list[str]:
    """The same with the words around them, for a reader of the failing test."""
    spans = [(match.string, match.start() - 40, match.end() + 40) for match in matches(markdown)]
    return [" ".join(text[max(start, 0) : end].split()) for text, start, end in spans]


def matches(markdown: str) -> Iterator[re.Match[str]]:
    for text in prose(markdown):
        yield from NUMBER.finditer(NAME.sub("", text))


def lost_lines(markdown: str) -> list[str]:
    """Lines of prose that begin with a percent sign: Markdown takes them for comments and drops them."""
    cells = [cell for cell in jupytext.reads(markdown, fmt="md:myst").cells if cell.cell_type == "markdown"]
    return [line for cell in cells for line in cell.source.splitlines() if line.lstrip().startswith("%")]


def prose(markdown: str) -> Iterator[str]:
    """The texts of a page that a reader reads as sentences."""
    for cell in jupytext.reads(markdown, fmt="md:myst").cells:
        if cell.cell_type == "markdown":
            yield strip(cell.source)
        else:
            shown = cell.metadata.get("mystnb", {})
            yield strip(str(shown.get("figure", {}).get("caption", "")))
            yield strip(str(shown.get("image", {}).get("alt", "")))


def strip(text: str) -> str:
    for pattern in NOT_PROSE:
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    return text


def cell_faults(markdown: str) -> list[str]:
    """What is wrong with the code cells of a chapter; empty when they are as they should be."""
    notebook = jupytext.reads(markdown, fmt="md:myst")
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    faults = [fault for cell in cells for fault in code_faults(cell.source)]
    if len(tagged) != 1:
        faults.append(f"{len(tagged)} cells are tagged `parameters`; it must be one")
    return faults + [fault for source in tagged for fault in parameter_faults(source)]


def code_faults(source: str) -> list[str]:
    lines = [line for line in source.splitlines() if line.strip()]
    name = lines[0] if lines else ""
    faults = [f"{name!r}: a cell of {len(lines)} lines; at most 10"] * (len(lines) > 10)
    code = "\n".join(re.sub(r"^\s*[%!].*", "", line) for line in lines)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if any(isinstance(node, kinds) for node in ast.walk(ast.parse(code))):
        faults.append(f"{name!r}: a cell defines a function or a class")
    if TRAINING.search(code):
        faults.append(f"{name!r}: a cell trains a network")
    return faults


def parameter_faults(source: str) -> list[str]:
    lines, faults = source.splitlines(), []
    for node in ast.parse(source).body:
        line = lines[node.lineno - 1]
        if not isinstance(node, ast.AnnAssign) or node.value is None:
            faults.append(f"{line!r}: a parameter needs a type annotation and a default")
        elif "#" not in "".join(lines[node.lineno - 1 : node.end_lineno]):
            faults.append(f"{line!r}: a parameter needs a comment")
    return faults
