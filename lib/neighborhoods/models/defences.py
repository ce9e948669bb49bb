"""Training of small networks with a defence: one loop, in which the risk or the images of a step differ."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from neighborhoods.kernels.arguments import checked
from neighborhoods.kernels.attacks import check_logits, check_mode, check_points
from neighborhoods.kernels.statistics import Classifier
from neighborhoods.models.datasets import mnist
from neighborhoods.models.networks import build
from neighborhoods.models.training import regulariser
from neighborhoods.progress import bar

Defence = Literal["none", "penalty", "components", "soft neighbours", "adversaries", "noise", "dropout"]
SHARES = (0.1, 0.3, 1.0)


@dataclass(frozen=True)
class DefenceSpec:
    """All that determines a network trained with a defence.

    Attributes:
        network: fully connected, a name understood by `networks.build`.
        defence: "none"; "penalty", on squared weights; "components", the first principal ones alone are seen;
            "soft neighbours", which entangles the classes in the hidden layers; "adversaries" or "noise"
            instead of the images; "dropout" of hidden units.
        strength: of the penalty λ, see `training.regulariser`; how many components; weight of the loss of
            soft neighbours; radius of the adversaries; deviation of the noise; share of units dropped.
        images: how many training images, from the start of MNIST.
        epochs: passes over them, in a new random order each time.
        batch: images a step.
        rate: step size of Adam.
        steps: of each adversary's gradient ascent.
        seed: of the initial parameters, the orders, and of what a defence draws.
    """

    network: str
    defence: Defence
    strength: float
    images: int
    epochs: int
    batch: int = 100
    rate: float = 1e-3
    steps: int = 4
    seed: int = 0


def train(spec: DefenceSpec) -> dict[str, Tensor]:
    """Minimise the cross-entropy, as the defence has it, by Adam on shuffled batches.

    Returns:
        The parameters by name, of the undefended network's shape: a projection of the images is part of its
        first layer.
    """
    generator = Generator().manual_seed(spec.seed)
    network = build(spec.network, generator=generator).eval()
    points, labels = mnist("train", spec.images)
    if spec.defence == "components":
        centre, basis = principal_components(points.flatten(1), int(spec.strength))
        points = (centre + (points.flatten(1) - centre) @ basis @ basis.T).view_as(points)
    optimiser = torch.optim.Adam(network.parameters(), lr=spec.rate, fused=True)
    for _ in bar(range(spec.epochs), description=f"train {spec.network}, {spec.defence}"):
        for batch in torch.randperm(len(labels), generator=generator).split(spec.batch):
            loss = _risk(spec, network, points[batch], labels[batch], generator)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    if spec.defence == "components":
        _project_first(network, centre, basis)
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _risk(
    spec: DefenceSpec, network: nn.Sequential, points: Tensor, labels: Tensor, generator: Generator
) -> Tensor:
    """Return what the defence minimises over a batch."""
    match spec.defence:
        case "adversaries":
            radius, steps = spec.strength, spec.steps
            points = ascended(network, points, labels, radius=radius, steps=steps, generator=generator)
        case "noise":
            points = points + spec.strength * torch.randn(points.shape, generator=generator)
        case "dropout":
            kept = 1 - spec.strength
            masks = [draw(len(points), width, kept=kept, generator=generator) for width in hidden(network)]
            return cross_entropy(masked(network, points, masks), labels)
        case "soft neighbours":
            return _entangled(spec.strength, network, points, labels)
    penalty = regulariser(network, spec.strength, "parameters") if spec.defence == "penalty" else 0.0
    return cross_entropy(network(points), labels) + penalty


def _entangled(weight: float, network: nn.Sequential, points: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy less the weighted losses of soft neighbours at the hidden layers."""
    values, entangled = points, torch.zeros(())
    for layer in network:
        values = layer(values)
        if isinstance(layer, nn.ReLU):
            entangled = entangled + soft_nearest_neighbour_loss(values, labels)
    return cross_entropy(values, labels) - weight * entangled


@checked()
def soft_nearest_neighbour_loss(
    features: Float[Tensor, "m n"], labels: Int[Tensor, " m"], temperature: float | None = None
) -> Float[Tensor, ""]:
    r"""Return how far points are entangled with those of other classes.

    $$ -\frac1m\sum_i\ln
       \frac{\sum_{j\ne i,\,y_j=y_i}e^{-\|z_i-z_j\|^2/T}}{\sum_{k\ne i}e^{-\|z_i-z_k\|^2/T}} $$

    The mean is over the points that have another one of their class beside them; 0 where there is none.

    Args:
        features: $z$, in any unit.
        labels: $y$.
        temperature: $T$, in the square of that unit, positive. Where it is None, that one of `SHARES` of the
            mean squared distance which makes the loss least, as in the source's equation (2).

    Raises:
        ValueError: a temperature that is not positive.

    Source: Frosst, Papernot and Hinton (2019), equation (1).

    >>> pairs = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    >>> apart, mixed = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])
    >>> [abs(round(soft_nearest_neighbour_loss(pairs, y, 1.0).item(), 2)) for y in (apart, mixed)]
    [0.0, 81.0]
    """
    if temperature is not None and temperature <= 0:
        raise ValueError(f"temperature: got {temperature}; required a positive number")
    alone = torch.eye(len(features), dtype=torch.bool, device=features.device)
    same = (labels[:, None] == labels) & ~alone
    known = same.any(1)
    if not bool(known.any()):
        return features.new_zeros(())
    lengths = features.square().sum(1)
    squares = (lengths[:, None] + lengths - 2 * features @ features.T).clamp_min(0)
    squares, same, alone = squares[known], same[known], alone[known]
    if temperature is not None:
        return _entanglement(squares / temperature, same, alone)
    still = squares.detach()
    tried = [share * float(still.mean()) for share in SHARES if bool(still.any())] or [1.0]
    losses = torch.stack([_entanglement(still / one, same, alone) for one in tried])
    return _entanglement(squares / tried[int(losses.argmin())], same, alone)


