"""Progress bars and messages for the terminal, kept out of notebook cells.

Code runs in three places. In a plain process, both go to standard error. In the kernel of `make book`
standard error belongs to the cell, so the build names a pipe to its own in `NEIGHBORHOODS_TERMINAL` and, if
that is a real terminal, its width in `NEIGHBORHOODS_COLUMNS`. In a kernel started by hand there is no
terminal: bars stay silent, messages go to the cell.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

from tqdm import tqdm

TERMINAL = "NEIGHBORHOODS_TERMINAL"
COLUMNS = "NEIGHBORHOODS_COLUMNS"

T = TypeVar("T")


@contextmanager
def terminal() -> Iterator[TextIO]:
    """The stream that reaches the person at the terminal: the pipe of the build, or standard error."""
    try:
        # Non-blocking, since opening a pipe that a dead build has left behind would wait for ever.
        descriptor = os.open(os.environ[TERMINAL], os.O_WRONLY | os.O_NONBLOCK)
    except (KeyError, OSError):
        yield sys.stderr
        return
    os.set_blocking(descriptor, True)
    with os.fdopen(descriptor, "w", encoding="utf-8", buffering=1) as stream:
        yield stream


def columns() -> int | None:
    """The width of the terminal that bars are drawn on, or None where there is nobody to see them."""
    if TERMINAL in os.environ:
        return int(os.environ.get(COLUMNS) or 0) or None
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else None
    except (OSError, ValueError):
        return None


def message(text: str) -> None:
    """Write one line to the terminal."""
    with terminal() as stream:
        stream.write(text + "\n")
        stream.flush()


def bar(iterable: Iterable[T], *, description: str, total: int | None = None) -> Iterator[T]:
    """Iterate, drawing a bar with an estimate of the time left where there is a terminal.

    Args:
        iterable: what is iterated over.
        description: what is being done, shown before the bar.
        total: number of elements, where `iterable` has no length.

    Returns:
        The elements of `iterable`, unchanged.
    """
    width = columns()
    if width is None:
        yield from iterable
        return
    with terminal() as stream:
        yield from tqdm(iterable, desc=description, total=total, file=stream, ncols=width, leave=False)
