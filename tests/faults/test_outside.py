"""Nothing comes in from outside: no file is unpickled, and a Python under test reaches no other machine.

The chapters (tests/book) and the fixture's book (tests/test_build.py) are executed with that same refusal.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
OFFLINE = ROOT / "tests" / "offline"
SOURCES = sorted(path for folder in ("lib", "book", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
READERS = {"pickle.load", "pickle.loads", "joblib.load", "pd.read_pickle", "pandas.read_pickle"}
READERS |= {"cloudpickle.load", "cloudpickle.loads", "dill.load", "dill.loads", "torch.jit.load"}


def unpickles(source: str) -> list[str]:
    """The calls in a piece of source that would execute what a file says."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call) for call in calls if _trusting(call)]


def _trusting(call: ast.Call) -> bool:
    name, given = ast.unparse(call.func), {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name == "torch.load":
        return given.get("weights_only") != "True"
    return name in READERS or (name in ("np.load", "numpy.load") and given.get("allow_pickle") == "True")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_unpickled(path: Path) -> None:
    assert unpickles(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("torch.load(path)", 1),
        ("torch.load(path, weights_only=False)", 1),
        ("torch.load(path, weights_only=True)", 0),
        ("np.load(path, allow_pickle=True)", 1),
        ("np.load(path)", 0),
        ("pickle.load(stream)", 1),
        ("pickle.dumps(value)", 0),
    ],
)
def test_the_detector_knows_readers(source: str, found: int) -> None:
    assert len(unpickles(source)) == found


@pytest.mark.parametrize("address", ["http://example.org", "http://192.0.2.1"])
def test_the_network_refuses(address: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(OFFLINE)}
    command = [sys.executable, "-c", f"import urllib.request as u; u.urlopen({address!r})"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing may be fetched" in done.stderr