def _entanglement(energies: Tensor, same: Tensor, alone: Tensor) -> Tensor:
    scores = (-energies).masked_fill(alone, -torch.inf)
    return (scores.logsumexp(1) - scores.masked_fill(~same, -torch.inf).logsumexp(1)).mean()


@checked(radius=0, steps=1)
def ascended(
    classifier: Classifier,
    points: Float[Tensor, " m *shape"],
    labels: Int[Tensor, " m"],
    *,
    radius: float,
    steps: int,
    generator: Generator | None = None,
) -> Float[Tensor, " m *shape"]:
    r"""Return adversaries in a Euclidean ball around each point and in [0, 1], by projected gradient ascent.

    $$ x_{s+1} = \Pi\Big(x_s + \tfrac{2.5\,\epsilon}{S}\frac{\nabla L(x_s)}{\|\nabla L(x_s)\|}\Big), $$

    from a random point of the ball. $\Pi$ projects on the ball and then on the box, which leaves it in both.

    Args:
        classifier: points to logits, without train-time randomness.
        points: $x$, in [0, 1].
        labels: the classes whose cross-entropy $L$ rises.
        radius: $\epsilon$, in the unit of the points.
        steps: $S$.
        generator: source of the start.

    Raises:
        ValueError: a number outside its range, points outside the box, classes that the classifier does not
            have, logits that are not finite, or dropout or batch normalisation in train mode.

    Source: Madry et al. (2018), section 2.1, with Euclidean steps.
    """
    check_points(points, labels, None, (0.0, 1.0))
    check_mode(classifier)
    origin = points.detach().flatten(1)
    start = torch.randn(origin.shape, generator=generator, dtype=origin.dtype, device=origin.device)
    share = torch.rand(len(origin), 1, generator=generator, dtype=origin.dtype, device=origin.device)
    moved = _onto(origin, origin + radius * share * start / start.norm(dim=1, keepdim=True), radius)
    for _ in range(steps):
        inputs = moved.detach().requires_grad_()
        logits = classifier(inputs.view_as(points))
        check_logits(logits, labels)
        slope = torch.autograd.grad(cross_entropy(logits, labels, reduction="sum"), inputs)[0]
        length = slope.norm(dim=1, keepdim=True).clamp_min(torch.finfo(slope.dtype).tiny)
        moved = _onto(origin, moved + 2.5 * radius / steps * slope / length, radius)
    return moved.view_as(points)


def _onto(origin: Tensor, points: Tensor, radius: float) -> Tensor:
    """Project on the ball, then on the box: that step leads nowhere away from an origin inside the box."""
    step = points - origin
    length = step.norm(dim=1, keepdim=True)
    return (origin + step * (radius / length.clamp_min(radius)) if radius else origin).clamp(0, 1)


@checked(points=2, count=1)
def principal_components(
    points: Float[Tensor, "m n"], count: int
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n count"]]:
    """Return the mean of the points and orthonormal directions in which they spread most, in columns.

    Args:
        points: one a row.
        count: how many directions.

    Raises:
        ValueError: more directions than coordinates, or fewer than two points.

    >>> centre, basis = principal_components(torch.tensor([[1.0, 5.0], [1.0, 7.0]]), 1)
    >>> centre, basis.abs()
    (tensor([1., 6.]), tensor([[0.],
            [1.]]))
    """
    if count > points.shape[1]:
        raise ValueError(f"count: got {count}; required at most {points.shape[1]} coordinates")
    vectors = torch.linalg.eigh(points.T.double().cov())[1]
    return points.mean(0), vectors[:, -count:].flip(1).to(points)


@torch.no_grad()
def _project_first(network: nn.Sequential, centre: Tensor, basis: Tensor) -> None:
    """Put the projection of the images into the first layer."""
    first = next(layer for layer in network if isinstance(layer, nn.Linear))
    projected = first.weight @ basis @ basis.T
    first.bias.add_((first.weight - projected) @ centre)
    first.weight.copy_(projected)


def hidden(network: nn.Sequential) -> list[int]:
    """Return the widths of the hidden layers of a chain."""
    return [layer.out_features for layer in network if isinstance(layer, nn.Linear)][:-1]


def draw(*shape: int, kept: float, generator: Generator) -> Tensor:
    """Return a mask: 1/kept with probability `kept`, and otherwise 0."""
    return (torch.rand(shape, generator=generator) < kept).float() / kept


def masked(layers: nn.Sequential, values: Tensor, masks: list[Tensor]) -> Tensor:
    """Return what layers make of values, with a mask on the outputs of each rectifier, in order."""
    rest = iter(masks)
    for layer in layers:
        values = layer(values)
        if isinstance(layer, nn.ReLU):
            values = values * next(rest)
    return values
