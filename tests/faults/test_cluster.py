"""Table 1 on a Dask cluster of two workers, one of which is killed: the same rows, and nothing is lost."""

import os
import signal
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from distributed import Client, LocalCluster, Scheduler
from neighborhoods.cluster import CLUSTER
from neighborhoods.profiles import NetworksSpec
from neighborhoods.store import Store
from neighborhoods.studies.persistence import table

pytestmark = pytest.mark.faults
NAMES = ("FC10-0", "FC10-2", "FC10-4")
SPEC = NetworksSpec(NAMES, images=1000, epochs=3, pairs=6, samples=64)


def clients(dask_scheduler: Scheduler) -> set[str]:
    """All clients but those that workers have for tasks of their own."""
    return {name for name in dask_scheduler.clients if not name.startswith("Client-worker")}


def kill_one(client: Client, store: Store) -> None:
    """Kill a worker as soon as something is computed."""
    deadline = time.monotonic() + 120
    while not list(store.root.glob("advance-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)


def test_a_cluster_gives_the_same_table_even_if_a_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        before, known = set(client.run(os.getpid).values()), client.run_on_scheduler(clients)
        monkeypatch.setenv(CLUSTER, cluster.scheduler_address)
        store = Store(tmp_path / "cluster")
        killer = threading.Thread(target=kill_one, args=(client, store))
        killer.start()
        found = table.table(store, SPEC)
        killer.join()
        assert set(client.run(os.getpid).values()) != before, "no worker was killed"
        assert client.run_on_scheduler(clients) == known, "a client was left behind"
    monkeypatch.delenv(CLUSTER)
    here = Store(tmp_path / "here")
    pd.testing.assert_frame_equal(found, table.table(here, SPEC, jobs=1), check_exact=True)
    assert {path.name for path in store.root.glob("[a-z]*")} == {
        path.name for path in here.root.glob("[a-z]*")
    }
    assert list(store.root.glob(".*.tmp")) == []
