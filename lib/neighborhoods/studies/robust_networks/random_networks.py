"""Outputs of networks with random parameters at one image, and how far from normal they are over networks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Generator, Tensor

from neighborhoods.models.datasets import mnist
from neighborhoods.progress import bar
from neighborhoods.studies import intervals

PART = 50  # networks drawn at once
Draw = npt.NDArray[np.int64]
Groups = list[tuple[int, intervals.Numbers]]


@dataclass(frozen=True)
class RandomSpec:
    """Numbers of the draw.

    Attributes:
        widths: of the hidden layers, all of them equal.
        depths: numbers of hidden layers.
        networks: of each width and depth.
        seed: of the parameters.
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...]
    networks: int
    seed: int


def drawn(spec: RandomSpec) -> pd.DataFrame:
    """Return one row a network: ``depth``, ``width``, ``output`` at the first test image over its standard
    deviation, and ``variance`` of the output given the hidden layers, over its mean.
    """
    image = mnist("test", 1).points.flatten().double()
    generator = Generator().manual_seed(spec.seed)
    tables = []
    for depth in spec.depths:
        for width in bar(spec.widths, description=f"random networks, {depth} hidden layers"):
            sizes = [min(PART, spec.networks - first) for first in range(0, spec.networks, PART)]
            parts = [hidden(image, depth, width, networks, generator) for networks in sizes]
            # Each layer halves the mean square; the last one adds up values that are normal given the hidden.
            variance = torch.cat(parts).square().mean(1) / image.square().mean() * 2.0**depth
            output = variance.sqrt() * torch.randn(spec.networks, generator=generator, dtype=image.dtype)
            columns = {"output": output.numpy(), "variance": variance.numpy()}
            tables.append(pd.DataFrame(columns).assign(depth=depth, width=width))
    return pd.concat(tables, ignore_index=True)


def hidden(image: Tensor, depth: int, width: int, networks: int, generator: Generator) -> Tensor:
    r"""Return the last hidden layer of each network, $h_l = \max(0, W_l h_{l-1}/\sqrt{n_{l-1}})$.

    The entries of $W$ are independent and standard normal, and there are no biases.
    """
    values = image.expand(networks, -1)
    for _ in range(depth):
        shape = (networks, width, values.shape[1])
        weights = torch.randn(shape, generator=generator, dtype=torch.float32).to(image.dtype)
        values = (weights @ values[..., None])[..., 0].relu() / values.shape[1] ** 0.5
    return values


def expected(depth: int, width: float) -> float:
    r"""Return the excess kurtosis of the output, $3\big((1 + 5/n)^L - 1\big)$ for $L$ hidden layers."""
    return 3 * ((1 + 5 / width) ** depth - 1)


def kurtosis(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    r"""Return one row a depth and width: ``depth``, ``width``, ``value``, ``low``, ``high`` of the excess
    kurtosis $3\,{\rm var}(v)/{\rm mean}(v)^2$, $v$ the variance given the hidden layers, and ``expected``.
    """
    rows = []
    for depth, width, values in _groups(table):

        def excess(draw: Draw, values: intervals.Numbers = values) -> float:
            return _excess(values[draw])

        found = intervals.resampled(excess, len(values), seed=seed)
        rows.append({"depth": depth, "width": width, **found, "expected": expected(depth, width)})
    return pd.DataFrame(rows)


def slopes(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return one row a depth: ``depth``, and ``value``, ``low``, ``high`` of the slope of the logarithm of
    excess kurtosis over that of the width, over resampled networks; ``expected`` at the same widths.
    """
    rows = []
    for depth in sorted(set(table["depth"])):
        groups = [(width, values) for other, width, values in _groups(table) if other == depth]
        widths = np.log([float(width) for width, _ in groups])
        exact = np.log([expected(depth, width) for width, _ in groups])

        def slope(draw: Draw, groups: Groups = groups, widths: intervals.Numbers = widths) -> float:
            return float(np.polyfit(widths, np.log([_excess(values[draw]) for _, values in groups]), 1)[0])

        found = intervals.resampled(slope, len(groups[0][1]), seed=seed)
        rows.append({"depth": depth, **found, "expected": np.polyfit(widths, exact, 1)[0]})
    return pd.DataFrame(rows)


def _groups(table: pd.DataFrame) -> list[tuple[int, int, intervals.Numbers]]:
    """Return depth, width and variances of each kind of network, by depth and width."""
    kinds = sorted(set(zip(table["depth"], table["width"], strict=True)))
    wide = table.set_index(["depth", "width"])["variance"].sort_index()
    return [(int(depth), int(width), wide.loc[(depth, width)].to_numpy()) for depth, width in kinds]


def _excess(variances: intervals.Numbers) -> float:
    return float(3 * variances.var() / variances.mean() ** 2)
