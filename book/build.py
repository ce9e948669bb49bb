"""Build the book: `python -m book.build --profile quick`, or `make book`.

Chapters (`notebooks/NAME.md`) are executed through papermill, unless the store holds the same execution,
and go to `book/chapters/NAME.ipynb`; then Jupyter Book makes the HTML, unless the same inputs made it.
"""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock
from joblib import Parallel, delayed
from neighborhoods.orphans import end_with
from neighborhoods.progress import message
from neighborhoods.store import ROOT, Item, Store, StoreError, default_store

from book import execute, parameters, provenance, site
from book.parameters import BuildError

PROFILES = ("smoke", "quick", "paper")
JOBS = 2  # chapters executed side by side, each in its process


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what the command line asks for; 0 when the book stands, 1 with one message when it does not."""
    options = _parser().parse_args(arguments)
    root = options.root.resolve()
    start = time.perf_counter()
    (root / "_build").mkdir(exist_ok=True)
    with FileLock(root / "_build" / ".lock"):
        try:
            chapters = plan(root, options)
            write(root, chapters, default_store())
            done = not options.no_html and site.build(root)
        except (BuildError, StoreError) as error:
            site.retire(root)
            message(f"book: {error}\nbook: no page was published")
            return 1
        except KeyboardInterrupt:
            message("book: interrupted; what was finished stays in the store")
            return 130
    seconds = time.perf_counter() - start
    place = root / "book" / "chapters" if options.no_html else site.html(root) / "index.html"
    message(
        f"book: {place} ({'built' if done else 'up to date'}, profile {options.profile}, {seconds:.1f} s)"
    )
    return 0


def plan(root: Path, options: argparse.Namespace) -> list[execute.Chapter]:
    """The executions that the options ask for.

    Raises:
        BuildError: an unknown profile, chapter or parameter, or a parameter of the wrong type.
    """
    if options.profile not in PROFILES:
        raise BuildError(f"profile is {options.profile!r}; it must be one of {', '.join(PROFILES)}")
    sources = {path.stem: path for path in sorted((root / "notebooks").glob("*.md"))}
    for name in options.chapter:
        if name not in sources:
            raise BuildError(f"chapter is {name!r}; it must be one of {', '.join(sources)}")
    given = dict([*options.p, *(parameters.split(text) for text in shlex.split(options.parameters))])
    chosen = options.chapter or list(sources)
    types = {name: parameters.declared(execute.read(sources[name].read_text("utf-8"))) for name in chosen}
    parameters.known(given, types)
    return [
        execute.chapter(path, options.profile, _values(given, types.get(name, {})))
        for name, path in sources.items()
        if name in chosen or not options.no_html  # the book needs all of its chapters
    ]


def write(root: Path, chapters: Sequence[execute.Chapter], store: Store) -> None:
    """Execute chapters, or take them from the store, and put them where the book expects them."""
    store.sweep()
    folder = root / "book" / "chapters"
    folder.mkdir(exist_ok=True)
    items = {chapter.name: Item(execute.execute, chapter) for chapter in chapters}
    missing = [item for item in items.values() if not store.has(item)]
    jobs = min(len(missing), JOBS)
    if jobs > 1:
        Parallel(n_jobs=jobs)(delayed(_compute)(store, item, os.getpid()) for item in missing)
    manifests, used = {}, {}
    for name, item in items.items():
        notebook = store.get(item)
        _replace(folder / f"{name}.ipynb", notebook)
        manifests[name] = store.manifest(item)
        used[name] = provenance.origins(store.root, execute.used(notebook))
    _replace(folder / "provenance.md", provenance.page(manifests, used, root).encode())
    lines = {name: provenance.line(manifest, used[name]) for name, manifest in manifests.items()}
    _replace(folder / "origins.json", json.dumps(lines, indent=1).encode())


def _compute(store: Store, item: Item[bytes], parent: int) -> None:
    """Compute an item in a process of its own."""
    end_with(parent)
    store.get(item)


def _replace(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(content)
        temporary.replace(path)


def _values(given: dict[str, str], types: dict[str, str]) -> dict[str, parameters.Parameter]:
    return {name: parameters.parse(name, text, types[name]) for name, text in given.items() if name in types}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m book.build", description="Execute the chapters, build the book."
    )
    parser.add_argument("--profile", default="quick", help="sizes: smoke, quick (default) or paper")
    parser.add_argument(
        "--chapter", action="append", default=[], help="only this chapter gets the parameters"
    )
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter"
    )
    parser.add_argument(
        "--parameters", default="", metavar="'NAME=VALUE ...'", help="the same in one argument"
    )
    parser.add_argument("--no-html", action="store_true", help="execute the chosen chapters, build no pages")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    os.environ[ROOT] = str(default_store().root)  # kernels use the same store, wherever they run
    sys.exit(main())
