"""Load a result, or compute it once: a directory of artifacts, each under the digest of all it depends on.

An item is a function, its spec and its parents. Its digest covers the spec, the parents' digests, the code
of the function's module and of all that it imports, and the versions of the numerical libraries: editing a
kernel recomputes exactly its descendants. What is read is checked against its hash; what is written appears
at once or not at all: a killed process costs the item it was computing and nothing else.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import pandas as pd
import torch
from filelock import FileLock, Timeout

from neighborhoods.artifacts import UNWRITABLE, Value, flush, load, save, sha256
from neighborhoods.digests import canonical, digest, module_digest, spec_text, versions
from neighborhoods.progress import message

ROOT = "NEIGHBORHOODS_STORE"
USED = "NEIGHBORHOODS_USED"  # a file that is to hold the names of the items asked for
V = TypeVar("V", dict[str, torch.Tensor], pd.DataFrame, bytes)


@dataclass(frozen=True)
class Item(Generic[V]):
    """Something that can be computed: `compute(spec, *values of parents)`, a function of a module.

    Raises:
        ValueError: where `compute` is not a module's function, whose code a digest can cover.
    """

    compute: Callable[..., V]
    spec: object
    parents: tuple["Item[Any]", ...] = ()

    def __post_init__(self) -> None:
        """Refuse functions that have no source of their own."""
        name = f"{self.compute.__module__}.{self.compute.__qualname__}"
        if self.compute.__qualname__ != self.compute.__name__ or self.compute.__module__ == "__main__":
            raise ValueError(
                f"compute: received {name}; a function at the top of an importable module is required"
            )

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the value depends on, in hexadecimal."""
        libraries = [f"{name} {number}" for name, number in versions().items() if name != "python"]
        code = [self.compute.__name__, module_digest(self.compute.__module__)]
        return digest(spec_text(self.spec), *(parent.digest for parent in self.parents), *code, *libraries)

    @property
    def name(self) -> str:
        """Name of the item's directory."""
        return f"{self.compute.__name__.strip('_')}-{self.digest[:16]}"


class DamageError(Exception):
    """An artifact that is not what was written."""


class StoreError(Exception):
    """A store that cannot be written: its disk is full, or nobody may write there."""


