"""What the pages around the chapters say about the library is true."""

import importlib
import re
from pathlib import Path

import pytest
import torch


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


def test_the_example_of_reproducing_runs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (root / "book" / "reproducing.md").read_text("utf-8")
    [example] = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    torch.manual_seed(0)
    exec(compile(example, "reproducing.md", "exec"), {})
    assert capsys.readouterr().out.count("tensor(") == 7
