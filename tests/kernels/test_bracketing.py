"""Algorithm 1 as printed: line by line the reference, and its failures reported."""

import pytest
import torch
from neighborhoods.kernels.bracketing import bracketing
from neighborhoods.kernels.statistics import Classifier, Status
from torch import Generator, Tensor

from tests.reference import bracketing_as_printed

SAMPLES = 200


def half_space(x: Tensor) -> Tensor:
    return (x[:, 0] > 1).long()


def far_half_space(x: Tensor) -> Tensor:
    return (x[:, 0] > 30).long()


def near_half_space(x: Tensor) -> Tensor:
    return (x[:, 0] > 0.02).long()


@pytest.mark.parametrize("classifier", [half_space, far_half_space, near_half_space])
@pytest.mark.parametrize("seed", range(4))
def test_bracketing_follows_the_print(classifier: Classifier, seed: int) -> None:
    x, looks = torch.zeros(3), []
    generator = Generator().manual_seed(seed)

    def hit_fraction(sigma: float) -> float:
        looks.append(sigma)
        noisy = x + sigma * torch.randn((SAMPLES, 3), generator=generator)
        return float((classifier(noisy) == 0).float().mean())

    expected = bracketing_as_printed(hit_fraction, 0.7, 20, 0.02)
    found = bracketing(
        classifier, x[None], 0.7, samples=SAMPLES, precision=0.02, generator=Generator().manual_seed(seed)
    )
    assert found.sigma.item() == pytest.approx(expected, rel=1e-6)
    assert found.evaluations.item() == SAMPLES * len(looks)


def test_endless_doubling_is_censored(generator: Generator) -> None:
    found = bracketing(
        lambda x: (x[:, 0] > 1e30).long(),
        torch.zeros(1, 2),
        0.4,
        samples=10,
        max_doublings=5,
        generator=generator,
    )
    assert found.status == Status.CENSORED and found.sigma.isinf().all()
    assert found.evaluations.item() == 10 * 7


def test_endless_halving_on_a_boundary_fails(generator: Generator) -> None:
    found = bracketing(
        lambda x: (x[:, 0] > 0).long(), torch.zeros(1, 2), samples=100, max_doublings=5, generator=generator
    )
    assert found.status == Status.FAILED and found.sigma == 0


def test_running_out_of_steps_is_undecided(generator: Generator) -> None:
    found = bracketing(
        half_space, torch.zeros(1, 2), samples=99, precision=1e-9, max_steps=6, generator=generator
    )
    assert found.status == Status.UNDECIDED and 0.5 < found.sigma < 3


def test_algorithm_1_returns_an_island(generator: Generator) -> None:
    """From a bracket at large σ it keeps to the last crossing, 38.18, where the definition says 0.2043."""

    def islands(x: Tensor) -> Tensor:
        radius = x[:, 0].abs()
        return ((radius < 0.2) | ((radius >= 0.45) & (radius <= 40))).long()

    found = bracketing(islands, torch.zeros(20, 1), samples=4000, precision=0.01, generator=generator)
    assert (found.sigma > 30).sum() >= 10


@pytest.mark.parametrize(
    ("argument", "value"), [("gamma", 1.5), ("samples", 0), ("max_steps", 1), ("max_doublings", -1)]
)
def test_arguments_outside_their_range_are_named(argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{argument}: got"):
        bracketing(half_space, torch.zeros(1, 2), **{"gamma": 0.7, argument: value})