@dataclass(frozen=True)
class Store:
    """A directory of items, safe to share between processes."""

    root: Path

    def get(self, item: Item[V]) -> V:
        """The value of an item: read where it is stored, otherwise computed (parents first) and stored.

        Args:
            item: what is wanted.

        Returns:
            The value as it was read back, so that the first run and every later one see the same.

        Raises:
            StoreError: the value is not there, and the store cannot be written.
        """
        if os.environ.get(USED):
            with Path(os.environ[USED]).open("a", encoding="utf-8") as stream:
                stream.write(f"{item.name}\n")
        return self._obtain(item)

    def _obtain(self, item: Item[V]) -> V:
        with _damage_ignored():
            return cast(V, _read(self.root / item.name, item.digest))
        # One process computes; the others wait for the lock, which the system drops if its holder is killed.
        with self._lock(item.name):
            try:
                return cast(V, _read(self.root / item.name, item.digest))
            except FileNotFoundError:
                pass
            except DamageError as damage:
                message(f"store: {damage}; computing it again")
            parents = [self._obtain(parent) for parent in item.parents]
            start = time.perf_counter()
            value = item.compute(item.spec, *parents)
            self._write(item, value, time.perf_counter() - start)
            return cast(V, _read(self.root / item.name, item.digest))

    def has(self, item: Item[Any]) -> bool:
        """Whether an undamaged value of the item is stored."""
        with _damage_ignored():
            _verified(self.root / item.name, item.digest)
            return True
        return False

    def manifest(self, item: Item[Any]) -> dict[str, Any]:
        """What made a stored item: commit, versions, device, seed, seconds, content hash."""
        return _manifest(self.root / item.name)

    def sweep(self) -> None:
        """Remove what killed processes left unfinished; what a living one is writing is locked and stays."""
        for unfinished in self.root.glob(".*.tmp"):
            try:
                with self._lock(unfinished.name[1:-4], timeout=0):
                    shutil.rmtree(unfinished)
            except Timeout:
                continue

    @contextmanager
    def _lock(self, name: str, timeout: float = -1) -> Iterator[None]:
        lock = FileLock(self.root / ".locks" / name, timeout=timeout)
        with self._writing():
            (self.root / ".locks").mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except Timeout:
            raise
        except UNWRITABLE as error:
            advice = f"free space there, make it writable, or name another folder in {ROOT}"
            raise StoreError(f"store: {self.root} cannot be written ({error}); {advice}") from error

    def _write(self, item: Item[Any], value: Value, seconds: float) -> None:
        temporary = self.root / f".{item.name}.tmp"
        # We hold the lock, so a temporary directory of this name belongs to a process that was killed.
        shutil.rmtree(temporary, ignore_errors=True)
        with self._writing():
            try:
                self._fill(temporary, item, value, seconds)
            finally:  # on a full disk, what was not finished must not take the rest of it
                shutil.rmtree(temporary, ignore_errors=True)

    def _fill(self, temporary: Path, item: Item[Any], value: Value, seconds: float) -> None:
        final = self.root / item.name
        temporary.mkdir(parents=True)
        artifact = save(value, temporary)
        manifest = {
            "digest": item.digest,
            "compute": f"{item.compute.__module__}.{item.compute.__qualname__}",
            "spec": canonical(item.spec),
            "parents": [parent.name for parent in item.parents],
            **_origin(item.spec, value),
            "seconds": round(seconds, 3),
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "artifact": {
                "file": artifact.name,
                "sha256": sha256(artifact),
                "bytes": artifact.stat().st_size,
            },
        }
        text = json.dumps(manifest, indent=1) + "\n"
        (temporary / "manifest.json").write_text(text, encoding="utf-8")
        for path in (artifact, temporary / "manifest.json", temporary):
            flush(path)
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        flush(self.root)


def default_store() -> Store:
    """The store of `NEIGHBORHOODS_STORE`, otherwise `.store` in the repository that holds this package."""
    return Store(Path(os.environ.get(ROOT) or Path(__file__).parents[2] / ".store").absolute())


@contextmanager
def _damage_ignored() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, DamageError):
        return


def _manifest(folder: Path) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def _read(folder: Path, expected: str) -> Value:
    return load(_verified(folder, expected))


def _verified(folder: Path, expected: str) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    try:
        manifest = _manifest(folder)
        artifact = folder / str(manifest["artifact"]["file"])
        intact = manifest["digest"] == expected and manifest["artifact"]["sha256"] == sha256(artifact)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamageError(f"{folder.name} cannot be read ({error})") from error
    if not intact:
        raise DamageError(f"{artifact} is not what was written (its hash differs)")
    return artifact


def _origin(spec: object, value: Value) -> dict[str, object]:
    named = {name: getattr(spec, name, None) for name in ("device", "dtype", "seed", "profile")}
    if named["device"] != "cpu":
        named["device"] = torch.cuda.get_device_name() if torch.cuda.is_initialized() else "cpu"
    if named["dtype"] is None and isinstance(value, dict):
        named["dtype"] = sorted({str(tensor.dtype) for tensor in value.values()})
    return {**commit(), "versions": versions(), **{name: canonical(entry) for name, entry in named.items()}}


@cache
def commit() -> dict[str, object]:
    """The ``commit`` of the code and whether it is ``dirty``; None for both outside of a repository."""
    # No optional locks: looking at the working tree must not get in the way of a commit made meanwhile.
    git = ["git", "--no-optional-locks", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True, stderr=subprocess.DEVNULL)
        changes = subprocess.check_output(
            [*git, "status", "--porcelain"], text=True, stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": head.strip(), "dirty": bool(changes)}
