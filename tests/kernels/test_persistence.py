"""Stability and persistence against analytic truth, naive references, and their own promises."""

import math
from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.certified import certificate_radius
from neighborhoods.kernels.persistence import class_frequencies, persistence, stability
from neighborhoods.kernels.probes import probe_of
from neighborhoods.kernels.statistics import Classifier, Status
from scipy import stats
from torch import Generator, Tensor, nn
from torch.nn.functional import pixel_shuffle

from tests.reference import exit_order_statistic, stability_by_loop
from tests.tolerances import COVERAGE_LEVEL, ERRORS

LEVEL = NormalDist().inv_cdf
ISLANDS_FIRST = 0.2043


def half_space(x: Tensor) -> Tensor:
    return (x[:, 0] > 1).long()


def orthant(facets: int) -> Classifier:
    return lambda x: (x[:, :facets] > -1).all(1).long()


def islands(x: Tensor) -> Tensor:
    radius = x[:, 0].abs()
    return ((radius < 0.2) | ((radius >= 0.45) & (radius <= 40))).long()


def everywhere(x: Tensor) -> Tensor:
    return torch.zeros(len(x), dtype=torch.long)


def seeded(seed: int) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network() -> nn.Sequential:
    """A small network with random weights on 3x8 points, trained on nothing."""
    torch_generator = seeded(3)
    net = nn.Sequential(nn.Flatten(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 4))
    for parameter in net.parameters():
        parameter.data = torch.randn(parameter.shape, generator=torch_generator)
    return net


@pytest.fixture(scope="module")
def points() -> Tensor:
    return 2 * torch.randn((6, 3, 8), generator=seeded(4))


# --- stability (Definition 4.1) ---


@pytest.mark.parametrize("noise", ["gaussian", "ball"])
def test_stability_is_the_share_of_noise_in_class(network: nn.Sequential, points: Tensor, noise: str) -> None:
    plain = network.forward  # a callable that is no Sequential takes the general path
    found = stability(plain, points, 0.8, samples=60, noise=noise, generator=seeded(0))
    pool = probe_of(plain, points, noise=noise, samples=60, generator=seeded(0)).pool
    expected = [stability_by_loop(network, x, 0.8, pool) for x in points]
    assert found.probability.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("facets", [1, 3, 10])
def test_stability_of_orthants(facets: int, generator: Generator) -> None:
    sigma = torch.tensor([0.4, 0.8, 2.0])
    found = stability(orthant(facets), torch.zeros(3, 12), sigma, samples=20_000, generator=generator)
    truth = torch.special.ndtr(1 / sigma) ** facets
    assert ((found.probability - truth).abs() <= ERRORS * (truth * (1 - truth) / 20_000).sqrt()).all()


def test_stability_intervals_cover(generator: Generator) -> None:
    truth = NormalDist().cdf(1.0)
    looks = [
        stability(half_space, torch.zeros(1, 2), 1.0, samples=50, confidence=0.9, generator=generator)
        for _ in range(600)
    ]
    covered = sum(bool(look.low <= truth <= look.high) for look in looks)
    assert stats.binom.cdf(covered, 600, 0.9) >= COVERAGE_LEVEL


def test_class_frequencies_are_counts_with_one_noise(network: nn.Sequential, points: Tensor) -> None:
    sigmas = torch.tensor([0.3, 1.0, 2.0])
    counts = class_frequencies(network, points, sigmas, samples=200, classes=4, generator=seeded(1))
    assert counts.shape == (6, 3, 4) and (counts.sum(2) == 200).all()
    own = network(points).argmax(1)
    for column, sigma in enumerate(sigmas):
        alone = stability(network, points, float(sigma), samples=200, generator=seeded(1))
        assert torch.equal(counts[torch.arange(6), column, own], (alone.probability * 200).round().long())


def test_a_label_beyond_the_classes_is_named() -> None:
    with pytest.raises(ValueError, match="classes: got 1; required more than the label 1"):
        class_frequencies(half_space, torch.zeros(1, 2), torch.tensor([5.0]), classes=1, generator=seeded(0))


# --- persistence (Definition 4.2, Proposition 4.3) ---


