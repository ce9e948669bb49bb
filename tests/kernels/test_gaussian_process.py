"""Gaussian processes: textbook formulas, a variance that is never negative, and matrices that are refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.definiteness import as_matrix, definiteness, eigenvalues_of, mean_over_outputs
from neighborhoods.kernels.gaussian_process import gaussian_process
from torch import Tensor
from torch.distributions import MultivariateNormal


def features(n: int, seed: int, rank: int = 6) -> Tensor:
    return torch.randn(n, rank, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=30)
@given(st.integers(1, 15), st.integers(0, 1000), st.floats(1e-6, 10), st.integers(1, 8))
def test_formulas_of_the_textbook(n: int, seed: int, noise: float, rank: int) -> None:
    phi, psi, y = features(n, seed, rank), features(4, seed + 1, rank), features(n, seed + 2, 2)
    gram = phi @ phi.T
    found = gaussian_process(gram, psi @ phi.T, psi.square().sum(1), y, noise=noise)
    whole = gram + noise * torch.eye(n, dtype=torch.float64)
    torch.testing.assert_close(found.mean, psi @ phi.T @ torch.linalg.solve(whole, y), rtol=1e-6, atol=1e-8)
    inner = psi @ phi.T @ torch.linalg.solve(whole, phi @ psi.T)
    torch.testing.assert_close(found.variance, (psi @ psi.T - inner).diagonal(), rtol=1e-6, atol=1e-8)
    density = MultivariateNormal(torch.zeros(n, dtype=torch.float64), whole).log_prob(y.T)
    torch.testing.assert_close(found.evidence, density, rtol=1e-6, atol=1e-6)


@settings(max_examples=50)
@given(
    st.integers(1, 30),
    st.integers(0, 1000),
    st.floats(-300, 0),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_variance_is_never_negative_nor_above_the_prior(
    n: int, seed: int, power: float, dtype: torch.dtype
) -> None:
    phi = features(n, seed, 3).to(dtype)
    psi = torch.cat([phi, features(5, seed + 1, 3).to(dtype)])
    prior = psi.square().sum(1)
    found = gaussian_process(phi @ phi.T, psi @ phi.T, prior, phi[:, :1], noise=10**power)
    assert bool((found.variance >= 0).all())
    assert bool((found.variance <= prior.double()).all())


def test_matrices_that_are_no_covariance_are_refused() -> None:
    phi = features(5, 0)
    gram, cross, prior, y = phi @ phi.T, phi @ phi.T, phi.square().sum(1), phi[:, :1]
    skew = gram + torch.arange(25.0).view(5, 5)
    for message, changed in {
        "noise: got 0": (gram, cross, prior, y, 0.0),
        "gram: got relative asymmetry": (skew, cross, prior, y, 1.0),
        "gram: got eigenvalue -": (gram - 20 * torch.eye(5).double(), cross, prior, y, 1.0),
        "cross, prior: got variance -": (gram, 5 * cross, prior, y, 0.1),
        "gram: got 25 of 25 numbers that are NaN": (gram * torch.nan, cross, prior, y, 1.0),
        "at least one row": (gram[:0, :0], cross[:, :0], prior, y[:0], 1.0),
    }.items():
        with pytest.raises(ValueError, match=message):
            gaussian_process(*changed[:4], noise=changed[4])


def test_definiteness_of_known_matrices() -> None:
    found = definiteness(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    assert found.asymmetry == pytest.approx(2.0)
    assert (found.smallest, found.largest, found.ratio) == (0.0, 0.0, 0.0)
    assert definiteness(torch.diag(torch.tensor([-1.0, 4.0]))).ratio == -0.25
    torch.testing.assert_close(
        eigenvalues_of(torch.tensor([[2.0, 1.0], [1.0, 2.0]])), torch.tensor([1.0, 3.0]).double()
    )


def test_blocks_of_several_outputs_become_one_matrix() -> None:
    phi = torch.randn(4, 3, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kernel = torch.einsum("akp,blp->abkl", phi, phi)
    flat = phi.flatten(0, 1)
    torch.testing.assert_close(as_matrix(kernel), flat @ flat.T)
    torch.testing.assert_close(mean_over_outputs(kernel), torch.einsum("akp,bkp->ab", phi, phi) / 3)
