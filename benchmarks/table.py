"""The table of benchmarks: its rows, how they are made and shown, and the file that keeps them."""

import json
import statistics
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Row:
    """A line of the table; times are per image (of the curve: per curve), errors as the head says."""

    name: str
    ours_s: float
    reference_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    error: float
    reference_error: float
    threads: int
    note: str


def keep(rows: list[Row]) -> None:
    """Write the rows, those of earlier runs under other names among them."""
    kept = {old["name"]: old for old in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    kept |= {new.name: asdict(new) for new in rows}
    RESULTS.write_text(json.dumps(list(kept.values()), indent=1) + "\n")


def row(name: str, ours: list[float], literal: list[float], errors: tuple[float, float], note: str) -> Row:
    """Put medians over the repetitions, with the extremes of their ratios, into a row."""
    ratios = [theirs / own for theirs, own in zip(literal, ours, strict=True)]
    middle = statistics.median
    return Row(
        name,
        middle(ours),
        middle(literal),
        middle(ratios),
        min(ratios),
        max(ratios),
        *errors,
        threads=torch.get_num_threads(),
        note=note,
    )


def absent(name: str, package: str) -> bool:
    """Tell whether the package that a row needs is not there, and say so in the row's place."""
    missing = find_spec(package) is None
    if missing:
        print(f"{name:24} not installed: {package}; see benchmarks/peers.txt", flush=True)
    return missing


def line(row: Row) -> str:
    """Format a row for the terminal."""
    return (
        f"{row.name:24} ours {1e3 * row.ours_s:9.3f} ms  literal {1e3 * row.reference_s:9.1f} ms  "
        f"{row.ratio:6.1f}x [{row.ratio_low:.1f}, {row.ratio_high:.1f}]  "
        f"error {row.error:.2g} (literal {row.reference_error:.2g})  {row.note}"
    )