@pytest.mark.parametrize("noise", ["sobol", "gaussian"])
@pytest.mark.parametrize("facets", [1, 3, 10])
def test_persistence_of_orthants(facets: int, noise: str, generator: Generator) -> None:
    found = persistence(
        orthant(facets), torch.zeros(1, 12), 0.7, samples=4096, noise=noise, generator=generator
    )
    truth = 1 / LEVEL(0.7 ** (1 / facets))
    u = LEVEL(0.7)
    error = math.sqrt(0.7 * 0.3 / 4096) / (u * NormalDist().pdf(u))  # of a half-space, the largest of all
    assert abs(math.log(found.sigma.item() / truth)) <= ERRORS * error
    assert found.low <= found.sigma <= found.high and found.status == Status.CONVERGED


@given(st.floats(0.55, 0.95), st.floats(0.05, 5.0), st.integers(0, 99))
@settings(max_examples=15)
def test_a_linear_classifier_has_persistence_margin_over_quantile(
    gamma: float, margin: float, seed: int
) -> None:
    layer = nn.Linear(5, 2)
    weight = torch.randn(5, generator=seeded(seed))
    layer.weight.data = torch.stack([weight / weight.norm(), 0 * weight])
    layer.bias.data = torch.tensor([margin, 0.0])
    found = persistence(nn.Sequential(layer), torch.zeros(1, 5), gamma, generator=seeded(seed))
    u = LEVEL(gamma)
    error = math.sqrt(gamma * (1 - gamma) / 1024) / (u * NormalDist().pdf(u))
    assert abs(math.log(found.sigma.item() / (margin / u))) <= ERRORS * error


@pytest.mark.parametrize(("noise", "gamma"), [("sobol", 0.7), ("gaussian", 0.7), ("gaussian", 0.9)])
def test_persistence_intervals_cover(noise: str, gamma: float, generator: Generator) -> None:
    truth = 1 / LEVEL(gamma ** (1 / 3))
    looks = [
        persistence(
            orthant(3),
            torch.zeros(1, 6),
            gamma,
            samples=128,
            confidence=0.9,
            noise=noise,
            generator=generator,
        )
        for _ in range(500)
    ]
    covered = sum(bool(look.low <= truth <= look.high) for look in looks)
    assert stats.binom.cdf(covered, 500, 0.9) >= COVERAGE_LEVEL


@pytest.mark.parametrize("noise", ["sobol", "gaussian"])
def test_a_shell_is_told_as_sharply_as_its_interval_says(noise: str) -> None:
    n, radius = 400, 30.0  # P falls from 0.9 to 0.1 within a tenth of σ: parts of a pool disagree
    truth = radius / math.sqrt(stats.chi2.ppf(0.7, n))
    options = {"samples": 128, "noise": noise, "groups": 60, "confidence": 0.9, "generator": seeded(0)}
    found = persistence(lambda x: (x.norm(dim=1) < radius).long(), torch.zeros(60, n), **options)
    covered = int(((found.low <= truth) & (truth <= found.high)).sum())
    assert stats.binom.cdf(covered, 60, 0.9) >= COVERAGE_LEVEL
    assert found.sigma.log().sub(math.log(truth)).square().mean().sqrt() < 0.02


def test_binomial_ends_are_order_statistics_of_ray_exits() -> None:
    points = torch.zeros(1, 12, dtype=torch.float64)
    found = persistence(orthant(3), points, samples=1000, noise="gaussian", generator=seeded(5))
    pool = probe_of(orthant(3), points, noise="gaussian", samples=1000, generator=seeded(5)).pool
    exits = (1 / (-pool[:, :3]).amax(1).clamp(min=1e-12)).sort().values
    estimate = exit_order_statistic(exits, 0.7)
    assert found.sigma.item() == pytest.approx(estimate, rel=0.03)
    assert (
        exits[260].item() <= found.low.item() <= exits[271].item()
    )  # ranks 272 and 330, at most 10 outwards
    assert exits[329].item() <= found.high.item() <= exits[341].item()


@pytest.mark.parametrize("noise", ["sobol", "gaussian"])
def test_an_island_is_not_the_answer(noise: str, generator: Generator) -> None:
    found = persistence(islands, torch.zeros(8, 1), samples=4096, noise=noise, groups=8, generator=generator)
    assert found.sigma.tolist() == pytest.approx([ISLANDS_FIRST] * 8, rel=0.12)


