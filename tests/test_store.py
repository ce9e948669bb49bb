"""The store: what it returns, when it computes again, and what survives a killed process."""

import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from runpy import run_module
from typing import Any

import pandas as pd
import pytest
import torch
from children import begin
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.digests import canonical, code_text, spec_text
from neighborhoods.store import Item, Store, default_store

CALLS: list[str] = []


@dataclass(frozen=True)
class Spec:
    size: int = 3
    rate: float = 0.1
    seed: int = 7
    names: tuple[str, ...] = ("a", "b")


def tensors(spec: Spec) -> dict[str, torch.Tensor]:
    CALLS.append("tensors")
    return {"w": torch.arange(spec.size, dtype=torch.float64), "n": torch.tensor([1, 2], dtype=torch.int8)}


def table(spec: Spec, parent: dict[str, torch.Tensor]) -> pd.DataFrame:
    CALLS.append("table")
    last = float(parent["w"][-1])
    numbers = [0.1 + 0.2, float("inf"), float("nan"), last, 1e-300]
    return pd.DataFrame({"x": numbers, "s": ["NA", "None", "q", "a,b", "é"], "ok": [True] * 5})


def raw(spec: Spec) -> bytes:
    CALLS.append("raw")
    return b"\x00notebook\n"


def unsupported(spec: Spec) -> object:
    return 3


@pytest.fixture(autouse=True)
def no_calls() -> None:
    CALLS.clear()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def chain() -> Item[pd.DataFrame]:
    return Item(table, Spec(), (Item(tensors, Spec()),))


