"""The HTML of the book: built under `-W -n` beside the old one, then put in its place at once."""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from neighborhoods.digests import digest

from book.parameters import BuildError

LIBRARIES = ("jupyter-book", "Sphinx", "myst-nb", "sphinx-book-theme", "pydata-sphinx-theme", "sphinx-proof")
PAGES = ("_config.yml", "_toc.yml", "_static", "book", "CHANGELOG.md", "CONTRIBUTING.md", "README.md")
# The reference comes from the library, the parameters from the notebooks; cells of the tables stand on pages.
TABLES = (
    "data/draft",
    "results/paper",
    "benchmarks/results.json",
    "benchmarks/builds.csv",
    "tests/expected/bad_inputs.csv",
)
SOURCES = (*PAGES, "lib", "notebooks", *TABLES)
MATHJAX = "tex-svg-full.js"  # one file with every extension and glyph
STAMP = ".inputs.json"
START = """\
import sys
from neighborhoods.orphans import end_with
end_with(int(sys.argv.pop(1)))
from jupyter_book.cli.main import main
main()
"""


def html(root: Path) -> Path:
    """Where the book of a project is."""
    return root / "_build" / "html"


def build(root: Path) -> bool:
    """Build the HTML unless it is there already, made from the same inputs.

    Returns:
        Whether anything had to be done.

    Raises:
        BuildError: with the end of the log, where Sphinx warns about anything.
    """
    inputs = _inputs(root)
    if _stamp(html(root)) == inputs:
        return False
    if _stamp(_previous(root)) == inputs:
        _previous(root).rename(html(root))
        return True
    made = _jupyter_book(root)
    _copy_mathjax(made / "_static" / "mathjax")
    (made / STAMP).write_text(json.dumps({"inputs": inputs}) + "\n", encoding="utf-8")
    retire(root)
    made.rename(html(root))
    for leftover in (_previous(root), root / "_build" / "work"):
        shutil.rmtree(leftover, ignore_errors=True)
    return True


def retire(root: Path) -> None:
    """Move the book aside: after a failed build no page may stand where the new one was to be."""
    if html(root).exists():
        shutil.rmtree(_previous(root), ignore_errors=True)
        html(root).rename(_previous(root))


def _previous(root: Path) -> Path:
    return root / "_build" / "previous"


def _stamp(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / STAMP).read_text(encoding="utf-8"))["inputs"])
    except (OSError, ValueError, KeyError):
        return None


def _inputs(root: Path) -> str:
    files = [part for path in _files(root) for part in (str(path.relative_to(root)), _sha256(path))]
    return digest(*files, *(f"{name} {version(name)}" for name in LIBRARIES))


def _files(root: Path) -> Iterator[Path]:
    for source in (root / name for name in SOURCES):
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            hidden = any(part.startswith((".", "__pycache__")) for part in path.relative_to(root).parts)
            if path.is_file() and not hidden:
                yield path


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _jupyter_book(root: Path) -> Path:
    work = root / "_build" / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    options = ["-W", "-n", "--keep-going", "--all", "--path-output", str(work)]
    command = [sys.executable, "-c", START, str(os.getpid()), "build", str(root), *options]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    log = root / "_build" / "build.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        raise BuildError(
            _complaints(done.stderr) + f"\nthe HTML was not built; everything it said is in {log}"
        )
    return work / "_build" / "html"


def _complaints(log: str) -> str:
    lines = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
    return "\n".join(lines or log.splitlines()[-20:])


def _copy_mathjax(folder: Path) -> None:
    # Its package is made for Django, which we do not install: only its files are wanted.
    found = importlib.util.find_spec("mathjax")
    if found is None or found.origin is None:
        raise BuildError("package django-static-mathjax is missing; install requirements.lock")
    folder.mkdir(parents=True)
    shutil.copy(Path(found.origin).parent / "static" / "mathjax" / "es5" / MATHJAX, folder)