def test_the_certified_scan_encloses_the_first_crossing(generator: Generator) -> None:
    for classifier, truth in [(half_space, 1 / LEVEL(0.7)), (islands, ISLANDS_FIRST)]:
        found = persistence(
            classifier, torch.zeros(1, 2), samples=8192, method="certified", generator=generator
        )
        assert found.low < truth < found.high < 1.6 * found.low and found.status == Status.CONVERGED


def test_certified_intervals_cover() -> None:
    truth = 1 / LEVEL(0.7)
    found = persistence(
        half_space,
        torch.zeros(500, 2),
        samples=512,
        sigma_range=(0.2, 10.0),
        method="certified",
        confidence=0.9,
        groups=500,
        generator=seeded(6),
    )
    covered = int(((found.low <= truth) & (truth <= found.high)).sum())
    assert stats.binom.cdf(covered, 500, 0.9) >= COVERAGE_LEVEL


@given(st.integers(1, 50), st.floats(0.75, 1.0), st.floats(-1.0, 1.0))
def test_the_certificate_holds_for_balls_and_half_spaces(n: int, p: float, side: float) -> None:
    p = min(p, 1 - 1e-9)
    factor = math.exp(side * certificate_radius(torch.tensor([p], dtype=torch.float64), 0.7, n).item())
    radius = math.sqrt(stats.chi2.ppf(p, n))  # a ball that holds mass p at σ = 1, and a half-space likewise
    assert stats.chi2.cdf((radius / factor) ** 2, n) >= 0.7 - 1e-9
    assert NormalDist().cdf(LEVEL(p) / factor) >= 0.7 - 1e-9


def test_ends_of_the_range(generator: Generator) -> None:
    found = persistence(everywhere, torch.zeros(2, 3), generator=generator)
    assert found.sigma.isinf().all() and (found.status == Status.CENSORED).all() and (found.low == 100).all()
    on_boundary = persistence(lambda x: (x[:, 0] > 0).long(), torch.zeros(2, 3), generator=generator)
    assert (on_boundary.sigma == 0).all() and (on_boundary.low == 0).all()
    assert on_boundary.high.tolist() == pytest.approx([1e-3, 1e-3])
    foreign = persistence(half_space, torch.zeros(1, 3), labels=torch.tensor([1]), generator=generator)
    assert foreign.sigma == 0


@given(st.floats(0.1, 10.0), st.integers(0, 20))
@settings(max_examples=10)
def test_persistence_scales_with_space(factor: float, seed: int) -> None:
    options = {"noise": "gaussian", "samples": 256}
    one = persistence(
        orthant(2), torch.zeros(1, 4), sigma_range=(0.01, 100.0), generator=seeded(seed), **options
    )
    scaled = persistence(
        lambda x: orthant(2)(x / factor),
        torch.zeros(1, 4),
        sigma_range=(0.01 * factor, 100 * factor),
        generator=seeded(seed),
        **options,
    )
    assert scaled.sigma.item() == pytest.approx(factor * one.sigma.item(), rel=0.02)


@given(st.permutations(range(6)))
@settings(max_examples=10)
def test_points_do_not_disturb_each_other(order: list[int]) -> None:
    points = torch.linspace(-2, 0.5, 6)[:, None].expand(6, 4)
    options = {"noise": "gaussian", "samples": 256}
    together = persistence(half_space, points, generator=seeded(1), **options)
    permuted = persistence(half_space, points[order], generator=seeded(1), **options)
    alone = persistence(half_space, points[2:3], generator=seeded(1), **options)
    assert torch.equal(permuted.sigma, together.sigma[order])
    assert torch.equal(alone.low, together.low[2:3])


def test_persistence_falls_with_gamma(network: nn.Sequential, points: Tensor) -> None:
    levels = [
        persistence(network, points, gamma, generator=seeded(2)).sigma for gamma in (0.6, 0.7, 0.8, 0.9)
    ]
    assert all((low >= high).all() for low, high in pairwise(levels))


