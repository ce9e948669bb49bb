"""Every public function refuses bad arguments by name or answers truly; the book prints what was tried."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bad_inputs
import pandas as pd
import pytest
import torch
from torch import Tensor
from valid_calls import CALLS

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]
KNOWN = ROOT / "tests" / "expected" / "bad_inputs.csv"


def test_every_public_function_has_a_valid_call() -> None:
    assert {name.split()[0] for name in CALLS} == bad_inputs.public().keys()


def test_bad_arguments_are_refused_by_name_or_answered_truly(tmp_path: Path) -> None:
    command = [sys.executable, bad_inputs.__file__, str(tmp_path / "table.csv")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = pd.read_csv(tmp_path / "table.csv")
    assert found["failed"].sum() == 0
    pd.testing.assert_frame_equal(found, pd.read_csv(KNOWN))  # what the book prints; see `make expected`


def silent(x: Tensor) -> Tensor:
    return x.sum()


def nameless(x: Tensor) -> Tensor:
    if not x.isfinite().all():
        raise ValueError("something is wrong")
    return x.sum()


def broken(x: Tensor) -> Tensor:
    return x[int((~x.isfinite()).sum()) * len(x)]


def endless(x: Tensor) -> Tensor:
    while not x.isfinite().all():
        pass
    return x


@pytest.mark.parametrize("function", [silent, nameless, broken, endless])
def test_the_judge_fails_what_does_not_survive(
    function: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bad_inputs, "SECONDS", 0.2)
    signal.signal(signal.SIGALRM, bad_inputs._late)
    spoilt = torch.tensor([1.0, float("nan")])
    verdict, said = bad_inputs.judge(function, {"x": spoilt}, None, "x", "NaN")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert verdict == "failed", said
