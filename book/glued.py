"""The numbers that a chapter glues into its prose, and the tables of them that come with the book.

`python -m book.glued`, or `make expected`, executes every chapter with the smoke profile and writes
`tests/expected/smoke/NAME.csv`, with the columns key and value, which tests compare with. `--profile paper`
writes them to `book/paper`, beside the manifests of what made them, and the scoreboard shows them.
"""

import argparse
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from neighborhoods.store import Item, default_store

from book import execute

FOLDERS = {"smoke": Path("tests", "expected", "smoke"), "paper": Path("book", "paper")}
LEFT_OUT = ("source", "code", "files")  # of a manifest: the commit says what they were
GLUED = "application/papermill.record/"  # what myst-nb writes before the type of a hidden output
NUMPY = re.compile(r"^np\.\w+\((.*)\)$")


def glued(notebook: bytes) -> pd.DataFrame:
    """Key and value of everything glued in an executed notebook that has a text, sorted by key.

    Figures are left out: they are compared as figures, never as numbers.
    """
    found: dict[str, str] = {}
    for cell in nbformat.reads(notebook.decode(), as_version=4).cells:
        for output in cell.get("outputs", []):
            entry = output.get("metadata", {}).get("scrapbook")
            text = output["data"].get(entry["mime_prefix"] + "text/plain", "<") if entry else "<"
            if not text.startswith("<"):
                found[entry["name"]] = NUMPY.sub(r"\1", text).strip("'\"")
    return pd.DataFrame(sorted(found.items()), columns=["key", "value"])


def smoke(source: Path) -> bytes:
    """A chapter as the smoke profile executes it, with its default parameters."""
    return default_store().get(_item(source, "smoke"))


def kept(root: Path) -> dict[str, pd.DataFrame]:
    """What chapters glued with the profile `paper`, by the name of the chapter."""
    return {path.stem: pd.read_csv(path) for path in sorted((root / FOLDERS["paper"]).glob("*.csv"))}


def main(root: Path, profile: str = "smoke", chapters: Collection[str] = ()) -> None:
    """Write the tables of a project's chapters, or of some of them.

    Raises:
        ValueError: an unknown chapter.
    """
    sources = {path.stem: path for path in sorted((root / "notebooks").glob("*.md"))}
    for name in chapters:
        if name not in sources:
            raise ValueError(f"chapter is {name!r}; it must be one of {', '.join(sources)}")
    folder = root / FOLDERS[profile]
    folder.mkdir(parents=True, exist_ok=True)
    for name in chapters or sources:
        item = _item(sources[name], profile)
        path = folder / f"{name}.csv"
        glued(default_store().get(item)).to_csv(path, index=False, lineterminator="\n")
        if profile == "paper":
            manifest = _without_texts(default_store().manifest(item))
            path.with_suffix(".json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        print(path.relative_to(root))


def _item(source: Path, profile: str) -> Item[bytes]:
    return Item(execute.execute, execute.chapter(source, profile, {}))


def _without_texts(manifest: Mapping[str, Any]) -> dict[str, Any]:
    spec = {name: value for name, value in manifest["spec"].items() if name not in LEFT_OUT}
    return {**manifest, "spec": spec}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m book.glued", description="Write what chapters glue.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1], help="the project")
    parser.add_argument("--profile", choices=FOLDERS, default="smoke", help="sizes (default: smoke)")
    parser.add_argument("--chapter", action="append", default=[], help="only this one; may be repeated")
    return parser


if __name__ == "__main__":
    options = _parser().parse_args()
    main(options.root.resolve(), options.profile, options.chapter)
