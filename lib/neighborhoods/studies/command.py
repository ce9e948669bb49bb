"""Studies from the command line, without Jupyter: as far as the time goes, and on from there next time."""

import argparse
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, delayed

from neighborhoods.orphans import end_with
from neighborhoods.progress import message
from neighborhoods.store import Item, Store


def parser(
    program: str, description: str | None, unit: str, *, rounded: bool = True
) -> argparse.ArgumentParser:
    """Return a parser of the options that every study has.

    Args:
        program: name of the study's module.
        description: what the command does.
        unit: what ``--only`` names, such as a row of a table.
        rounded: whether the study knows how to compute in TF32.
    """
    cuda = torch.cuda.is_available()
    options = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    options.add_argument("--profile", default="paper", help="smoke, quick or paper (default)")
    options.add_argument("--only", action="append", metavar="NAME", help=f"{unit}; may be repeated")
    options.add_argument(
        "--minutes", type=float, default=float("inf"), help="start nothing new after this time"
    )
    options.add_argument("--out", type=Path, required=True, help="folder for the tables and their manifests")
    options.add_argument(
        "--device", default="cuda" if cuda else "cpu", help="cpu, or cuda (default where there is one)"
    )
    if rounded:
        options.add_argument(
            "--tf32",
            action=argparse.BooleanOptionalAction,
            default=cuda,
            help="let convolutional networks be trained and measured in TF32 (default on a CUDA device)",
        )
    return options


def completed(
    program: str, plans: Mapping[str, Sequence[Item[Any]]], store: Store, minutes: float, jobs: int = 1
) -> Iterator[str]:
    """Compute the items of each plan in turn and yield the name of a plan when it is complete.

    Nothing new is started after the time; what is finished stays in the store, and the same call goes on from
    there. Several processes take items in this order, too, and plans may then be completed in another.
    """
    deadline = time.monotonic() + 60 * minutes
    left = Counter({name: len(plan) for name, plan in plans.items()})
    late: list[str] = []
    here = os.getpid()
    work = (
        delayed(_finished)(store, name, item, deadline, here) for name, plan in plans.items() for item in plan
    )
    for name, finished in Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")(work):
        if not finished:
            late.append(name)
        left[name] -= finished
        if not left[name]:
            yield name
    if late:
        message(f"{program}: out of time at {late[0]}; the same command goes on from here")


def _finished(store: Store, name: str, item: Item[Any], deadline: float, parent: int) -> tuple[str, bool]:
    """Compute an item where there is time; return its plan and whether it is in the store."""
    end_with(parent)
    if time.monotonic() > deadline:
        return name, False
    store.get(item)
    return name, True
