"""Refuse, in one line, a Python outside `requires-python`: `python book/interpreter.py`, before all else.

It must run on the Pythons that it refuses: no TOML parser, no annotations newer than Python 3.6.
"""

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def complaint(version: str, project: str) -> str:
    """What to say of a version that `project`, the text of pyproject.toml, excludes; otherwise nothing."""
    low, high = re.findall(r'^requires-python = ">=([\d.]+),<([\d.]+)"', project, flags=re.MULTILINE)[0]
    lowest, received, excluded = (tuple(map(int, text.split("."))) for text in (low, version, high))
    if lowest <= received < excluded:
        return ""
    return (
        f"make: Python is {version}; at least {low} and less than {high} is required. "
        "Name another: make PYTHON=python3.12, or VENV=path of an environment."
    )


if __name__ == "__main__":
    sys.exit(complaint(".".join(map(str, sys.version_info[:3])), PROJECT.read_text(encoding="utf-8")) or 0)
