"""What the pages around the chapters say about the library is true."""

import importlib
import re
from pathlib import Path

import built
import pytest
import torch

from book import execute, parameters


def named(markdown: str) -> list[str]:
    """The dotted names of the library in a page."""
    return re.findall(r"`((?:kernels|models|studies|figures)\.[\w.]+)`", markdown)


def exists(name: str) -> bool:
    module, _, attribute = f"neighborhoods.{name}".rpartition(".")
    return hasattr(importlib.import_module(module), attribute)


def test_detector_finds_a_name_that_is_not_there() -> None:
    assert named("| $x$ | `kernels.statistics.Status` |") == ["kernels.statistics.Status"]
    assert exists("kernels.statistics.Status")
    assert not exists("kernels.statistics.Statos")


def test_notation_names_what_exists(root: Path) -> None:
    names = named((root / "book" / "notation.md").read_text("utf-8"))
    assert len(names) > 10
    assert [name for name in names if not exists(name)] == []


@pytest.mark.parametrize(("page", "tensors"), [("book/reproducing.md", 14), ("README.md", 6)])
def test_the_examples_run(root: Path, capsys: pytest.CaptureFixture[str], page: str, tensors: int) -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", (root / page).read_text("utf-8"), re.M | re.S)
    torch.manual_seed(0)  # the weights of the example's network
    exec(compile("\n".join(examples), page, "exec"), {})
    assert capsys.readouterr().out.count("tensor(") == tensors


def test_examples_are_short(root: Path) -> None:
    examples = re.findall(
        r"^```python\n(.*?)^```$", (root / "book/reproducing.md").read_text("utf-8"), re.M | re.S
    )
    assert len(examples) == 3
    assert [text for text in examples if len([line for line in text.splitlines() if line.strip()]) > 10] == []


def test_readme_links_lead_somewhere(root: Path) -> None:
    links = re.findall(r"\]\(([^):]+)\)", (root / "README.md").read_text("utf-8"))
    assert [link for link in links if not (root / link).exists()] == []


def test_every_parameter_is_explained_in_its_own_words(chapters: list[Path], html: Path) -> None:
    cells = [cell.get_text() for cell in built.parse(html / "book" / "reproducing.html").select("td")]
    shown = {cell.replace("’", "'").replace("…", "...").strip() for cell in cells}
    rows = [row for path in chapters for row in parameters.table(execute.read(path.read_text("utf-8")))]
    assert len(rows) > 20
    assert [row.comment for row in rows if row.comment not in shown] == []
