"""Stability (Definition 4.1) and persistence (Definition 4.2) of points under any classifier."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int, Int8, Int64
from torch import Generator, Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.certified import certified_scan
from neighborhoods.kernels.estimates import estimate
from neighborhoods.kernels.noise import Noise
from neighborhoods.kernels.probes import probe_of
from neighborhoods.kernels.statistics import Classifier, clopper_pearson, labels_of, require_fraction


class Stability(NamedTuple):
    """Fraction of the noisy points that keep the label of their centre, with its exact interval."""

    probability: Float[Tensor, " points"]
    low: Float[Tensor, " points"]
    high: Float[Tensor, " points"]


class Persistence(NamedTuple):
    """The largest σ up to which each point is stable, an interval for it, and a code of `Status`."""

    sigma: Float[Tensor, " points"]
    low: Float[Tensor, " points"]
    high: Float[Tensor, " points"]
    status: Int8[Tensor, " points"]


@checked()
def stability(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    sigma: float | Float[Tensor, " points"],
    *,
    samples: int = 1000,
    confidence: float = 0.95,
    labels: Int[Tensor, " points"] | None = None,
    noise: Noise = "gaussian",
    generator: Generator | None = None,
) -> Stability:
    r"""Estimate $P(\sigma) = \mathbb P[C(x + \sigma\varepsilon) = C(x)]$ of each point.

    All points see the same noise, so their estimates are dependent, while each interval by itself is exact.

    Args:
        classifier: points `(m, *shape)` to logits `(m, classes)` or labels `(m,)`.
        points: the centres $x$.
        sigma: σ, one for all points or one for each, in units of the coordinates.
        samples: draws of ε.
        confidence: of the Clopper-Pearson interval.
        labels: labels to keep instead of $C(x)$.
        noise: "gaussian" or "ball"; with "sobol" the fraction is sharper and the interval too wide.
        generator: source of randomness.

    Returns:
        Fraction and interval, in the points' dtype.

    Raises:
        ValueError: σ not positive, or samples, confidence or noise outside their ranges.

    Source: the draft, Definition 4.1 and equation (7).

    >>> wall = lambda x: (x[:, 0] > 1).long()
    >>> at = stability(wall, torch.zeros(1, 3), 1.0, generator=torch.Generator().manual_seed(0))
    >>> bool(at.low < 0.8413 < at.high)
    True
    """
    require_fraction("confidence", confidence)
    sigmas = torch.as_tensor(sigma, dtype=points.dtype, device=points.device).expand(len(points))
    _require_positive("sigma", sigmas)
    probe = probe_of(classifier, points, labels, noise=noise, samples=samples, generator=generator)
    hits = probe.hits(torch.arange(len(points), device=points.device), sigmas, 0, samples).sum(1)
    low, high = clopper_pearson(hits.cpu().numpy(), samples, confidence)
    return Stability(
        hits.to(points) / samples, torch.as_tensor(low).to(points), torch.as_tensor(high).to(points)
    )


@checked(points=1, sigmas=1, classes=1)
def class_frequencies(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    sigmas: Float[Tensor, " sigmas"],
    *,
    samples: int = 1000,
    classes: int = 10,
    noise: Noise = "gaussian",
    generator: Generator | None = None,
) -> Int64[Tensor, "points sigmas classes"]:
    r"""Count the classes of $x + \sigma\varepsilon_j$ over a grid of σ, with one set of noise for all σ.

    Neighbouring σ share their noise, so that a curve is smooth, and wrong in one piece where it is wrong.

    Args:
        classifier: points to logits or labels.
        points: the centres $x$.
        sigmas: the grid.
        samples: draws of ε, for each point and σ the same.
        classes: how many classes to count; labels lie below.
        noise: "gaussian", "sobol" (sharper; sizes as for `unit_noise`) or "ball".
        generator: source of randomness.

    Raises:
        ValueError: σ not positive, samples or noise outside their ranges, or a label not below `classes`.

    Source: the draft, section 5.1.1.

    >>> wall = lambda x: (x[:, 0] > 1).long()
    >>> counts = class_frequencies(wall, torch.zeros(1, 3), torch.tensor([0.1, 1.0]), samples=100, classes=2)
    >>> counts.sum(2).tolist(), counts[0, 0].tolist()
    ([[100, 100]], [100, 0])
    """
    _require_positive("sigmas", sigmas)
    probe = probe_of(classifier, points, noise=noise, samples=samples, generator=generator)
    index = torch.arange(len(points) * len(sigmas), device=points.device)
    rows, grid = index // len(sigmas), sigmas.to(points)[index % len(sigmas)]
    counts = torch.zeros((len(index), classes), dtype=torch.int64, device=points.device)
    for some, scales in zip(index.split(len(sigmas)), grid.split(len(sigmas)), strict=True):
        found = probe.classes(rows[some], scales, 0, samples)
        if int(found.max()) >= classes:
            raise ValueError(f"classes: got {classes}; required more than the label {int(found.max())}")
        counts[some] = counts[some].scatter_add(1, found, torch.ones_like(found))
    return counts.view(len(points), len(sigmas), classes)


@checked(groups=1)
def persistence(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    gamma: float = 0.7,
    *,
    samples: int = 1024,
    sigma_range: tuple[float, float] = (1e-3, 1e2),
    method: Literal["fast", "certified"] = "fast",
    confidence: float = 0.95,
    labels: Int[Tensor, " points"] | None = None,
    noise: Noise | None = None,
    groups: int = 1,
    generator: Generator | None = None,
) -> Persistence:
    r"""Measure the γ-persistence, the largest $s$ with $P(\sigma) \ge \gamma$ for all $\sigma < s$.

    "fast": one pool of noise for all points and σ; $P$ is followed upwards in steps of 2 until it falls below
    γ, so that an island of stability farther out is not taken for the answer; a dip narrower than a step can
    be missed. The interval rests on independent scrambles of Sobol noise, or is an exact binomial one for
    the other kinds (where no ray re-enters its class). "certified": see `certified_scan`.

    Points that share a pool share its error: the standard error of a mean over points is the spread of the
    means of `groups`, each with a pool of its own, over the root of their number.

    Args:
        classifier: points `(m, *shape)` to logits `(m, classes)` or labels `(m,)`.
        points: the centres $x$.
        gamma: γ in (0, 1).
        samples: draws in a pool; for Sobol noise 8 to 15 nets of a power of two, such as 640 = 10 x 64.
        sigma_range: where to look; below it a persistence counts as 0, beyond it as infinite.
        method: "fast" or "certified".
        confidence: of each point's interval.
        labels: labels to keep instead of $C(x)$.
        noise: "sobol" (what "fast" takes by default), "gaussian" (likewise for "certified") or "ball".
        groups: the points are dealt, in order, into so many groups with pools of their own.
        generator: source of randomness.

    Returns:
        σ, low, high and status. `CONVERGED`, also for points on a boundary, where σ = low = 0;
        `CENSORED`: stable up to the end of the range, σ = high = ∞; `UNDECIDED`: looks enclose no crossing.

    Raises:
        ValueError: an argument outside its range, or Sobol noise for the certified method.

    Source: the draft, Definition 4.2; the method is ours.

    >>> wall = lambda x: (x[:, 0] > 1).long()
    >>> found = persistence(wall, torch.zeros(1, 3), 0.7, generator=torch.Generator().manual_seed(0))
    >>> abs(found.sigma.item() - 1.9069) < 0.05, int(found.status)
    (True, 0)
    """
    require_fraction("gamma", gamma)
    require_fraction("confidence", confidence)
    _check(sigma_range, method, noise)
    measure = estimate if method == "fast" else certified_scan
    kind: Noise = noise or ("sobol" if method == "fast" else "gaussian")
    own = labels_of(classifier, points) if labels is None else labels
    parts = []
    for some, theirs in zip(points.chunk(groups), own.chunk(groups), strict=True):
        probe = probe_of(classifier, some, theirs, noise=kind, samples=samples, generator=generator)
        parts.append(measure(probe, gamma, confidence, sigma_range))
    sigma, low, high, status = (torch.cat(column) for column in zip(*parts, strict=True))
    return Persistence(
        sigma.to(points.dtype), low.to(points.dtype), high.to(points.dtype), status.to(torch.int8)
    )


def require_range(sigma_range: tuple[float, float]) -> None:
    """Raise `ValueError` unless the ends are positive, finite and in order."""
    if not 0 < sigma_range[0] < sigma_range[1] < float("inf"):
        raise ValueError(f"sigma_range: got {sigma_range}; required 0 < least < most < infinity")


def _require_positive(name: str, values: Tensor) -> None:
    if not bool((values > 0).all()):
        raise ValueError(f"{name}: got {values.min().item()}; required positive numbers")


def _check(sigma_range: tuple[float, float], method: str, noise: str | None) -> None:
    require_range(sigma_range)
    if method not in ("fast", "certified"):
        raise ValueError(f'method: got {method!r}; required "fast" or "certified"')
    if method == "certified" and noise == "sobol":
        raise ValueError('noise: got "sobol"; required independent draws ("gaussian", "ball") to certify')
