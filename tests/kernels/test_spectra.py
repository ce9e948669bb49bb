"""Spectra against LAPACK and known samples, null models against simulation, counts of dropped directions."""

import math

import pytest
import torch
from neighborhoods.kernels.dimension import dropped_directions
from neighborhoods.kernels.null_spectra import gaussian_edges, marchenko_pastur
from neighborhoods.kernels.orthant_spectra import orthant_spectrum
from neighborhoods.kernels.spectra import flattened, numerical_rank, spectrum
from neighborhoods.kernels.statistics import Status
from reference_spectra import flat_svd, orthant_boundary_of, singular_values
from scipy import stats
from tolerances import COVERAGE_LEVEL, ERRORS


def normals(m: int, n: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(m, n, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("m", "n"), [(300, 20), (20, 300), (40, 40)])
def test_values_are_those_of_lapack(m: int, n: int, generator: torch.Generator) -> None:
    sample = normals(m, n, generator)
    for form in ("raw", "centred"):
        found = spectrum(sample, form)
        X = sample if form == "raw" else sample - sample.mean(0)
        truth = singular_values(X)
        assert (found.values - truth).abs().max() <= max(1e-11 * truth[0], float(found.resolution))
        seen = found.values > found.resolution
        images = (found.vectors @ X.T).norm(dim=1)
        torch.testing.assert_close(images[seen], truth[seen], rtol=1e-9, atol=0)


def test_differences_pair_each_row_once(generator: torch.Generator) -> None:
    sample = 7 + torch.diag_embed(2.0 ** torch.arange(9, dtype=torch.float64))
    found = spectrum(sample, "differences", generator=generator)
    assert found.degrees == 4
    # Rows are powers of two on axes of their own: the square of each value is a sum of two powers of four.
    squares = [round(square) for square in found.values[:4].square().tolist()]
    assert [square.bit_count() for square in squares] == [2] * 4
    assert sum(squares).bit_count() == 8


def test_batches_are_those_of_single_samples(generator: torch.Generator) -> None:
    sample = torch.randn(3, 30, 5, generator=generator)
    whole = spectrum(sample, "centred")
    for row in range(3):
        torch.testing.assert_close(whole.values[row], spectrum(sample[row], "centred").values)


@pytest.mark.parametrize(("m", "n"), [(90, 30), (30, 90)])
def test_flat_samples_keep_the_frobenius_norm(m: int, n: int, generator: torch.Generator) -> None:
    sample = normals(m, n, generator)
    flat = flattened(sample)
    torch.testing.assert_close(flat, flat_svd(sample), rtol=1e-9, atol=1e-9)
    assert float(flat.norm()) == pytest.approx(float(sample.norm()))
    values = spectrum(flat).values
    torch.testing.assert_close(values, torch.full_like(values, float(sample.norm()) / math.sqrt(30)))


def test_bad_samples_are_named() -> None:
    with pytest.raises(ValueError, match="sample: got 1 of 4 numbers that are NaN or infinite"):
        spectrum(torch.tensor([[1.0, 2.0], [math.nan, 0.0]]))
    with pytest.raises(ValueError, match=r"sample: got shape \(1, 2\); required at least two rows"):
        spectrum(torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"sample: got singular values from .* required full rank"):
        flattened(torch.ones(5, 3))
    with pytest.raises(ValueError, match=r"error: got -1.0"):
        numerical_rank(spectrum(torch.eye(2)), -1.0)


def test_duplicate_points_have_a_spectrum_of_lesser_rank() -> None:
    found = spectrum(torch.ones(6, 3), "centred")
    assert found.values.tolist() == [0, 0, 0]
    assert int(numerical_rank(found)) == 0
    dropped = dropped_directions(found)
    assert (int(dropped.low), int(dropped.high), int(dropped.status)) == (0, 3, Status.UNDECIDED)


@pytest.mark.parametrize(("m", "n"), [(800, 200), (400, 400), (50, 300)])
def test_marchenko_pastur_is_the_mean_of_simulated_values(m: int, n: int, generator: torch.Generator) -> None:
    draws = torch.stack([singular_values(normals(m, n, generator)) for _ in range(8)])
    predicted = marchenko_pastur(m, n)
    # Single values move by about a unit over the square root of their number; their order by much less.
    assert (draws.mean(0) - predicted).abs().max() < 0.03 * math.sqrt(max(m, n))
    assert float(predicted.square().sum() / (m * n)) == pytest.approx(1, abs=0.005)


def test_edges_hold_at_their_confidence(generator: torch.Generator) -> None:
    low, high = gaussian_edges(60, 15, 0.9)
    draws = torch.stack([singular_values(normals(60, 15, generator)) for _ in range(300)])
    inside = int(((draws[:, -1] >= low) & (draws[:, 0] <= high)).sum())
    assert stats.binom.cdf(inside, 300, 0.9) > COVERAGE_LEVEL


@pytest.mark.parametrize("facets", [1, 2, 3, 5, 10, 20])
def test_orthant_spectrum_is_that_of_projected_normals(facets: int, generator: torch.Generator) -> None:
    """Proposition orthant-spectrum."""
    m = 20_000
    sample = normals(m, facets + 2, generator)
    projected = orthant_boundary_of(sample, facets)
    for part in ("raw", "centred", "differences", "displacements"):
        form = "raw" if part == "displacements" else part
        shown = sample - projected if part == "displacements" else projected
        found = spectrum(shown, form, generator=generator)
        spread = (found.values / math.sqrt(found.degrees)).sort().values
        truth = orthant_spectrum(facets, part)
        expected = [truth.repeated] * (facets - 1) + [truth.diagonal] + [truth.others] * 2
        # Each eigenvalue of a bulk may lie off by sqrt(k/m), the edge of its law, and four errors more.
        slack = truth.diagonal * (math.sqrt(facets / found.degrees) + ERRORS / math.sqrt(found.degrees))
        torch.testing.assert_close(
            spread, torch.tensor(sorted(expected), dtype=torch.float64), rtol=0, atol=max(slack, 0.05)
        )


@pytest.mark.parametrize("facets", range(1, 21))
def test_displacements_to_an_orthant_have_rank_k(facets: int, generator: torch.Generator) -> None:
    """Proposition displacement-rank."""
    sample = normals(400, 30, generator)
    displacements = sample - orthant_boundary_of(sample, facets)
    assert int(numerical_rank(spectrum(displacements))) == facets


def test_orthant_without_facets_is_refused() -> None:
    with pytest.raises(ValueError, match="facets, part: got 0, 'raw'"):
        orthant_spectrum(0, "raw")


@pytest.mark.parametrize("facets", range(1, 11))
def test_centred_orthants_drop_as_many_directions_as_facets(facets: int, generator: torch.Generator) -> None:
    sample = orthant_boundary_of(normals(4000, 60, generator), facets)
    found = dropped_directions(spectrum(sample, "centred"), cut=0.68)
    assert (int(found.low), int(found.value), int(found.high)) == (facets,) * 3


@pytest.mark.parametrize("dropped", [0, 1, 3])
def test_dropped_directions_are_covered(dropped: int, generator: torch.Generator) -> None:
    """Coverage at the stated confidence, for no gap (noise) and for directions exactly at the cut."""
    sample = torch.randn(400, 400, 20, generator=generator, dtype=torch.float64)
    sample[..., :dropped] *= 0.25
    found = dropped_directions(spectrum(sample, "centred"), confidence=0.9)
    covered = int(((found.low <= dropped) & (dropped <= found.high)).sum())
    assert stats.binom.cdf(covered, 400, 0.9) > COVERAGE_LEVEL
    assert float((found.value == dropped).double().mean()) > 0.99


def test_noise_of_an_image_drops_nothing(generator: torch.Generator) -> None:
    found = dropped_directions(spectrum(normals(1568, 784, generator), "centred"), cut=0.2)
    assert (int(found.low), int(found.high), int(found.status)) == (0, 0, Status.CONVERGED)


def test_small_samples_are_undecided_and_smaller_ones_refused(generator: torch.Generator) -> None:
    found = dropped_directions(spectrum(normals(30, 20, generator)), cut=0.5)
    assert int(found.status) == Status.UNDECIDED
    assert int(found.low) == 0 < int(found.high)
    with pytest.raises(ValueError, match="spectrum: got 19 degrees of freedom; required at least 20"):
        dropped_directions(spectrum(normals(20, 20, generator), "centred"))
    with pytest.raises(ValueError, match=r"cut: got 1.0"):
        dropped_directions(spectrum(normals(30, 20, generator)), cut=1.0)
