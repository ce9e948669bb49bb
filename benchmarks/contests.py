"""Our kernels against other packages: both in turn, the same work, and outputs that must agree.

Times are those of the processor, so that other processes do not count, on one thread each; both sides run
once before, which compiles what compiles. A side is told the number of the repetition, for other inputs each
time where that matters. How far the outputs may differ is said by each contest, which stops where they do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from table import Row, absent, row

Side = Callable[[int], Any]


@dataclass(frozen=True)
class Sides:
    """What both do in a repetition.

    Attributes:
        ours, theirs: the work, from the number of the repetition to an output.
        judge: both lists of outputs to a number for ours and one for theirs, as the note says; raises
            `DisagreementError`.
        count: units of work, which times are per.
        note: the sizes, how accuracy was made equal, and what the numbers of the judge are.
    """

    ours: Side
    theirs: Side
    judge: Callable[[list[Any], list[Any]], tuple[float, float]]
    count: int
    note: str


@dataclass(frozen=True)
class Contest:
    """A row of the table: its name, the package that it needs, and what makes its sides."""

    name: str
    package: str
    prepare: Callable[[], Sides]


class DisagreementError(Exception):
    """Two sides that were to do the same work did not."""


def contest_rows(contests: list[Contest], repetitions: int) -> Iterator[Row]:
    """Hold each contest whose package is there, and say which are not."""
    for contest in contests:
        if not absent(contest.name, contest.package):
            yield hold(contest.name, contest.prepare(), repetitions)


def hold(name: str, sides: Sides, repetitions: int) -> Row:
    """Let both sides work in turn."""
    for side in (sides.ours, sides.theirs):
        side(0)
    ours, theirs, seconds = [], [], ([], [])
    for repetition in range(repetitions):
        for side, found, spent in zip((sides.ours, sides.theirs), (ours, theirs), seconds, strict=True):
            start = time.process_time()
            found.append(side(repetition))
            spent.append((time.process_time() - start) / sides.count)
    return row(name, *seconds, sides.judge(ours, theirs), sides.note)


def require_close(name: str, difference: float, allowed: float) -> None:
    """Raise `DisagreementError` if outputs differ by more than is allowed."""
    if not difference <= allowed:
        raise DisagreementError(f"{name}: differ by {difference:.3g}; at most {allowed:.3g} is allowed")
