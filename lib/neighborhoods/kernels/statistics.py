"""Labels of points, verdicts on measurements, and intervals that are exact at every sample size."""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Int
from scipy import stats
from torch import Tensor

from neighborhoods.kernels.arguments import checked

Classifier = Callable[[Tensor], Tensor]
"""Maps points `(m, *shape)` to logits `(m, classes)`, floating, or to labels `(m,)`, integer."""

Counts = int | list[int] | npt.NDArray[np.integer] | npt.NDArray[np.float64]


class Status(IntEnum):
    """How a measurement ended; every kernel that may fail to measure says which of these holds."""

    CONVERGED = 0
    CENSORED = 1
    UNDECIDED = 2
    FAILED = 3


def labels_of(classifier: Classifier, points: Tensor) -> Int[Tensor, " points"]:
    r"""Return the class of each point: $C(x) = \arg\max_k Z_k(x)$, the first of equal logits.

    Args:
        classifier: points `(m, *shape)` to logits `(m, classes)` or labels `(m,)`.
        points: the points, first axis first.

    Raises:
        ValueError: the classifier returns neither logits `(m, classes)` nor labels `(m,)`, or a logit that is
            NaN; points on `meta`, where they have no numbers.

    Source: the draft, Definition 1.4; ties are ours.

    >>> labels_of(lambda x: torch.stack([x[:, 0], -x[:, 0]], 1), torch.tensor([[2.0], [-1.0]]))
    tensor([0, 1])
    """
    labels, known = labels_where_known(classifier, points)
    if not bool(known.all()):
        unknown = int((~known).sum())
        raise ValueError(f"classifier: got NaN for {unknown} of {len(points)} points; required numbers")
    return labels


def labels_where_known(
    classifier: Classifier, points: Tensor
) -> tuple[Int[Tensor, " points"], Bool[Tensor, " points"]]:
    """Return the class of each point as `labels_of` does, and whether it has one: no logit is NaN."""
    if points.is_meta:
        raise ValueError("points: got a tensor on meta; required one that has numbers")
    with torch.no_grad():
        answers = classifier(points)
    if answers.is_floating_point() and answers.ndim == 2 and len(answers) == len(points):
        best = answers.max(1)  # what argmax gives, in half its time; NaN wherever a row has one
        return best.indices, ~best.values.isnan()
    if not answers.is_floating_point() and answers.shape == points.shape[:1]:
        return answers.long(), torch.ones_like(answers, dtype=torch.bool)
    raise ValueError(
        f"classifier: got {answers.dtype} of shape {tuple(answers.shape)} for {len(points)} points; "
        f"required floating logits ({len(points)}, classes) or integer labels ({len(points)},)"
    )


@checked()
def clopper_pearson(
    successes: Counts, trials: Counts, confidence: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    r"""Return the exact (conservative) two-sided interval of a binomial probability.

    $$ \mathrm{low} = B^{-1}(\tfrac\alpha2; s, n - s + 1), \qquad
       \mathrm{high} = B^{-1}(1 - \tfrac\alpha2; s + 1, n - s), \qquad \alpha = 1 - c. $$

    Args:
        successes: counts $s$, any shape.
        trials: numbers of trials $n$, broadcast against the counts.
        confidence: $c$ in (0, 1).

    Returns:
        The arrays `low` and `high`; low = 0 at $s = 0$ and high = 1 at $s = n$.

    Raises:
        ValueError: a count outside [0, trials], no trial, or a confidence outside (0, 1).

    Source: Clopper and Pearson (1934).

    >>> low, high = clopper_pearson(70, 100, 0.95)
    >>> round(float(low), 4), round(float(high), 4)
    (0.6002, 0.7876)
    """
    require_fraction("confidence", confidence)
    s, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    if np.any(n < 1) or np.any(s < 0) or np.any(s > n):
        raise ValueError(
            f"successes: got {successes!r} of trials {trials!r}; required 0 <= successes <= trials >= 1"
        )
    tail = (1 - confidence) / 2
    low = np.where(s == 0, 0.0, stats.beta.ppf(tail, np.maximum(s, 1), n - s + 1))
    high = np.where(s == n, 1.0, stats.beta.ppf(1 - tail, s + 1, np.maximum(n - s, 1)))
    return low, high


@checked()
def order_statistic_ranks(trials: int, probability: float, confidence: float = 0.95) -> tuple[int, int]:
    r"""Return ranks $l < u$ whose order statistics enclose the $p$-quantile $q$ with confidence $c$.

    The number of draws below the $p$-quantile is $B \sim \mathrm{Bin}(n, p)$, whatever the distribution, so
    $l$ is the largest rank with $\mathbb P[B < l] \le \alpha/2$ and $u$ the smallest with
    $\mathbb P[B \ge u] \le \alpha/2$. Rank 0 stands for no lower
    bound and rank $n + 1$ for no upper bound.

    Args:
        trials: number of draws $n$.
        probability: $p$ in (0, 1), the level of the quantile.
        confidence: $c$ in (0, 1).

    Raises:
        ValueError: no draws, or a probability or confidence outside (0, 1).

    Source: David and Nagaraja, Order Statistics, section 7.1.

    >>> order_statistic_ranks(1000, 0.3, 0.95)
    (272, 330)
    """
    require_fraction("probability", probability)
    require_fraction("confidence", confidence)
    if trials < 1:
        raise ValueError(f"trials: got {trials}; required at least 1")
    tail = (1 - confidence) / 2
    below = stats.binom.cdf(np.arange(-1, trials + 1), trials, probability)  # P[B < j] at index j
    lower = int(np.searchsorted(below, tail, side="right")) - 1
    upper = int(np.searchsorted(below, 1 - tail, side="left"))
    return lower, upper


def require_fraction(name: str, value: float) -> None:
    """Raise `ValueError` unless the value lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name}: got {value}; required a number strictly between 0 and 1")
