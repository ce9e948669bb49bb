"""Studies from the command line, without Jupyter: as far as the time goes, and on from there next time."""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

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
    program: str, plans: Mapping[str, Sequence[Item[Any]]], store: Store, minutes: float
) -> Iterator[str]:
    """Compute the items of each plan in turn and yield the name of a plan when it is complete.

    Nothing new is started after the time; what is finished stays in the store, and the same call goes on from
    there.
    """
    deadline = time.monotonic() + 60 * minutes
    for name, plan in plans.items():
        for item in plan:
            if time.monotonic() > deadline:
                message(f"{program}: out of time at {name}; the same command goes on from here")
                return
            store.get(item)
        yield name
