"""The error of fixed rules of quadrature against their number of nodes, beside the exact integration."""

from dataclasses import dataclass
from typing import get_args

import pandas as pd
from torch import Tensor

from neighborhoods.kernels.chord_rules import Rule, telescoped_by_rule
from neighborhoods.kernels.path_kernel import telescoped
from neighborhoods.progress import bar
from neighborhoods.studies.path_kernel.gaps import gap, opened
from neighborhoods.studies.recorded import RecordedSpec


@dataclass(frozen=True)
class NodesSpec:
    """Numbers of the comparison.

    Attributes:
        run: what was recorded.
        queries: half of them test images, half training images.
        finest: most nodes on a chord.
    """

    run: RecordedSpec
    queries: int
    finest: int


def errors(spec: NodesSpec, values: dict[str, Tensor]) -> pd.DataFrame:
    """Return rows ``network``, ``activation``, ``rule``, ``nodes``, ``gap``; the rule "exact" has 0 nodes."""
    run = opened(spec.run, values, spec.queries)
    exact = telescoped(run.network, run.trajectory, run.queries).prediction
    rows: list[tuple[str, int, float]] = [("exact", 0, gap(exact, run.outputs, run.start))]
    counts = [2**power for power in range(spec.finest.bit_length()) if 2**power <= spec.finest]
    for count in bar(counts, description="nodes"):
        for rule in get_args(Rule):
            if rule == "gauss" and count > 64:
                continue
            found = telescoped_by_rule(run.network, run.trajectory, run.queries, rule=rule, nodes=count)
            rows.append((rule, count, gap(found, run.outputs, run.start)))
    table = pd.DataFrame(rows, columns=["rule", "nodes", "gap"])
    return table.assign(network=spec.run.network, activation=spec.run.activation)
