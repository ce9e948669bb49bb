"""Pools of noise have the laws they claim."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from neighborhoods.kernels.noise import scrambled_nets, scrambles_in, sobol_normals, unit_noise
from scipy import stats
from torch import Generator


@pytest.mark.parametrize("noise", ["gaussian", "sobol", "ball"])
def test_noise_follows_shape_and_dtype(noise: str, generator: Generator) -> None:
    pool = unit_noise(noise, 32, torch.zeros(2, 3, dtype=torch.float64), generator=generator)
    assert pool.shape == (32, 2, 3) and pool.dtype == torch.float64


def test_each_net_is_stratified_in_each_coordinate(generator: Generator) -> None:
    nets = scrambled_nets(6, 3, 50, generator=generator)
    cells = (nets >> 24).sort(1).values  # 30 bits, 64 points: one in each sixty-fourth
    assert (cells == torch.arange(64)[None, :, None]).all()


def test_a_net_is_balanced_in_pairs_of_its_first_coordinates(generator: Generator) -> None:
    nets = scrambled_nets(4, 5, 2, generator=generator)
    for bits in range(5):
        cell = (nets[..., 0] >> (30 - bits)) * 2 ** (4 - bits) + (nets[..., 1] >> (26 + bits))
        assert (cell.sort(1).values == torch.arange(16)).all()


def test_points_of_scrambles_are_uniform_and_independent(generator: Generator) -> None:
    firsts = torch.stack([scrambled_nets(2, 1, 3, generator=generator)[0] for _ in range(800)]) / 2**30
    for point in range(4):
        assert stats.kstest(firsts[:, point, 1].numpy(), "uniform").pvalue > 1e-4
    assert stats.pearsonr(firsts[:, 1, 0], firsts[:, 1, 2]).pvalue > 1e-4


@pytest.mark.parametrize("scrambles", [8, 10, 15])
def test_first_rows_are_the_first_points_of_every_scramble(scrambles: int, generator: Generator) -> None:
    normals = sobol_normals(16 * scrambles, 4, generator=generator)
    for scramble in range(scrambles):
        first = normals[scramble : 8 * scrambles : scrambles]
        cells = (torch.special.ndtr(first) * 8).long().sort(0).values
        assert (cells == torch.arange(8)[:, None]).all()


@given(st.integers(-2, 5000))
def test_a_pool_is_eight_to_fifteen_nets_or_refused(samples: int) -> None:
    sizes = [count * 2**log2 for count in range(8, 16) for log2 in range(1, 12)]
    if samples in sizes:
        scrambles = scrambles_in(samples)
        assert 8 <= scrambles < 16 and (samples // scrambles).bit_count() == 1
    else:
        with pytest.raises(ValueError, match=f"samples: got {samples}; required") as refused:
            scrambles_in(samples)
        below, above = map(int, str(refused.value).split("such as ")[1].split(" or "))
        assert {below, above} <= set(sizes) and (samples < 16 or below < samples < above)


def test_sobol_noise_in_axes_is_standard_normal(generator: Generator) -> None:
    axes = torch.linalg.qr(torch.randn(6, 2, generator=generator, dtype=torch.float64)).Q
    like = torch.zeros(6, dtype=torch.float64)
    pool = unit_noise("sobol", 2**14, like, axes=axes, generator=generator)
    assert (pool.T @ pool / 2**14 - torch.eye(6)).abs().max() < 0.05
    along = pool @ axes
    assert along.mean(0).abs().max() < 1e-3 < pool.mean(0).abs().max()  # only the span of the axes is even


def test_ball_noise_fills_the_ball_of_matching_radius(generator: Generator) -> None:
    pool = unit_noise("ball", 2000, torch.zeros(5), generator=generator)
    radii = pool.norm(dim=1) / 5**0.5
    assert stats.kstest((radii**5).numpy(), "uniform").pvalue > 1e-4


@pytest.mark.parametrize(("noise", "samples"), [("gaussian", 0), ("sobol", 8), ("sobol", 100)])
def test_bad_noise_is_refused(noise: str, samples: int) -> None:
    with pytest.raises(ValueError, match="required"):
        unit_noise(noise, samples, torch.zeros(2))
