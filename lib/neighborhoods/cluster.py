"""Where independent items are computed: in processes of this machine, or by the workers of a Dask cluster."""

import os
from contextlib import AbstractContextManager, nullcontext

from joblib import parallel_config

CLUSTER = "NEIGHBORHOODS_CLUSTER"


def workers() -> AbstractContextManager[object]:
    """Return a context in which `joblib.Parallel` uses the cluster that `NEIGHBORHOODS_CLUSTER` names.

    The variable holds the address of its scheduler, such as ``tcp://node7:8786``; without it, processes of
    this machine are used. What a worker was computing when it ended is computed again by another one, and
    all of them need the store's folder under the same path.
    """
    address = os.environ.get(CLUSTER)
    return parallel_config(backend="dask", scheduler_host=address) if address else nullcontext()
