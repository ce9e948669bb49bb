"""Algorithm 1 of the draft, as printed: bisection on fresh noise, for comparison with `persistence`."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int8, Int64
from torch import Generator, Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.statistics import Classifier, Status, labels_of, require_fraction


class Bracketing(NamedTuple):
    """What Algorithm 1 returns for each point, how it ended, and how many points it classified."""

    sigma: Float[Tensor, " points"]
    status: Int8[Tensor, " points"]
    evaluations: Int64[Tensor, " points"]


@checked(points=1)
def bracketing(
    classifier: Classifier,
    points: Float[Tensor, "points ..."],
    gamma: float = 0.7,
    *,
    samples: int = 1000,
    max_steps: int = 20,
    precision: float = 0.01,
    max_doublings: int = 20,
    generator: Generator | None = None,
) -> Bracketing:
    """Run the draft's Algorithm 1 on each point: RANGEFINDER from [0.5, 1.5], then bisection of σ.

    Each look at a σ draws `samples` fresh Gaussians, so the answer carries the noise of its last look and a
    wrong branch is never taken back. The printed RANGEFINDER need not end; here it gives up after
    `max_doublings` rounds. `CONVERGED`: the fraction came within `precision` of γ. `UNDECIDED`: `max_steps`
    ran out, the last σ is returned. `CENSORED`: no σ was found at which fewer than γ stay in class (σ = ∞).
    `FAILED`: no σ was found at which γ stay (σ = 0).

    Args:
        classifier: points to logits or labels.
        points: centres, one a row.
        gamma: γ in (0, 1).
        samples: numSamples, fresh normals at each σ.
        max_steps: maxSteps; at least 2, since with fewer the printed algorithm returns an undefined σ.
        precision: bisection stops when the fraction is within this of γ.
        max_doublings: rounds after which RANGEFINDER gives up (ours).
        generator: source of randomness.

    Raises:
        ValueError: γ outside (0, 1), or a setting below its least value.

    Source: the draft, section 7, Algorithm 1.

    >>> wall = lambda x: (x[:, 0] > 1).long()
    >>> found = bracketing(wall, torch.zeros(1, 2), 0.7, generator=torch.Generator().manual_seed(0))
    >>> bool(1.5 < found.sigma < 2.4), int(found.status)
    (True, 0)
    """
    require_fraction("gamma", gamma)
    for name, value, least in [
        ("samples", samples, 1),
        ("max_steps", max_steps, 2),
        ("max_doublings", max_doublings, 0),
    ]:
        if value < least:
            raise ValueError(f"{name}: got {value}; required at least {least}")
    own = labels_of(classifier, points)
    rows = []
    for x, label in zip(points, own, strict=True):
        look = _Look(classifier, x, label, samples, generator)
        sigma, status = _bracket(look, gamma, max_steps, precision, max_doublings)
        rows.append((sigma, status, look.evaluations))
    sigma, status, evaluations = torch.tensor(rows, dtype=torch.float64, device=points.device).T
    return Bracketing(sigma.to(points.dtype), status.to(torch.int8), evaluations.long())


class _Look:
    """COMPUTE_PERSISTENCE of the draft (it computes a stability), with a count of its classifications."""

    def __init__(
        self, classifier: Classifier, x: Tensor, label: Tensor, samples: int, generator: Generator | None
    ):
        self.classifier, self.x, self.label, self.samples = classifier, x, label, samples
        self.generator, self.evaluations = generator, 0

    def __call__(self, sigma: float) -> float:
        shape = (self.samples, *self.x.shape)
        normals = torch.randn(shape, generator=self.generator, dtype=self.x.dtype, device=self.x.device)
        self.evaluations += self.samples
        return float((labels_of(self.classifier, self.x + sigma * normals) == self.label).float().mean())


def _bracket(
    look: _Look, gamma: float, max_steps: int, precision: float, max_doublings: int
) -> tuple[float, Status]:
    low, high, status = _range_finder(look, gamma, max_doublings)
    if status != Status.CONVERGED:
        return (0.0 if status == Status.FAILED else float("inf")), status
    sigma = (low + high) / 2
    for _ in range(1, max_steps):
        sigma = (low + high) / 2
        fraction = look(sigma)
        if abs(fraction - gamma) < precision:
            return sigma, Status.CONVERGED
        low, high = (sigma, high) if fraction > gamma else (low, sigma)
    return sigma, Status.UNDECIDED


def _range_finder(look: _Look, gamma: float, max_doublings: int) -> tuple[float, float, Status]:
    low, high = 0.5, 1.5
    at_low, at_high = look(low), look(high)
    for _ in range(max_doublings):
        if at_low >= gamma >= at_high:
            break
        if at_low < gamma:
            low = 0.5 * low
            at_low = look(low)
        if at_high > gamma:
            high = 2 * high
            at_high = look(high)
    if at_high > gamma:
        return low, high, Status.CENSORED
    return low, high, Status.FAILED if at_low < gamma else Status.CONVERGED