def test_batch_size_does_not_change_the_result(
    network: nn.Sequential, points: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    convolution = nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3))
    for classifier in (network.double(), convolution.double()):
        found = []
        for size in (1, 1000, 2**20):
            monkeypatch.setattr("neighborhoods.kernels.layouts.PASS", size)
            found.append(persistence(classifier, points.double(), samples=128, generator=seeded(8)))
        for other in found[1:]:
            torch.testing.assert_close(other.sigma, found[0].sigma, rtol=1e-9, atol=0)
    network.float()


@pytest.mark.parametrize("noise", ["gaussian", "sobol", "ball"])
def test_the_first_layer_shortcut_agrees_with_the_general_path(
    network: nn.Sequential, points: Tensor, noise: str
) -> None:
    options = {"samples": 16384, "noise": noise}
    short = persistence(network, points, generator=seeded(9), **options)
    long = persistence(network.forward, points, generator=seeded(10), **options)
    finite = short.sigma.isfinite()
    assert torch.equal(finite, long.sigma.isfinite()) and finite.sum() > 3
    two_widths = [(2 * LEVEL(0.975)) ** -1 * (found.high / found.low).log() for found in (short, long)]
    apart = (short.sigma / long.sigma).log().abs()
    assert (apart <= ERRORS * torch.hypot(*two_widths))[finite].all()


def test_blocks_of_pixels_give_the_same_classes() -> None:
    torch_generator = seeded(11)
    narrow = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.ReLU(),
        nn.Conv2d(2, 4, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 5),
    ).double()
    for parameter in narrow.parameters():
        parameter.data = torch.randn(parameter.shape, generator=torch_generator, dtype=torch.float64)
    images = torch.randn((3, 1, 12, 12), generator=torch_generator, dtype=torch.float64)
    probe = probe_of(narrow, images, noise="gaussian", samples=32, generator=seeded(0))
    plain = replace(probe, classifier=narrow, centres=images, pool=pixel_shuffle(probe.pool, 2))
    rows, sigmas = torch.arange(3), torch.tensor([0.1, 0.5, 1.0], dtype=torch.float64)
    assert probe.classifier is not narrow and probe.pool.shape == (32, 4, 6, 6)
    torch.testing.assert_close(probe.classifier(probe.centres), narrow(images), rtol=1e-12, atol=1e-12)
    assert torch.equal(probe.classes(rows, sigmas, 0, 32), plain.classes(rows, sigmas, 0, 32))


def test_channels_innermost_give_the_same_logits_and_leave_the_network_alone() -> None:
    wide = nn.Sequential(nn.ReLU(), nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(432, 5)).double()
    images = torch.randn((3, 1, 8, 8), generator=seeded(0), dtype=torch.float64)
    before = images.clone()
    probe = probe_of(wide, images, noise="sobol", samples=32, generator=seeded(0))
    assert isinstance(probe.classifier, nn.Sequential) and not wide[2].inplace
    assert probe.classifier[1].weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(probe.classifier(images), wide(images), rtol=1e-12, atol=1e-12)
    assert torch.equal(images, before)


def test_dtype_is_followed(points: Tensor, network: nn.Sequential) -> None:
    found = persistence(network.double(), points.double(), samples=64, generator=seeded(0))
    network.float()
    assert found.sigma.dtype == torch.float64 and found.status.dtype == torch.int8


def test_groups_have_pools_of_their_own(generator: Generator) -> None:
    found = persistence(half_space, torch.zeros(4, 3), samples=64, groups=2, generator=generator)
    assert found.sigma[0] == found.sigma[1] != found.sigma[2] == found.sigma[3]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("gamma", 1.0),
        ("gamma", 0.0),
        ("samples", 0),
        ("samples", 100),
        ("samples", 8),
        ("sigma_range", (1.0, 0.5)),
        ("groups", 0),
        ("confidence", 1.0),
    ],
)
def test_arguments_outside_their_range_are_named(argument: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{argument}: got"):
        persistence(half_space, torch.zeros(1, 2), **{argument: value})


def test_sigma_and_sobol_are_refused_where_they_make_no_sense() -> None:
    with pytest.raises(ValueError, match="sigma: got 0"):
        stability(half_space, torch.zeros(1, 2), 0.0)
    with pytest.raises(ValueError, match='noise: got "sobol"; required independent draws'):
        persistence(half_space, torch.zeros(1, 2), method="certified", noise="sobol")
