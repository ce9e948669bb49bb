"""The numbers that a chapter glues into its prose, and the tables of them that tests compare with.

`python -m book.glued`, or `make expected`, executes every chapter with the smoke profile and writes
`tests/expected/smoke/NAME.csv` with the columns key and value.
"""

import argparse
import re
from pathlib import Path

import nbformat
import pandas as pd
from neighborhoods.store import Item, default_store

from book import execute

PROFILE = "smoke"
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
    chapter = execute.chapter(source, PROFILE, {})
    return default_store().get(Item(execute.execute, chapter))


def main(root: Path) -> None:
    """Write the tables of a project's chapters."""
    folder = root / "tests" / "expected" / PROFILE
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted((root / "notebooks").glob("*.md")):
        path = folder / f"{source.stem}.csv"
        glued(smoke(source)).to_csv(path, index=False, lineterminator="\n")
        print(path.relative_to(root))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parents[1], help="the project")
    main(parser.parse_args().root.resolve())
