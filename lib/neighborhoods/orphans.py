"""Processes that end with the one that began them, even if it is killed and can tell them nothing."""

import os
import threading
import time
from functools import cache


@cache
def end_with(parent: int) -> None:
    """End this process, unless it is that one, as soon as its parent is another one than this."""
    if os.getpid() != parent:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
