"""Processes that a test may kill, begun by a server that has imported the packages: it takes no seconds."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["neighborhoods.studies.persistence.table"])


def begin(function: Callable[..., object], *arguments: object) -> BaseProcess:
    """Start a process that calls a function of an importable module."""
    process = CONTEXT.Process(target=function, args=arguments)
    process.start()
    return process
