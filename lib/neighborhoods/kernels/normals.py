"""Normals of a boundary, from gradients and from local samples, and the angle at which a path meets them."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int, Int8
from torch import Tensor

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.flatness import Flatness, flatness
from neighborhoods.kernels.spectra import Spectrum
from neighborhoods.kernels.statistics import Classifier, Status


class Margins(NamedTuple):
    """What the logits say of a pair of classes at each point.

    Attributes:
        difference: $Z_b - Z_a$, positive where the second class leads the first.
        gradient: of the difference, flattened.
        lead: by how much the lesser of the two exceeds every third logit; negative where a third one leads.
    """

    difference: Float[Tensor, " m"]
    gradient: Float[Tensor, "m n"]
    lead: Float[Tensor, " m"]


class LeastSquaresNormal(NamedTuple):
    """The direction in which a local sample spreads least.

    Attributes:
        normal: of unit length; its sign means nothing.
        error: radians within which the true normal is expected, one standard deviation.
        flatness: how flat the sample is.
        spectrum: of the centred sample.
    """

    normal: Float64[Tensor, "*batch n"]
    error: Float64[Tensor, "*batch"]
    flatness: Flatness
    spectrum: Spectrum


@checked()
def margins(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    first: Int[Tensor, " m"],
    second: Int[Tensor, " m"],
) -> Margins:
    r"""Return the difference of two logits at each point, its gradient, and their lead over all others.

    Where the difference vanishes and the lead is positive, the point is on the boundary of the two classes,
    and the gradient is its normal, towards the second class.

    Args:
        classifier: points to logits, differentiable.
        points: $x$.
        first: class $a$ of each point.
        second: class $b$.

    Raises:
        ValueError: a classifier that gives no logits, NaN or no gradient, or a class that it does not have.

    Source: the draft, Definition 29.3.
    """
    found = margins_of(classifier, points, first, second)
    if bool(found.difference.isnan().any()):
        raise ValueError("classifier: got logits that are NaN; required numbers")
    return found


def margins_of(
    classifier: Classifier, points: Float[Tensor, " m *shape"], first: Tensor, second: Tensor
) -> Margins:
    """Return what `margins` does, and NaN for points or logits that are no numbers."""
    with torch.enable_grad():
        x = points.detach().requires_grad_()
        logits = classifier(x)
        _require_logits(logits, points, first=first, second=second)
        pair = torch.stack([first, second], 1)
        low, high = logits.gather(1, pair).unbind(1)
        gradient = torch.autograd.grad((high - low).sum(), x)[0].flatten(1)
    others = logits.detach().scatter(1, pair, -torch.inf)
    lead = torch.minimum(low, high).detach() - others.amax(1)
    return Margins((high - low).detach(), gradient, lead)


def _require_logits(logits: Tensor, points: Tensor, **classes: Int[Tensor, " m"]) -> None:
    """Raise `ValueError` unless a classifier gave differentiable logits, of which the classes are some."""
    if logits.ndim != 2 or len(logits) != len(points) or not logits.requires_grad:
        found = (
            f"{logits.dtype} of shape {tuple(logits.shape)}, {'a' if logits.requires_grad else 'no'} gradient"
        )
        raise ValueError(f"classifier: got {found}; required logits ({len(points)}, classes) with one")
    for name, values in classes.items():
        if not bool(((values >= 0) & (values < logits.shape[1])).all()):
            raise ValueError(
                f"{name}: got {values.unique().tolist()}; required some of {logits.shape[1]} classes"
            )


def unit(vectors: Float[Tensor, "*batch n"]) -> tuple[Float[Tensor, "*batch n"], Int8[Tensor, "*batch"]]:
    """Return vectors of length one, and FAILED where there is none since a vector is zero or not finite."""
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    good = length.isfinite() & (length > 0)
    status = torch.where(good[..., 0], int(Status.CONVERGED), int(Status.FAILED)).to(torch.int8)
    return torch.where(good, vectors / length, 0.0), status


@checked()
def incidence(
    directions: Float[Tensor, "*#batch n"], normals: Float[Tensor, "*#batch n"]
) -> Float[Tensor, "..."]:
    r"""Return the angle between lines and normals, in radians: 0 for a line that meets a boundary head on.

    $$ \alpha = \arccos\frac{|\langle v, n\rangle|}{|v||n|} \in [0, \tfrac\pi2], $$

    by half the distances of the unit vectors, which keeps its digits at small angles.

    Args:
        directions: $v$, of any length but zero.
        normals: $n$, likewise; their sign does not matter.

    Raises:
        ValueError: a vector that is zero or not finite.

    Source: the draft, Definition 30.1, corrected: its first sentence defines $\pi/2 - \alpha$.

    >>> incidence(torch.tensor([1.0, 1.0]), torch.tensor([0.0, -2.0]))
    tensor(0.7854)
    """
    (v, first), (n, second) = unit(directions), unit(normals)
    if bool((first != 0).any()) or bool((second != 0).any()):
        raise ValueError("directions, normals: got a vector that is zero or not finite; required a direction")
    apart = torch.minimum((v - n).norm(dim=-1), (v + n).norm(dim=-1))
    return 2 * (apart / 2).clamp(max=1 / math.sqrt(2)).arcsin()


@checked()
def least_squares_normal(patch: Float[Tensor, "*batch m n"]) -> LeastSquaresNormal:
    r"""Return the normal of a local sample of boundary points by total least squares.

    It is the last right singular vector of the centred sample. Where the boundary curves, the height above
    the tangent plane acts as noise of the regression, independent of the place to first order: each of the
    $n - 1$ slopes is known up to $\rho/\sqrt{m - n}$, $\rho$ the ratio of `flatness`, hence the angle up to

    $$ \rho\,\sqrt{\frac{n - 1}{m - n}} . $$

    Args:
        patch: points of the boundary around one of its points, more of them than coordinates.

    Raises:
        ValueError: no more points than coordinates, or values that are not finite.

    Source: the draft, section 31, which asks how best to measure normals; the error is ours.
    """
    flat, found = flatness(patch)
    m, n = patch.shape[-2:]
    error = flat.ratio * math.sqrt((n - 1) / (m - n))
    return LeastSquaresNormal(found.vectors[..., -1, :], error, flat, found)
