"""Persistence along segments, at even steps of the path and at even steps of the probability of a class."""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from neighborhoods.kernels.lines import Lines, on_lines
from neighborhoods.models.networks import load
from neighborhoods.studies.persistence_revisited.ends import KINDS
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec, measure
from neighborhoods.studies.persistence_revisited.ways import first_of_each

SPACES = ("image", "probability")
SIDES = ("before", "beyond", "third")
FOLLOWED = ("least", "partner")
FINE = 200
HALVINGS = 40


@dataclass(frozen=True)
class LinesSpec:
    """How persistence is measured, on how many segments of each kind, and at how many points of each."""

    measure: MeasureSpec
    segments: int
    places: int


def interpolate(spec: LinesSpec, trained: dict[str, Tensor], crossed: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return persistence along segments, one row a point.

    With $a$ and $b$ the classes of the ends of $x(t)=x_0+t(x_1-x_0)$, $q=p_b/(p_a+p_b)$ is the probability
    of the second one among the two. In image space points stand at even steps of $t$, in probability space
    where $q$ takes even steps between its values at the ends; see `places_of`.

    Columns: ``kind``, ``row``, ``space``, ``t``, ``u`` (the even steps, 0 to 1), ``odds`` (the difference of
    the two logits, which is $\ln q/(1-q)$), ``q``; ``third``, the probability of all other classes;
    ``side``, "before", "beyond" or "third" by the class at the point; ``sigma``, ``low``, ``high``,
    ``status``; ``rises``, whether the difference never falls along the segment.
    """
    network = load(spec.measure.network, trained)
    kinds = [KINDS.index(kind) for kind in FOLLOWED]
    chosen = first_of_each(crossed["kind"], spec.segments, kinds)
    start, step = crossed["start"][chosen], (crossed["end"] - crossed["start"])[chosen]
    pair = torch.stack([crossed["first"], crossed["second"]], 1)[chosen]
    lines = on_lines(network, start, step)
    kind, rows = [KINDS[place] for place in crossed["kind"][chosen]], crossed["row"][chosen].numpy()
    head: dict[str, Any] = {"kind": kind, "row": rows, "rises": rising(lines, pair).numpy()}
    parts = []
    for space, u in product(SPACES, torch.linspace(0, 1, spec.places).tolist()):
        t = torch.full((len(chosen),), u) if space == "image" else places_of(lines, pair, u)
        points = start + t.reshape(-1, *[1] * (step.ndim - 1)) * step
        columns = head | {"space": space, "u": u, "t": t.numpy()} | _outputs(network(points).double(), pair)
        parts.append(measure(spec.measure, network, points).assign(**columns))
    return pd.concat(parts, ignore_index=True)


def places_of(lines: Lines, pair: Tensor, u: float) -> Float[Tensor, " m"]:
    r"""Return on each line a $t$ in [0, 1] with $q(t)=(1-u)\,q(0)+u\,q(1)$, by bisection.

    There is one since $q$ is continuous. Where $q$ is not monotone there may be more, of which this is one
    that $q$ passes on its way up.
    """
    zeros = torch.zeros(len(pair))
    start, end = (odds_of(lines(t).double(), pair) for t in (zeros, zeros + 1))
    if u in (0.0, 1.0):
        return zeros + u
    # ln q and ln(1 - q) apart: a q that is too close to 1 is no longer told from 1
    above, below = (
        torch.logaddexp(math.log1p(-u) + logsigmoid(sign * start), math.log(u) + logsigmoid(sign * end))
        for sign in (1, -1)
    )
    wanted, low, high = above - below, zeros, zeros + 1
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        reached = odds_of(lines(middle).double(), pair) >= wanted
        low, high = torch.where(reached, low, middle), torch.where(reached, middle, high)
    return (low + high) / 2


def rising(lines: Lines, pair: Tensor) -> Tensor:
    """Return whether the difference of the two logits never falls between `FINE` places of each line."""
    places = torch.linspace(0, 1, FINE)
    odds = torch.stack([odds_of(lines(t.expand(len(pair))).double(), pair) for t in places])
    return (odds.diff(dim=0) >= 0).all(0)


def odds_of(logits: Float[Tensor, "m classes"], pair: Tensor) -> Float[Tensor, " m"]:
    """Return the logit of the second class of each pair minus that of the first."""
    low, high = logits.gather(1, pair).unbind(1)
    return high - low


def _outputs(logits: Float[Tensor, "m classes"], pair: Tensor) -> dict[str, Any]:
    odds, label = odds_of(logits, pair), logits.argmax(1)
    side = torch.where(label == pair[:, 0], 0, torch.where(label == pair[:, 1], 1, 2))
    return {
        "odds": odds.numpy(),
        "q": odds.sigmoid().numpy(),
        "third": 1 - logits.softmax(1).gather(1, pair).sum(1).numpy(),
        "side": [SIDES[place] for place in side],
    }
