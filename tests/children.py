"""Processes that a test may kill, begun by a server that has imported the packages: it takes no seconds."""

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import psutil

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["neighborhoods.studies.persistence.table"])


def begin(function: Callable[..., object], *arguments: object) -> BaseProcess:
    """Start a process that calls a function of an importable module."""
    process = CONTEXT.Process(target=function, args=arguments)
    process.start()
    return process


def family(process: BaseProcess, word: str, count: int = 1) -> list[psutil.Process]:
    """All processes below one, as soon as so many of them have a word in their command."""
    deadline = time.monotonic() + 300
    while True:
        below = psutil.Process(process.pid).children(recursive=True)
        if sum(says(child, word) for child in below) >= count:
            return below
        assert process.is_alive() and time.monotonic() < deadline, f"no {word} was started"
        time.sleep(0.1)


def says(process: psutil.Process, word: str) -> bool:
    """Whether a process has a word in its command; one that has just ended has no command."""
    try:
        return word in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # ended, or a zombie, between the listing and the question
        return False


def kill(process: BaseProcess, below: list[psutil.Process]) -> None:
    """Kill a process, and see that all below it end."""
    process.kill()
    process.join()
    _, alive = psutil.wait_procs(below, timeout=20)
    assert alive == []
