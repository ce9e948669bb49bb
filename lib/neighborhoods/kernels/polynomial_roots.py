"""Real roots of many polynomials in the unit interval, by bisection between the roots of the derivative."""

import torch
from jaxtyping import Float
from torch import Tensor

_HALVINGS = 60  # an interval of length 1 shrinks below the spacing of doubles


def unit_roots(coefficients: Float[Tensor, "n terms"]) -> Float[Tensor, "n degree"]:
    r"""Return where each polynomial $\sum_j c_j u^j$ changes sign in (0, 1), padded with ones.

    Between two neighbouring roots of its derivative a polynomial is monotone, so that a change of sign there
    is one root, which bisection finds to rounding. No leading coefficient is divided by: it may vanish.

    Args:
        coefficients: $c_0, c_1, \dots$, lowest first; one column gives no root.

    >>> unit_roots(torch.tensor([[0.06, -0.5, 1.0], [1.0, 0.0, 1.0]], dtype=torch.float64))
    tensor([[0.2000, 0.3000],
            [1.0000, 1.0000]], dtype=torch.float64)
    """
    n, terms = coefficients.shape
    if terms < 2:
        return coefficients.new_empty((n, 0))
    powers = torch.arange(1, terms, dtype=coefficients.dtype, device=coefficients.device)
    inner = unit_roots(coefficients[:, 1:] * powers)
    edges = torch.cat([torch.zeros_like(coefficients[:, :1]), inner, torch.ones_like(coefficients[:, :1])], 1)
    low, high = edges[:, :-1], edges[:, 1:]
    first = evaluate(coefficients, low)
    crossed = (first > 0) != (evaluate(coefficients, high) > 0)
    if not bool(crossed.any()):
        return torch.ones_like(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        same = (evaluate(coefficients, middle) > 0) == (first > 0)
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    return torch.where(crossed, high, 1.0).sort(1).values


def evaluate(
    coefficients: Float[Tensor, "n terms"], u: Float[Tensor, "n points"]
) -> Float[Tensor, "n points"]:
    """Return the values of each polynomial at its own points, by Horner's rule."""
    value = torch.zeros_like(u)
    for column in coefficients.flip(1).T:
        value = value * u + column[:, None]
    return value


def interpolate(values: Float[Tensor, "terms n"], at: Float[Tensor, " terms"]) -> Float[Tensor, "n terms"]:
    """Return the coefficients of the polynomials with given values at the same few positions."""
    powers = torch.arange(len(at), dtype=at.dtype, device=at.device)
    coefficients: Tensor = torch.linalg.solve(at[:, None] ** powers, values).T
    return coefficients


def may_vanish(values: Float[Tensor, "terms n"], at: Float[Tensor, " terms"]) -> Tensor:
    """Return False where the Bernstein coefficients on [0, 1] all have one sign: no root there."""
    degree = len(at) - 1
    index = torch.arange(degree + 1, dtype=at.dtype, device=at.device)
    choose = torch.tensor([_binomial(degree, j) for j in range(degree + 1)], dtype=at.dtype, device=at.device)
    basis = choose * at[:, None] ** index * (1 - at[:, None]) ** (degree - index)
    bernstein = torch.linalg.solve(basis, values)
    # Rounding may give a wrong sign near zero only; a generous margin makes sure that no root is missed.
    margin = 64 * torch.finfo(at.dtype).eps * bernstein.abs().amax(0)
    possible: Tensor = (bernstein.amin(0) <= margin) & (bernstein.amax(0) >= -margin)
    return possible


def _binomial(n: int, k: int) -> int:
    result = 1
    for j in range(k):
        result = result * (n - j) // (j + 1)
    return result
