"""Random directions in many dimensions: the law of their angle, and the arc between them over its chord."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy import stats
from torch import Generator, Tensor

from neighborhoods.models.datasets import mnist
from neighborhoods.studies.weight_space.paths import PathSpec
from neighborhoods.studies.weight_space.weights import at, subject

LEVELS = {"low": 0.025, "median": 0.5, "high": 0.975}
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PairsSpec:
    """Pairs of random directions.

    Attributes:
        largest: the greatest dimension; the others are the lower powers of 2, from 2.
        pairs: at each dimension.
        seed: of the pairs.
    """

    largest: int
    pairs: int
    seed: int


@dataclass(frozen=True)
class ImagesSpec:
    """Pairs of test images.

    Attributes:
        path: run whose last state classifies the points between them.
        pairs: how many, each of two classes.
        positions: points from one image to the other, ends included.
    """

    path: PathSpec
    pairs: int
    positions: int


def cosine_quantile(dimension: int, level: float) -> float:
    r"""Return a quantile of the cosine of the angle between two independent uniform directions.

    $$ \frac{1 + \cos\theta}2 \sim \mathrm{Beta}\Big(\frac{n-1}2, \frac{n-1}2\Big), $$

    with mean 0 and deviation $1/\sqrt n$.

    Args:
        dimension: $n$, at least 2.
        level: of the quantile, in [0, 1].
    """
    half = (dimension - 1) / 2
    return float(2 * stats.beta.ppf(level, half, half) - 1)


def arc_over_chord(angle: npt.ArrayLike) -> Numbers:
    r"""Return the length of an arc of angle θ in (0, π] over its chord, $\theta/2\sin\frac\theta2$."""
    half = np.asarray(angle, np.float64) / 2
    return np.asarray(half / np.sin(half))


def depth(angle: npt.ArrayLike) -> Numbers:
    r"""Return the greatest distance of the arc from its chord, in chords: $\frac12\tan\frac\theta4$."""
    return np.asarray(np.tan(np.asarray(angle, np.float64) / 4) / 2)


def random_pairs(spec: PairsSpec) -> pd.DataFrame:
    """Return one row a dimension: ``low``, ``median``, ``high`` of arc over chord, its 0.025, 0.5 and 0.975
    quantiles over pairs of normal vectors, and ``exact_low``, ``exact_median``, ``exact_high`` by the law.
    """
    generator, rows = Generator().manual_seed(spec.seed), []
    for power in range(1, int(math.log2(spec.largest)) + 1):
        pairs = torch.randn(2, spec.pairs, 2**power, generator=generator, dtype=torch.float64)
        ratio = arc_over_chord(angles(*pairs).numpy())
        row: dict[str, float] = {"dimension": 2**power}
        for name, level in LEVELS.items():
            row[name] = float(np.quantile(ratio, level))
            # The ratio grows with the angle, which falls with the cosine.
            row[f"exact_{name}"] = float(arc_over_chord(np.arccos(cosine_quantile(2**power, 1 - level))))
        rows.append(row)
    return pd.DataFrame(rows)


def image_pairs(spec: ImagesSpec, path: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row a pair of test images: ``angle``, ``centred`` (after the mean of the first test images
    is taken off), in degrees; ``ratio``: arc over chord for their directions; ``agree``: share of the inner
    positions at which the network gives the point of the arc the class of that of the chord.
    """
    points, labels = mnist("test", 4 * spec.pairs)
    flat = points.flatten(1).to(spec.path.run.dtype)
    first, second = _unlike(labels, spec.pairs)
    one, other, mean = flat[first], flat[second], flat.mean(0)
    angle = angles(one, other)
    network = at(subject(spec.path.run, 1), path["states"][-1]).requires_grad_(False)
    t = torch.linspace(0, 1, spec.positions, dtype=flat.dtype)[1:-1, None]
    same = [
        (network(arc(a, b, t)).argmax(1) == network(torch.lerp(a, b, t)).argmax(1)).double().mean()
        for a, b in zip(one, other, strict=True)
    ]
    columns = {
        "angle": angle.rad2deg(),
        "centred": angles(one - mean, other - mean).rad2deg(),
        "ratio": arc_over_chord(angle.numpy()),
        "agree": torch.stack(same),
    }
    return pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})


def angles(one: Tensor, other: Tensor) -> Tensor:
    """Return the angle between each row of the one and of the other."""
    units = [torch.nn.functional.normalize(side.double(), dim=1) for side in (one, other)]
    # Kahan's form, accurate at small and at large angles.
    return 2 * torch.atan2((units[0] - units[1]).norm(dim=1), (units[0] + units[1]).norm(dim=1))


def arc(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    r"""Return points of the arc between two vectors.

    $$ \frac{\sin((1 - t)\theta)\,a + \sin(t\theta)\,b}{\sin\theta}, $$

    a circle's where they are as long as each other, an ellipse's otherwise.
    """
    angle = angles(start[None], end[None]).to(start)
    return (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / angle.sin()


def _unlike(labels: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the first disjoint neighbours in order whose classes differ."""
    rows = torch.arange(len(labels)).view(-1, 2)
    unlike = rows[labels[rows[:, 0]] != labels[rows[:, 1]]][:count]
    return unlike[:, 0], unlike[:, 1]
