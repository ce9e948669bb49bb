"""A store on a full disk and on one that may only be read: said in one line, and nothing half-written stays.

The limit on the size of files is the system's own, so these writes do fail in the middle. A store that may
only be read serves what it holds; anything else is refused before it is computed, for a value is what was
read back, never what was computed beside the store.
"""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import torch
from neighborhoods.store import Item, Store, StoreError, default_store

from book import build

pytestmark = pytest.mark.faults
PROJECT = Path(__file__).parents[1] / "book" / "project"
NOBODY = 65534
COMPUTED: list[int] = []


def tensors(spec: int) -> dict[str, torch.Tensor]:
    COMPUTED.append(spec)
    return {"w": torch.arange(spec, dtype=torch.float64)}


def table(spec: int) -> pd.DataFrame:
    return pd.DataFrame({"x": range(spec)})


def raw(spec: int) -> bytes:
    return b"x" * spec


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Nobody may write to these folders: root, who always may, is nobody meanwhile."""
    user = os.geteuid()
    for folder in folders:
        folder.chmod(0o555)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        for folder in folders:
            folder.chmod(0o755)


@pytest.fixture
def store() -> Iterator[Store]:
    """A store that any user can see; pytest's own folders are for one user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Store(Path(folder) / "store")


@pytest.mark.parametrize(
    "item",
    [Item(tensors, 4000), Item(table, 4000), Item(raw, 9000)],
    ids=lambda item: item.compute.__name__,
)
@pytest.mark.parametrize("free", [0, 500, 8000])
def test_a_full_disk_is_named_and_keeps_nothing_half_written(
    store: Store, item: Item[bytes], free: int
) -> None:
    small = Item(raw, 3)
    store.get(small)
    with full_disk(free), pytest.raises(StoreError) as caught:
        store.get(item)
    said = str(caught.value)
    assert said.startswith(f"store: {store.root} cannot be written (")
    assert "NEIGHBORHOODS_STORE" in said and "\n" not in said
    assert [path.name for path in store.root.iterdir() if path.name != ".locks"] == [small.name]
    store.get(item)
    assert store.has(item)


def test_a_store_that_may_only_be_read_serves_what_it_holds(store: Store) -> None:
    kept, missing = Item(tensors, 3), Item(tensors, 4)
    store.get(kept)
    assert not store.has(missing)  # which reads the sources of the digest
    COMPUTED.clear()
    with read_only(store.root, store.root / ".locks"):
        assert store.get(kept)["w"].tolist() == [0, 1, 2]
        assert store.has(kept)
        store.sweep()
        with pytest.raises(StoreError, match=r"cannot be written .*Permission denied"):
            store.get(missing)
    assert COMPUTED == []


def test_a_build_without_a_store_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NEIGHBORHOODS_STORE", str(tmp_path / "file" / "store"))
    assert build.main(["--root", str(PROJECT), "--profile", "smoke", "--no-html"]) == 1
    said = capfd.readouterr().err
    assert f"{default_store().root} cannot be written" in said and "Traceback" not in said
    assert "no page was published" in said
