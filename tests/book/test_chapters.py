"""Every chapter, executed with the smoke profile: its parameters, its outputs, the numbers that it glues.

The chapter of the fixture project takes part, so that these tests fail when they should.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from shutil import copytree, ignore_patterns

import numpy as np
import pandas as pd
import papermill
import pytest
from neighborhoods.store import default_store
from wrong_kernels import MISTAKES, Mistake

from book import execute
from book.glued import glued, smoke
from book.parameters import BuildError

ROOT = Path(__file__).parents[2]
OFFLINE = ROOT / "tests" / "offline"
FIXTURE = Path(__file__).parent / "project"
TINY = FIXTURE / "notebooks" / "tiny.md"
CHAPTERS = sorted((ROOT / "notebooks").glob("*.md"))
TOLERANCES = pd.read_csv(ROOT / "tests" / "expected" / "tolerances.csv")

pytestmark = pytest.mark.book
every = pytest.mark.parametrize("source", [TINY, *CHAPTERS], ids=lambda path: path.stem)


def expectation(source: Path) -> pd.DataFrame:
    path = source.parents[1] / "tests" / "expected" / "smoke" / f"{source.stem}.csv"
    assert path.exists(), f"{path} is missing: run `make expected`, look at its numbers, commit it"
    return pd.read_csv(path, dtype=str, keep_default_na=False)  # "nan" is what a page prints


def difference(found: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """The keys whose values are missing or outside the tolerance of the first pattern that fits them."""
    one, other = (dict(zip(table["key"], table["value"], strict=True)) for table in (found, known))
    return sorted(key for key in one.keys() | other.keys() if not close(key, one.get(key), other.get(key)))


def close(key: str, found: str | None, known: str | None) -> bool:
    if found is None or known is None or found == known:
        return found == known
    rule = next(row for row in TOLERANCES.itertuples() if fnmatch(key, row.pattern))
    try:
        return bool(np.isclose(float(found), float(known), rtol=rule.relative, atol=rule.absolute))
    except ValueError:
        return False


def wrong_library(folder: Path, mistake: Mistake) -> Path:
    copytree(ROOT / "lib", folder / "lib", ignore=ignore_patterns("__pycache__"))
    for tables in ("data", "results"):
        (folder / tables).symlink_to(ROOT / tables)
    with (folder / "lib" / "neighborhoods" / mistake.module).open("a") as stream:
        stream.write(mistake.code)
    return folder / "lib"


def without_pictures(library: Path) -> Path:
    """A library whose figures are made and not drawn, where only numbers are looked at."""
    with (library / "neighborhoods" / "figures" / "exhibit.py").open("a") as stream:
        stream.write('\n\ndef show(data):\n    plt.close("all")\n')
    return library


@pytest.fixture
def right(source: Path) -> bytes:
    """The chapter as the book has it. Ask for it before `empty_store`, or it is executed there once more."""
    return smoke(source)


@pytest.fixture
def book_store(right: bytes) -> Path:
    """The store that holds the executed chapter, and what it was made from."""
    return default_store().root


@pytest.fixture
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A kernel's environment in which nothing has been computed yet."""
    with execute.kernel_environment():
        monkeypatch.setenv("NEIGHBORHOODS_STORE", str(tmp_path / "store"))
        yield tmp_path


def nbval(notebook: bytes, folder: Path, library: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Execute a notebook again, without a network, comparing every output with the one it has."""
    (folder / "chapter.ipynb").write_bytes(notebook)
    (folder / "pytest.ini").write_text("[pytest]\n")
    path = [OFFLINE, *([library] if library else []), os.environ.get("PYTHONPATH", "")]
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins take a second or two to import
    environment = {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(map(str, path))}
    options = [
        "-p",
        "nbval.plugin",
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout",
        "900",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-m", "pytest", *options, "chapter.ipynb"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@every
def test_papermill_reads_every_parameter_with_its_type_and_comment(source: Path) -> None:
    notebook = execute.read(source.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    lines = [line for line in cells[0].source.splitlines() if line.strip() and not line.startswith("#")]
    found = papermill.inspect_notebook(notebook)
    assert len(found) == len(lines), "papermill reads one parameter a line, and no unions of types"
    for name, entry in found.items():
        assert entry["inferred_type_name"] != "None", name
        assert entry["help"], name


@every
def test_smoke_numbers_are_the_expected_ones(source: Path) -> None:
    assert difference(glued(smoke(source)), expectation(source)) == []


@every
def test_nbval_finds_the_same_outputs_with_an_empty_store(
    source: Path, right: bytes, empty_store: Path
) -> None:
    done = nbval(right, empty_store)
    assert done.returncode == 0, done.stdout
    assert (empty_store / "store").exists() == (b"default_store" in right), "it was computed, not looked up"


@pytest.mark.parametrize("source", [TINY], ids=["tiny"])
def test_nbval_finds_a_wrong_kernel(source: Path, right: bytes, empty_store: Path) -> None:
    done = nbval(right, empty_store, wrong_library(empty_store, MISTAKES[source.stem]))
    assert done.returncode == 1, done.stdout
    assert "mismatch" in done.stdout


@every
def test_a_wrong_kernel_changes_the_numbers(
    source: Path, book_store: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not depend on the kernel, such as trained networks, is taken from the book's store."""
    assert source.stem in MISTAKES, "add to wrong_kernels.py a mistake that this chapter shows"
    (empty_store / "store").mkdir()
    for item in book_store.glob("*-*"):
        (empty_store / "store" / item.name).symlink_to(item)
    library = without_pictures(wrong_library(empty_store, MISTAKES[source.stem]))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(library), str(ROOT)]))
    notebook = execute.execute(execute.chapter(source, "smoke", {}))
    assert difference(glued(notebook), expectation(source)) != []


PERSISTENCE = ROOT / "notebooks" / "persistence.md"


@pytest.mark.parametrize(
    ("name", "value"),
    [("gamma", 1.0), ("sigma_max", 0.0), ("steps", 0), ("network", "none"), ("profile", "big")],
)
def test_values_out_of_range_are_named_before_anything_is_computed(
    name: str, value: float | str, empty_store: Path
) -> None:
    chapter = execute.chapter(PERSISTENCE, "smoke", {name: value} if name != "profile" else {})
    chapter = replace(chapter, profile=str(value)) if name == "profile" else chapter
    with pytest.raises(BuildError, match=rf"^persistence: ValueError: .*{name}.*{value}") as caught:
        execute.execute(chapter)
    assert "\n" not in str(caught.value)
    assert not (empty_store / "store").exists()


def test_the_comparison_reads_numbers_words_and_gaps() -> None:
    known = pd.DataFrame({"key": ["a", "b", "c"], "value": ["1.0", "word", "inf"]})
    assert difference(known, known) == []
    assert difference(known.assign(value=["1.001", "word", "inf"]), known) == []
    assert difference(known.assign(value=["1.1", "other", "2"]), known) == ["a", "b", "c"]
    assert difference(known[:1], known) == ["b", "c"]
