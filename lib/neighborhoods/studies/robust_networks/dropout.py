"""Classes on the way from one image to another under dropout: one mask for the whole way, or one a point."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import stats
from torch import Generator, Tensor, nn

from neighborhoods.kernels.statistics import labels_of
from neighborhoods.models import defences
from neighborhoods.models.datasets import mnist
from neighborhoods.models.defences import DefenceSpec, draw, masked
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.progress import bar
from neighborhoods.studies import intervals

HALVINGS = 20
KINDS = ("none", "fixed", "redrawn")
NARROWER = math.sqrt(5 / 6)  # deviation of the density of F(1 - F) over that of F, if F is normal
LEVEL = 0.05  # of the test of normality
BEST = 0.75  # quantile of the share of masks that cross once, above which pairs are looked at by themselves


@dataclass(frozen=True)
class WalkSpec:
    """Numbers of the walks.

    Attributes:
        training: of the network, with dropout.
        pairs: of test images of two classes.
        masks: on each segment, of either kind.
        places: on a segment, both ends among them.
        seed: of pairs and masks.
    """

    training: DefenceSpec
    pairs: int
    masks: int
    places: int
    seed: int


@dataclass(frozen=True)
class Segment:
    """A segment between two images, and the network behind its first layer.

    Attributes:
        rest: the other layers; the first one is linear, so that only its two ends are needed.
        ends: what the first layer makes of the two images.
        places: on the segment, from 0 to 1.
        own: class of the first image.
    """

    rest: nn.Sequential
    ends: Tensor
    places: Tensor
    own: int


def walks(spec: WalkSpec, trained: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return classes along the segments.

    Returns:
        ``source``, ``target``: numbers of the test images, and their classes ``from``, ``to``; ``none``
        (pairs by places), ``fixed`` and ``redrawn`` (pairs by masks by places): classes without dropout, with
        one mask for the whole segment, and with one for each place; ``location`` (pairs by masks): where the
        network of a fixed mask leaves the class of the start, NaN where it does not, or never was in it.
    """
    network, generator = load(spec.training.network, trained), Generator().manual_seed(spec.seed)
    source, target = pairs(network, spec.pairs, generator)
    data = mnist("test")
    places, parts = torch.linspace(0, 1, spec.places), []
    for one, other in bar(torch.stack([source, target], 1).tolist(), description="dropout on segments"):
        ends = network[:2](data.points[[one, other]])
        segment = Segment(network[2:], ends, places, int(data.labels[one]))
        parts.append(_classes(spec, segment, generator))
    columns = {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
    ends = {"from": data.labels[source], "to": data.labels[target]}
    return {"source": source, "target": target, **ends, **columns}


def pairs(network: nn.Sequential, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Return test images, drawn at random, that the network gets right, and partners of other classes."""
    data = mnist("test")
    order = torch.randperm(len(data.labels), generator=generator)
    order = order[: 10 * count]
    order = order[labels_of(network, data.points[order]) == data.labels[order]]
    half = len(order) // 2
    unlike = data.labels[order[:half]] != data.labels[order[half : 2 * half]]
    return order[:half][unlike][:count], order[half : 2 * half][unlike][:count]


def _classes(spec: WalkSpec, segment: Segment, generator: Generator) -> dict[str, Tensor]:
    """Return the columns of `walks` for one segment."""
    rest, kept = segment.rest, 1 - spec.training.strength
    widths = [segment.ends.shape[1], *defences.hidden(rest)]
    along = torch.lerp(segment.ends[0], segment.ends[1], segment.places[:, None])
    still = [draw(spec.masks, 1, width, kept=kept, generator=generator) for width in widths]
    moving = [draw(spec.masks, spec.places, width, kept=kept, generator=generator) for width in widths]
    fixed = masked(rest, along, still).argmax(2)
    return {
        "none": rest(along).argmax(1).to(torch.int8),
        "fixed": fixed.to(torch.int8),
        "redrawn": masked(rest, along, moving).argmax(2).to(torch.int8),
        "location": first_exits(segment, fixed != segment.own, still),
    }


def first_exits(segment: Segment, left: Tensor, masks: list[Tensor]) -> Tensor:
    """Return where each mask's network first leaves its class, halving the step in which a scan saw it."""
    places, first = segment.places, left.int().argmax(1)
    low, high = places[(first - 1).clamp_min(0)], places[first]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        at = torch.lerp(segment.ends[0], segment.ends[1], middle[:, None, None])
        out = masked(segment.rest, at, masks).argmax(2)[:, 0] != segment.own
        low, high = torch.where(out, low, middle), torch.where(out, middle, high)
    return torch.where(left.any(1) & ~left[:, 0], (low + high) / 2, torch.nan)


def shapes(found: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row a pair: of the locations for fixed masks ``count``, ``mean``, ``deviation``,
    ``skewness``, ``kurtosis`` (excess) and ``p`` of the test of Shapiro and Wilk; ``redrawn``, the deviation
    of the places where the class changes when masks are redrawn, less that of the grid; ``third``, the share
    of fixed masks under which the segment meets a third class.
    """
    rows = []
    for pair, locations in enumerate(found["location"]):
        values = locations[~locations.isnan()].double().numpy()
        once = _changed(found["fixed"][pair]).sum(1) == 1
        spread = _spread(_changed(found["redrawn"][pair]).sum(0))
        row = {"pair": pair, "count": len(values), "mean": values.mean(), "deviation": values.std(ddof=1)}
        row |= {"skewness": stats.skew(values), "kurtosis": stats.kurtosis(values)}
        row |= {"p": stats.shapiro(values).pvalue, "once": float(once.double().mean())}
        rows.append(row | {"redrawn": spread, "ratio": spread / row["deviation"]})
    return pd.DataFrame(rows)


def _changed(classes: Tensor) -> Tensor:
    return classes[..., 1:] != classes[..., :-1]


def _spread(counts: Tensor) -> float:
    """Return the deviation of places that were counted in equal cells of [0, 1]."""
    weights = counts.double() / counts.sum()
    middles = (torch.arange(len(counts)) + 0.5).double() / len(counts)
    variance = (weights * (middles - (weights * middles).sum()).square()).sum()
    return float((variance - 1 / (12 * len(counts) ** 2)).clamp_min(0).sqrt())


def _others(classes: Tensor, start: int, end: int) -> Tensor:
    """Return how many classes other than those of the ends each walk meets."""
    met = torch.nn.functional.one_hot(classes.long(), CLASSES).amax(-2)
    return met.sum(-1) - met[..., start] - met[..., end]


def changes(found: dict[str, Tensor]) -> pd.DataFrame:
    r"""Return one row a pair and step between neighbouring places: ``pair``, ``place`` in its middle,
    ``counted``, how many walks change their class there when masks are redrawn, and ``expected``, how many of
    the $M$ would if the masks at both places were two different ones of the fixed, drawn at random. That is
    $M(1 - \sum_kp_k(t)p_k(t'))$ for many masks, of which a share $p_k(t)$ sees class $k$ at $t$.
    """
    shares = torch.nn.functional.one_hot(found["fixed"].long(), CLASSES).double().mean(1)
    masks, same = found["fixed"].shape[1], (~_changed(found["fixed"])).double().mean(1)
    alike = (masks * (shares[:, 1:] * shares[:, :-1]).sum(2) - same) / (masks - 1)
    expected = masks * (1 - alike)
    counted = _changed(found["redrawn"]).sum(1)
    steps = counted.shape[1]
    pair, step = np.indices(counted.shape)
    columns = {"pair": pair.ravel(), "place": (step.ravel() + 0.5) / steps}
    columns |= {"counted": counted.flatten().numpy(), "expected": expected.flatten().numpy()}
    return pd.DataFrame(columns)


def visited(found: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a pair and kind of mask: ``pair``, ``kind``, ``others``, the mean number of classes
    beside those of the two ends that a walk meets.
    """
    rows = []
    for pair, (start, end) in enumerate(zip(found["from"].tolist(), found["to"].tolist(), strict=True)):
        for kind in KINDS:
            others = _others(found[kind][pair], start, end).double().mean()
            rows.append({"pair": pair, "kind": kind, "others": float(others)})
    return pd.DataFrame(rows)


def total(table: pd.DataFrame, seed: int) -> pd.Series:
    """Return all changes of class over those expected, ``value``, ``low``, ``high`` over resampled pairs."""
    sums = table.groupby("pair")[["counted", "expected"]].sum().to_numpy()
    return intervals.resampled(lambda draw: float(np.divide(*sums[draw].sum(0))), len(sums), seed=seed)


def trends(shapes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row a quantity: ``quantity``, and ``value``, ``low``, ``high`` of its rank correlation with
    the ``width`` of the network, over resampled pairs: the size of the ``skewness``, ``kurtosis``, and ``p``.
    """
    rows = []
    for quantity in ("skewness", "kurtosis", "p"):
        sizes = shapes.assign(skewness=shapes["skewness"].abs())
        wide = sizes.pivot_table(quantity, index="pair", columns="width")
        widths, values = np.tile(wide.columns, (len(wide), 1)), wide.to_numpy()

        def order(
            draw: npt.NDArray[np.int64],
            values: intervals.Numbers = values,
            widths: intervals.Numbers = widths,
        ) -> float:
            return float(stats.spearmanr(widths.ravel(), values[draw].ravel()).statistic)

        rows.append({"quantity": quantity, **intervals.resampled(order, len(values), seed=seed)})
    return pd.DataFrame(rows)


def summary(shape: pd.DataFrame) -> pd.DataFrame:
    """Return one row a quantity: ``quantity``, ``value``, ``low``, ``high`` over ``pairs``.

    Medians of ``skewness`` (its size), ``kurtosis``, and ``ratio``; ``rejected``: the share of pairs whose
    locations are not normal at `LEVEL`; ``single ratio``: the ratio of those ``single`` pairs that the most
    masks cross once, a share of at least ``once``.
    """
    once = shape["once"].quantile(BEST)
    single = shape[shape["once"] >= once]
    parts = {
        "skewness": intervals.median(shape["skewness"].abs()),
        "kurtosis": intervals.median(shape["kurtosis"]),
        "ratio": intervals.median(shape["ratio"]),
        "rejected": intervals.share(shape["p"] < LEVEL),
        "single ratio": intervals.median(single["ratio"]),
    }
    rows = [
        {"quantity": name, "value": part.iloc[0], "low": part["low"], "high": part["high"]}
        for name, part in parts.items()
    ]
    return pd.DataFrame(rows).assign(pairs=len(shape), single=len(single), once=once)
