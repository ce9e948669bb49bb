"""Attribute 100 steps of 784-128-10 on 10 000 images, and print seconds and the peak of memory as JSON.

The states of training are streamed to a folder and read one by one. The seconds are those of the processor in
all threads together, which no other process lengthens: a clock shows fewer.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import torch
from neighborhoods.kernels.path_kernel import attribution
from neighborhoods.models import networks
from neighborhoods.models.datasets import mnist
from neighborhoods.models.trajectory import record
from torch import Generator

QUERIES, EXAMPLES, STEPS = 50, 10_000, 100


def main() -> None:
    """Train, attribute, and report; a peak is that of the whole process, training included."""
    torch.set_num_threads(2)
    network = networks.build("FC128-10", generator=Generator().manual_seed(0))
    images, queries = mnist("train", EXAMPLES), mnist("test", QUERIES).points
    with tempfile.TemporaryDirectory() as folder:
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        run = record(network, optimizer, *images, steps=STEPS, folder=Path(folder) / "run")
        start = time.process_time()
        found = attribution(network, run, queries, *images)
        seconds = time.process_time() - start
    outputs = network(queries).detach()
    if float((found.prediction - outputs).abs().max() / (outputs - found.start).abs().max()) > 5e-6:
        raise RuntimeError("the kernel machine is not the network")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sizes = {"queries": QUERIES, "examples": EXAMPLES, "steps": STEPS}
    print(json.dumps({"seconds": seconds, "gibibytes": peak} | sizes))


if __name__ == "__main__":
    main()
