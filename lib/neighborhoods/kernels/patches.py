"""Local samples of a decision boundary: normals in its tangent plane, moved along its normal onto it."""

import copy
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int8
from torch import Generator, Tensor, nn

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.boundaries import crossing
from neighborhoods.kernels.layouts import first_layer
from neighborhoods.kernels.normals import unit
from neighborhoods.kernels.spectra import flattened
from neighborhoods.kernels.statistics import Classifier, Status

REACH = 8.0  # deviations that a point may be moved, up or down


class Patch(NamedTuple):
    """Points of a boundary around one of its points.

    Attributes:
        offsets: from that point; zero where there is no crossing.
        status: CONVERGED, or FAILED where the normal through a place does not cross within reach.
        width: of the brackets of the crossings, a bound of each position's error along the normal.
    """

    offsets: Float64[Tensor, "samples n"]
    status: Int8[Tensor, " samples"]
    width: float


class Pair(nn.Module):
    """The logits of two classes."""

    def __init__(self, first: int, second: int) -> None:
        """Keep the two classes' numbers."""
        super().__init__()
        self.first, self.second = first, second

    def forward(self, logits: Tensor) -> Tensor:
        """Return two columns of the logits."""
        return torch.stack([logits[:, self.first], logits[:, self.second]], 1)


def between(classifier: Classifier, first: int, second: int) -> Classifier:
    """Return the classifier that knows two classes only, by the logits of another one."""
    chosen = Pair(first, second)
    if isinstance(classifier, nn.Sequential):
        return nn.Sequential(*classifier, chosen)
    return lambda points: chosen(classifier(points))


@checked(centre=1, samples=1)
def patch(
    classifier: Classifier,
    centre: Float[Tensor, "*shape"],
    normal: Float[Tensor, " n"],
    radius: float,
    *,
    samples: int,
    flat: bool = False,
    iterations: int = 16,
    generator: Generator | None = None,
) -> Patch:
    r"""Sample a boundary around one of its points.

    $$ x_b + r\,(I - \nu\nu^\top)z_i + h_i\nu, \qquad z_i \sim \mathcal N(0, I), $$

    with the height $|h_i| \le 8r$ found by `crossing`. For a boundary that is a graph over its tangent plane
    the heights are $\frac12 r^2\, II(z_i, z_i) + O(r^3)$. Where it is none, the normal through a place may
    cross it more than once, of which one is found, or not at all.

    Args:
        classifier: points to logits of two classes, or labels; see `between`.
        centre: $x_b$.
        normal: $\nu$ of any length, flattened.
        radius: $r$, standard deviation of the sample in each direction.
        samples: points drawn.
        flat: give the sample a flat spectrum, see `flattened`.
        iterations: halvings of $[-8r, 8r]$.
        generator: source of randomness.

    Raises:
        ValueError: a radius that is not positive, or a normal that is zero or not finite.

    Source: the draft, section 31, which projects the samples by interpolation; along the normal is ours.
    """
    nu, status = unit(normal.double())
    if not 0 < radius < float("inf") or int(status) != Status.CONVERGED:
        raise ValueError(f"radius, normal: got {radius} and length {normal.norm()}; required both positive")
    z = torch.randn((samples, len(nu)), generator=generator, dtype=torch.float64, device=nu.device)
    z = flattened(z) if flat else z
    places = radius * (z - (z @ nu)[:, None] * nu)
    reach = REACH * radius * nu
    start = centre + (places - reach).to(centre.dtype).reshape(-1, *centre.shape)
    end = centre + (places + reach).to(centre.dtype).reshape(-1, *centre.shape)
    found = crossing(classifier, start, end, iterations=iterations)
    good = found.status == int(Status.CONVERGED)
    offsets = torch.where(good[:, None], places + (2 * found.fraction.double() - 1)[:, None] * reach, 0.0)
    return Patch(offsets, found.status, 2 * REACH * radius * 2.0**-iterations)


@checked()
def in_row_space(
    network: nn.Sequential, points: Float[Tensor, " m *shape"]
) -> tuple[nn.Sequential, Float64[Tensor, "n q"]]:
    r"""Return a network of fewer coordinates that says the same, and the orthonormal axes of these.

    A network that begins with a full layer $Wx + b$ does not hear what is orthogonal to the $q$ rows of $W$:
    its boundary is a cylinder over the one in their span,
    $$ F(x) = G(Q^\top x), \qquad W^\top = QR, \qquad G(u) = F\text{'s other layers at } R^\top u + b . $$

    Args:
        network: flattening, if anything, before a full layer with no more units than coordinates.
        points: any points, for their shape.

    Raises:
        ValueError: another network.

    Source: ours.
    """
    layer, rest = first_layer(network, points)
    if layer is None or not isinstance(rest, nn.Sequential) or layer.out_features > layer.in_features:
        raise ValueError(
            "network: got no full first layer of few units; required one, possibly after Flatten"
        )
    if not bool(layer.weight.isfinite().all()):
        raise ValueError("network: got weights that are not finite in its first layer; required finite ones")
    Q, R = torch.linalg.qr(layer.weight.detach().double().T)
    first = nn.Linear(Q.shape[1], layer.out_features, bias=layer.bias is not None, dtype=layer.weight.dtype)
    with torch.no_grad():
        first.weight.copy_(R.T)
        if layer.bias is not None:
            first.bias.copy_(layer.bias)
    return nn.Sequential(first, *copy.deepcopy(rest)).requires_grad_(False), Q
