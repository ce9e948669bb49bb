"""Processes of a build that end with it, even if it is killed and can tell them nothing."""

import os
import threading
import time


def end_with(parent: int) -> None:
    """End this process as soon as its parent is another one than this."""
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
