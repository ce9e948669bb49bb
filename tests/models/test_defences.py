"""The parts of defences on cases that can be solved by hand."""

from dataclasses import replace

import pytest
import torch
from neighborhoods.models import defences
from neighborhoods.models.datasets import mnist
from neighborhoods.models.defences import DefenceSpec
from neighborhoods.models.networks import build, load
from torch import nn

SMALL = DefenceSpec("FC20-10", "none", 0.0, images=400, epochs=2, batch=50, rate=5e-3)


def test_loss_of_soft_neighbours_is_that_of_its_definition(generator: torch.Generator) -> None:
    features = torch.randn(7, 3, generator=generator, dtype=torch.float64)
    labels, terms = torch.tensor([0, 1, 0, 1, 1, 0, 2]), []
    for i in range(6):  # the last one has no other of its class
        weights = {j: (-(features[i] - features[j]).square().sum() / 0.7).exp() for j in range(7) if j != i}
        near = sum(weight for j, weight in weights.items() if labels[j] == labels[i])
        terms.append(-(near / sum(weights.values())).log())
    found = defences.soft_nearest_neighbour_loss(features, labels, 0.7)
    torch.testing.assert_close(found, torch.stack(terms).mean())


def test_the_temperature_is_that_of_the_least_loss(generator: torch.Generator) -> None:
    features, labels = torch.randn(8, 3, generator=generator), torch.arange(8) % 2
    spread = float(torch.cdist(features, features).square().mean())
    each = [defences.soft_nearest_neighbour_loss(features, labels, s * spread) for s in defences.SHARES]
    torch.testing.assert_close(defences.soft_nearest_neighbour_loss(features, labels), min(each))


def test_points_without_their_like_have_no_loss() -> None:
    assert float(defences.soft_nearest_neighbour_loss(torch.eye(3), torch.arange(3))) == 0
    together = defences.soft_nearest_neighbour_loss(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]))
    assert together.item() == pytest.approx(torch.tensor(3.0).log().item())


def test_ascended_points_of_a_linear_network_go_along_its_gradient() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2)).eval()
    network[1].weight.data = torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    network[1].bias.data.zero_()
    points = torch.full((3, 1, 2, 2), 0.5)
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(3, dtype=torch.int64)
    found = defences.ascended(network, points, labels, radius=0.2, steps=40, generator=generator)
    wanted = torch.tensor([0.5 - 0.2 / 2**0.5, 0.5 + 0.2 / 2**0.5, 0.5, 0.5])
    torch.testing.assert_close(found.flatten(1), wanted.expand(3, 4), rtol=0, atol=0.03)


@pytest.mark.parametrize("radius", [0.0, 0.3, 5.0])
def test_ascended_points_stay_in_ball_and_box(radius: float, generator: torch.Generator) -> None:
    network = build("FC20-10", generator=generator).eval()
    images, labels = mnist("test", 8)
    found = defences.ascended(network, images, labels, radius=radius, steps=3, generator=generator)
    assert found.min() >= 0
    assert found.max() <= 1
    assert (found - images).flatten(1).norm(dim=1).max() <= radius + 1e-5
    assert network[1].weight.grad is None


def test_principal_components_project_best(generator: torch.Generator) -> None:
    points = torch.randn(50, 6, generator=generator) * torch.tensor([5.0, 4.0, 1.0, 1.0, 0.5, 0.1])
    centre, basis = defences.principal_components(points, 2)
    torch.testing.assert_close(basis.T @ basis, torch.eye(2), rtol=0, atol=1e-5)
    centred = points - centre
    left = (centred - centred @ basis @ basis.T).square().sum()
    values = torch.linalg.svdvals(centred)
    torch.testing.assert_close(left, values[2:].square().sum(), rtol=1e-4, atol=1e-4)


def test_a_network_of_components_sees_nothing_else(generator: torch.Generator) -> None:
    spec = replace(SMALL, defence="components", strength=5.0)
    network = load(spec.network, defences.train(spec))
    centre, basis = defences.principal_components(mnist("train", 400).points.flatten(1), 5)
    images = mnist("test", 20).points.flatten(1)
    seen = centre + (images - centre) @ basis @ basis.T
    torch.testing.assert_close(network(images), network(seen), rtol=1e-4, atol=1e-4)
    noise = torch.randn(20, 784, generator=generator)
    aside = noise - noise @ basis @ basis.T
    torch.testing.assert_close(network(images + aside), network(images), rtol=1e-3, atol=1e-3)


def test_masks_multiply_what_rectifiers_return() -> None:
    layers = nn.Sequential(nn.ReLU(), nn.Linear(2, 1, bias=False))
    layers[1].weight.data = torch.tensor([[1.0, 10.0]])
    masks = [torch.tensor([[2.0, 0.0], [0.0, 2.0]])]
    found = defences.masked(layers, torch.tensor([3.0, 4.0]), masks)
    assert found.flatten().tolist() == [6, 80]
    assert defences.hidden(build("FC7-5-10")) == [7, 5]


def test_masks_have_mean_one(generator: torch.Generator) -> None:
    mask = defences.draw(100, 1000, kept=0.25, generator=generator)
    assert set(mask.unique().tolist()) == {0.0, 4.0}
    assert abs(mask.mean().item() - 1) < 4 * (3 / 1e5) ** 0.5


@pytest.mark.parametrize(
    ("kind", "strength"),
    [("penalty", 80.0), ("soft neighbours", 0.1), ("adversaries", 0.5), ("noise", 0.3), ("dropout", 0.5)],
)
def test_each_defence_learns_reproducibly_and_differs_from_none(
    kind: defences.Defence, strength: float
) -> None:
    spec = replace(SMALL, defence=kind, strength=strength)
    one, other, none = defences.train(spec), defences.train(spec), defences.train(SMALL)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not torch.equal(one["1.weight"], none["1.weight"])
    images, labels = mnist("test", 500)
    assert (load(spec.network, one)(images).argmax(1) == labels).float().mean() > 0.3


@pytest.mark.parametrize("kind", ["penalty", "soft neighbours"])
def test_a_defence_of_no_strength_is_none(kind: defences.Defence) -> None:
    found = defences.train(replace(SMALL, defence=kind, epochs=1))
    none = defences.train(replace(SMALL, epochs=1))
    for name, value in none.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4)
