"""Where independent items are computed: in processes of this machine, or by the workers of a Dask cluster."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from joblib import Parallel, delayed, parallel_config

from neighborhoods.orphans import end_with

CLUSTER = "NEIGHBORHOODS_CLUSTER"

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(function: Callable[[T], R], items: Iterable[T], *, jobs: int) -> list[R]:
    """Return what a function gives for each of the items, in their order.

    `NEIGHBORHOODS_CLUSTER` may hold the address of a Dask scheduler, such as ``tcp://node7:8786``, whose
    workers then compute; without it, so many processes of this machine do, which end with this one. What a
    worker was computing when it ended is computed again by another one, and all of them need the store's
    folder under the same path.

    Args:
        function: of one item; it goes to the workers with all that it holds.
        items: independent of each other.
        jobs: how many are computed at a time, where there is no cluster.
    """
    task = function if os.environ.get(CLUSTER) else partial(_in_a_child, function, os.getpid())
    with _workers(), warnings.catch_warnings():
        # joblib replaces a process whose memory has grown, between two items, and says so.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        found: list[R] = Parallel(n_jobs=jobs)(delayed(task)(item) for item in items)
    return found


def _in_a_child(function: Callable[[T], R], parent: int, item: T) -> R:
    end_with(parent)
    return function(item)


@contextmanager
def _workers() -> Iterator[None]:
    """Let joblib use the cluster, if one is named, by a client that ends with the block."""
    address = os.environ.get(CLUSTER)
    if not address:
        yield
        return
    from distributed import Client  # noqa: PLC0415  (a second, which nobody without a cluster needs)

    # The client that joblib makes from an address stays, and looks for the scheduler when that has gone.
    made = Client(address, set_as_default=False)  # type: ignore[no-untyped-call]
    with made as client, parallel_config(backend="dask", client=client):
        yield
