"""SIGKILL while a study trains, attacks and measures: what was finished stays, and no process is left."""

import time
from pathlib import Path

import pytest
from children import begin, family, kill
from neighborhoods.cluster import side_by_side
from neighborhoods.profiles import NetworksSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies import command
from neighborhoods.studies.persistence import table

pytestmark = pytest.mark.faults
NAME = "FC100-100-10"
SPEC = NetworksSpec((NAME,), images=6000, epochs=3, pairs=24, samples=512)
STAGES = ("advance", "attack", "measure")  # training, attack, measurement, as their functions are called


def finished(store: Store) -> dict[str, int]:
    """When each finished item was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in store.root.glob("[a-z]*/manifest.json")}


def in_flight(store: Store, stage: str) -> bool:
    """Whether an item is locked, and not yet there."""
    locked = {path.name for path in (store.root / ".locks").glob(f"{stage}-*")}
    first = stage == STAGES[0] or any(name.startswith("finish") for name in finished(store))
    attacked = stage != "measure" or any(name.startswith("attack") for name in finished(store))
    return bool(locked - finished(store).keys()) and first and attacked


def test_a_killed_study_loses_the_item_in_flight_and_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    row = table.row(SPEC, NAME)
    kept: dict[str, int] = {}
    for stage in STAGES:
        process = begin(store.get, row)
        deadline = time.monotonic() + 120
        while not in_flight(store, stage):
            assert process.is_alive() and time.monotonic() < deadline
            time.sleep(0.005)
        process.kill()
        process.join()
        found = finished(store)
        assert not any(name.startswith(stage) for name in found), f"{stage} had ended before it was killed"
        assert kept.items() <= found.items(), "an item was lost, or computed again"
        kept = found
    process = begin(store.get, row)
    process.join()
    assert process.exitcode == 0
    assert kept.items() <= finished(store).items()
    assert {name.partition("-")[0] for name in finished(store)} == {*STAGES, "finish", "summarise"}
    store.sweep()
    assert list(store.root.glob(".*.tmp")) == []


def sleeping(minutes: float) -> None:
    time.sleep(60 * minutes)


def of_a_study() -> None:
    side_by_side(sleeping, [2, 2], jobs=2)


def of_a_command(store: Store) -> None:
    plan = [Item(sleeping, minutes) for minutes in (2, 3)]
    list(command.completed("sleep", {"all": plan}, store, minutes=9, jobs=2))


def test_processes_of_a_killed_study_end_with_it() -> None:
    process = begin(of_a_study)
    kill(process, family(process, "LokyProcess", 2))


def test_processes_of_a_killed_command_end_with_it(tmp_path: Path) -> None:
    process = begin(of_a_command, Store(tmp_path))
    kill(process, family(process, "LokyProcess", 2))
