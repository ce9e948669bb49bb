"""Docstrings become reStructuredText without losing or changing anything that is read."""

import importlib.util
import re
from pathlib import Path

import docutils.core
import pytest

SOURCE = Path(__file__).parents[1] / "book" / "_ext" / "reference.py"
specification = importlib.util.spec_from_file_location("reference", SOURCE)
reference = importlib.util.module_from_spec(specification)
specification.loader.exec_module(reference)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"The set $A(y)=\{i : y_i\}$ of all.", r"The set :math:`A(y)=\{i : y_i\}` of all."),
        ("Shape `(m, *shape)`, or ``none``.", "Shape ``(m, *shape)``, or ``none``."),
        ("A *star, a bar | and an end_ of x.", r"A \*star, a bar \| and an end\_ of x."),
        ("    $$ a = b, \\qquad\n       c $$\n", "\n    .. math::\n\n       a = b, \\qquad c\n\n"),
        ("    one ─ two_three\n    four\n", "::\n\n    one ─ two_three\n    four\n"),
        (">>> f(*x_)\n[1]\n\nA $b$.", ">>> f(*x_)\n[1]\n\nA :math:`b`."),
    ],
)
def test_formulas_code_and_stray_markup(written: str, read: str) -> None:
    assert reference.restructured(written) == read


@pytest.mark.parametrize("text", ["a * b, c_ and |d|", "`f(*a)` and $x_*$", "    $$ |x|_2 $$"])
def test_nothing_is_left_for_docutils_to_warn_of(text: str) -> None:
    settings = {"report_level": 1, "halt_level": 1}
    docutils.core.publish_string(reference.restructured(text), settings_overrides=settings)


def test_a_package_brings_all_that_is_public_below_it() -> None:
    names = reference.modules("neighborhoods.kernels")
    files = (SOURCE.parents[2] / "lib" / "neighborhoods" / "kernels").rglob("*.py")
    assert len(names) == len(list(files))
    assert reference.modules("neighborhoods.store") == ["neighborhoods.store"]
    assert not [name for name in reference.modules("neighborhoods.studies") if "__main__" in name]


def test_every_module_of_the_library_is_on_one_page() -> None:
    pages = [page.read_text("utf-8") for page in (SOURCE.parents[1] / "api").glob("*.md")]
    listed = [name for page in pages for name in re.findall(r"^neighborhoods\.\S+$", page, re.MULTILINE)]
    documented = [name for entry in listed for name in reference.modules(entry)]
    kernels = [name for name in reference.modules("neighborhoods.kernels") if name.count(".") > 1]
    package = SOURCE.parents[2] / "lib" / "neighborhoods"
    parts = {path.stem for path in package.iterdir() if not path.name.startswith(("_", "py.", "."))} - {
        "kernels"
    }
    wanted = {*kernels, *(f"neighborhoods.{part}" for part in parts)}
    assert sorted(wanted - set(documented)) == []
    assert len(documented) == len(set(documented)), "a module stands on two pages"
