"""Persistence at several levels γ from one pool of noise: what one level has asked, no other asks again."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.estimates import estimate
from neighborhoods.kernels.persistence import Persistence, require_range
from neighborhoods.kernels.probes import probe_of
from neighborhoods.kernels.statistics import Classifier, require_fraction


@checked(points=1)
def persistence_levels(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    gammas: Sequence[float],
    *,
    samples: int = 1024,
    sigma_range: tuple[float, float] = (1e-3, 1e2),
    confidence: float = 0.95,
    generator: Generator | None = None,
) -> list[Persistence]:
    """Measure the γ-persistence of each point for several γ, by the method "fast" of `persistence`.

    The values are those of `persistence` with the same generator for each γ alone. The upward scans share
    most of their looks.

    Args:
        classifier: points `(m, *shape)` to logits `(m, classes)` or labels `(m,)`.
        points: the centres.
        gammas: the levels, each in (0, 1).
        samples, sigma_range, confidence, generator: see `persistence`.

    Returns:
        One `Persistence` for each level, in their order.

    Raises:
        ValueError: an argument outside its range, or a number of samples that Sobol noise does not offer.

    Source: ours.

    >>> wall = lambda x: (x[:, 0] > 1).long()
    >>> noise = torch.Generator().manual_seed(0)
    >>> found = persistence_levels(wall, torch.zeros(1, 3), (0.7, 0.9), generator=noise)
    >>> [abs(level.sigma.item() - exact) < 0.05 for level, exact in zip(found, (1.9069, 0.7803))]
    [True, True]
    """
    for gamma in gammas:
        require_fraction("gamma", gamma)
    require_fraction("confidence", confidence)
    require_range(sigma_range)
    probe = replace(
        probe_of(classifier, points, noise="sobol", samples=samples, generator=generator), answers={}
    )
    levels = []
    for gamma in gammas:
        sigma, low, high, status = estimate(probe, gamma, confidence, sigma_range)
        levels.append(Persistence(sigma.to(points), low.to(points), high.to(points), status.to(torch.int8)))
    return levels