def test_values_survive_exactly(store: Store, chain: Item[pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(store.get(chain), table(Spec(), tensors(Spec())), check_exact=True)
    read = store.get(chain.parents[0])
    assert read["w"].tolist() == [0, 1, 2]
    assert read["n"].dtype == torch.int8
    assert store.get(Item(raw, Spec())) == raw(Spec())


def test_computes_once_and_parents_only_when_needed(store: Store, chain: Item[pd.DataFrame]) -> None:
    store.get(chain)
    store.get(chain)
    assert ["table", "tensors"][::-1] == CALLS
    assert store.has(chain)
    assert not store.has(Item(tensors, Spec(size=4)))


def test_manifest_says_what_made_it(store: Store, chain: Item[pd.DataFrame]) -> None:
    store.get(chain)
    manifest = store.manifest(chain)
    assert manifest["seed"] == 7
    assert manifest["spec"]["rate"] == 0.1
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["parents"] == [chain.parents[0].name]
    assert {"commit", "dirty", "device", "dtype", "profile", "seconds", "artifact"} <= set(manifest)
    assert store.manifest(chain.parents[0])["dtype"] == ["torch.float64", "torch.int8"]


@pytest.mark.faults
@pytest.mark.parametrize("damage", ["truncate", "empty", "alter", "remove", "manifest"])
@pytest.mark.parametrize("function", [tensors, table, raw])
def test_damage_is_reported_and_repaired(
    store: Store, function: Callable[..., Any], damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parents = (Item(tensors, Spec()),) if function is table else ()
    item: Item[Any] = Item(function, Spec(), parents)
    first = str(store.get(item))  # now: tensors are mapped from the file that is damaged below
    (artifact,) = (store.root / item.name).glob("artifact.*")
    text = artifact.read_bytes()
    if damage in ("truncate", "empty"):
        artifact.write_bytes(text[:-4] if damage == "truncate" else b"")
    elif damage == "alter":
        artifact.write_bytes(text[:-1] + bytes([text[-1] ^ 1]))
    elif damage == "remove":
        artifact.unlink()
    else:
        (artifact.parent / "manifest.json").write_text("{")
    CALLS.clear()
    assert not store.has(item)
    assert str(store.get(item)) == first
    assert [function.__name__] == CALLS
    assert item.name in capsys.readouterr().err
    assert artifact.read_bytes() == text


def test_two_stores_hold_the_same_bytes(tmp_path: Path, chain: Item[pd.DataFrame]) -> None:
    for name in ("one", "two"):
        Store(tmp_path / name).get(chain)
    artifacts = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("artifact.*"))
    assert len(artifacts) == 2
    for path in artifacts:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_refusals_name_what_they_received(store: Store) -> None:
    with pytest.raises(ValueError, match=r"compute: received .*lambda"):
        Item(lambda spec: b"", Spec())
    with pytest.raises(TypeError, match=r"spec: received <object"):
        canonical({"a": object()})
    with pytest.raises(TypeError, match="value: received int"):
        store.get(Item(unsupported, Spec()))
    assert list(store.root.glob("unsupported-*")) == []


def test_default_root_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEIGHBORHOODS_STORE", str(tmp_path))
    assert default_store().root == tmp_path
    monkeypatch.delenv("NEIGHBORHOODS_STORE")
    assert default_store().root.name == ".store"


@given(st.integers(), st.floats(allow_nan=False), st.integers(), st.floats(allow_nan=False))
def test_equal_specs_and_only_they_share_a_text(a: int, x: float, b: int, y: float) -> None:
    same = repr((a, x)) == repr((b, y))
    assert (spec_text(Spec(size=a, rate=x)) == spec_text(Spec(size=b, rate=y))) == same


def test_comments_and_docstrings_are_no_code() -> None:
    plain = "def f(x):\n    return x + 1\n"
    assert code_text('"""Module."""\n' + plain) != code_text(plain.replace("1", "2"))
    told = '"""Other."""\n# why\ndef f(x):\n    """Doc."""\n    return x+1  # so\n'
    silent = '"""Module."""\ndef f(x):\n    """Text."""\n    return x + 1\n'
    assert code_text(told) == code_text(silent)


# Two kernels and two studies: `left` uses kernel a, `right` uses kernel b and the value of `left`.
TOY = {
    "kernels/a.py": "def double(x):\n    return 2 * x\n",
    "kernels/b.py": "def triple(x):\n    return 3 * x\n",
    "left.py": "from toy.kernels.a import double\n",
    "right.py": "from toy.kernels.b import triple\n",
    "run.py": """
        from pathlib import Path
        from neighborhoods.store import Item, Store
        from toy import left, right
        root = Path(__file__).parents[1] / "store"
        base = Item(left.base, "spec")
        last = Item(right.last, "spec", (base, Item(right.other, "spec")))
        Store(root).get(last)
        """,
}
TOY_FUNCTION = """
def {name}(spec, *parents):
    with open({log!r}, "a") as stream:
        stream.write("{name} ")
    import time; time.sleep({pause})
    return str({call}(7)).encode()
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return make_toy(tmp_path, pause=0.0)


def make_toy(folder: Path, pause: float) -> Path:
    for name, text in TOY.items():
        path = folder / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    for package in ("", "kernels/"):
        (folder / "toy" / f"{package}__init__.py").write_text("")
    log = str(folder / "log")
    for module, name, call in (
        ("left", "base", "double"),
        ("right", "other", "triple"),
        ("right", "last", "triple"),
    ):
        with (folder / "toy" / f"{module}.py").open("a") as stream:
            stream.write(TOY_FUNCTION.format(name=name, log=log, call=call, pause=pause))
    return folder


def start(folder: Path) -> BaseProcess:
    return begin(run_toy, folder)


def run_toy(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    run_module("toy.run")


def ended_well(process: BaseProcess) -> bool:
    process.join(60)
    return process.exitcode == 0


def read(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def computed(folder: Path) -> set[str]:
    log = folder / "log"
    log.unlink(missing_ok=True)
    assert ended_well(start(folder))
    return set(read(log).split())


def test_an_edited_kernel_recomputes_its_descendants_only(toy: Path) -> None:
    kernel = toy / "toy" / "kernels" / "b.py"
    assert computed(toy) == {"base", "other", "last"}
    assert computed(toy) == set()
    kernel.write_text("# a remark\n" + kernel.read_text())
    assert computed(toy) == set()
    kernel.write_text("def triple(x):\n    return 3.0 * x\n")
    assert computed(toy) == {"other", "last"}
    (toy / "toy" / "kernels" / "a.py").write_text("def double(x):\n    return x + x\n")
    assert computed(toy) == {"base", "last"}


@pytest.mark.faults
def test_killed_runs_resume_and_lose_only_the_item_in_flight(tmp_path: Path) -> None:
    folder = make_toy(tmp_path, pause=0.3)
    whole = 0
    for wait in (0.1, 0.35, 0.2, 0.05):
        process = start(folder)
        deadline = time.monotonic() + 60
        before = read(folder / "log")
        while process.is_alive() and read(folder / "log") == before:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(wait)
        process.kill()
        process.join()
        kept = len(list((folder / "store").glob("[a-z]*")))
        assert kept >= whole
        whole = kept
    computed(folder)
    store = Store(folder / "store")
    store.sweep()
    assert sorted(path.name.split("-")[0] for path in store.root.glob("[a-z]*")) == ["base", "last", "other"]
    assert list(store.root.glob(".*.tmp")) == []
    assert computed(folder) == set()


@pytest.mark.faults
def test_a_temporary_left_by_a_killed_run_is_swept(store: Store, chain: Item[pd.DataFrame]) -> None:
    unfinished = store.root / f".{chain.name}.tmp"
    unfinished.mkdir(parents=True)
    (unfinished / "artifact.csv").write_text("x\n1")
    store.get(chain)
    assert not unfinished.exists()
    unfinished.mkdir()
    store.sweep()
    assert not unfinished.exists()


@pytest.mark.faults
def test_two_runs_on_one_store_share_the_work(tmp_path: Path) -> None:
    folder = make_toy(tmp_path, pause=0.5)
    runs = [start(folder), start(folder)]
    assert all(ended_well(run) for run in runs)
    assert sorted((folder / "log").read_text().split()) == ["base", "last", "other"]


def test_what_is_asked_for_is_noted_the_same_first_and_later(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = Item(table, Spec(), (Item(tensors, Spec()),))
    for number in range(2):
        monkeypatch.setenv("NEIGHBORHOODS_USED", str(tmp_path / f"used-{number}"))
        store.get(item)
        assert (tmp_path / f"used-{number}").read_text() == f"{item.name}\n", "parents are in the manifest"
