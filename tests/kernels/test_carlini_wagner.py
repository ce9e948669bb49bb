"""The attack of Carlini and Wagner on linear classifiers, at the faces of the box, and row by row."""

import math

import pytest
import torch
from neighborhoods.kernels.attacks import lead
from neighborhoods.kernels.carlini_wagner import carlini_wagner
from reference import nearest_in_class_of_affine
from torch import Tensor, nn

CLASSES, PIXELS = 4, 16


@pytest.fixture
def network(generator: torch.Generator) -> nn.Module:
    layers = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 12), nn.Tanh(), nn.Linear(12, CLASSES))
    with torch.no_grad():
        for layer in (layers[1], layers[3]):
            layer.weight.normal_(generator=generator)
            layer.bias.zero_()
        layers[1].bias.copy_(-layers[1].weight.sum(1) / 2)
    return layers.double().eval()


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    """Half of the pixels lie on a face of the box, as those of digits do."""
    return (1.5 * torch.rand(8, 1, 4, 4, generator=generator, dtype=torch.float64) - 0.25).clamp(0, 1)


def labelled(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    labels = network(images).argmax(1)
    return labels, (labels + 1) % CLASSES


def test_nearest_points_of_affine_classifiers_are_those_of_the_programme(generator: torch.Generator) -> None:
    affine = nn.Linear(PIXELS, CLASSES).double()
    with torch.no_grad():
        affine.weight.normal_(generator=generator)
        affine.bias.copy_(-affine.weight.sum(1) / 2)
    points = (1.5 * torch.rand(6, PIXELS, generator=generator, dtype=torch.float64) - 0.25).clamp(0, 1)
    labels, targets = labelled(affine, points)
    found = carlini_wagner(affine, points, labels, targets=targets, rounds=8, steps=300)
    assert found.success.all()
    for row in range(len(points)):
        shortest = nearest_in_class_of_affine(affine.weight, affine.bias, points[row], int(targets[row]))
        assert shortest * (1 - 1e-6) <= float(found.distortion[row]) * math.sqrt(PIXELS) <= shortest * 1.002


@pytest.mark.parametrize("face", [0.0, 1.0])
def test_pixels_leave_the_faces_of_the_box(face: float) -> None:
    """From the corner of a box to the nearest point of a half-space: the middle of its diagonal."""

    def half_space(x: Tensor) -> Tensor:
        inward = (x.mean(1) - 0.5) * (1 if face == 0 else -1)
        return torch.stack([torch.zeros_like(inward), inward], 1)

    x = torch.full((1, 8), face, dtype=torch.float64)
    found = carlini_wagner(half_space, x, torch.tensor([0]), rounds=8, steps=200)
    assert found.success.all()
    torch.testing.assert_close(found.points, torch.full_like(x, 0.5), atol=0.01, rtol=0)


@pytest.mark.parametrize(("scale", "shift"), [(1e4, 0.0), (1e-4, 0.0), (1.0, -1e4), (1.0, 1e4)])
def test_logits_may_have_any_size_and_sign(
    network: nn.Module, images: Tensor, scale: float, shift: float
) -> None:
    labels, targets = labelled(network, images)
    plain = carlini_wagner(network, images, labels, targets=targets)
    other = carlini_wagner(lambda x: scale * network(x) + shift, images, labels, targets=targets)
    assert other.success.tolist() == plain.success.tolist()
    torch.testing.assert_close(other.distortion, plain.distortion, rtol=1e-3, atol=0)


@pytest.mark.parametrize("targeted", [False, True])
def test_companions_do_not_change_a_row(network: nn.Module, images: Tensor, targeted: bool) -> None:
    labels, other = labelled(network, images)
    targets = other if targeted else None
    whole = carlini_wagner(network, images, labels, targets=targets, rounds=3, steps=40)
    for rows in torch.arange(len(images)).split(3):
        part = None if targets is None else targets[rows]
        some = carlini_wagner(network, images[rows], labels[rows], targets=part, rounds=3, steps=40)
        for one, same in zip(whole, some, strict=True):
            torch.testing.assert_close(one[rows], same, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("margin", [0.0, 0.5])
def test_success_is_a_lead_beyond_the_margin(network: nn.Module, images: Tensor, margin: float) -> None:
    labels, targets = labelled(network, images)
    found = carlini_wagner(network, images, labels, targets=targets, margin=margin)
    ahead = lead(network(found.points).detach(), targets)
    assert found.success.any()
    assert (found.success == (ahead > margin)).all()
    assert float(ahead[found.success].max()) < margin + 0.2, "and ends close to it"
    assert bool(((found.points >= 0) & (found.points <= 1)).all())
    torch.testing.assert_close(found.distortion, (found.points - images).flatten(1).square().mean(1).sqrt())


def test_more_rounds_never_lengthen_a_success(network: nn.Module, images: Tensor) -> None:
    labels, targets = labelled(network, images)
    few, many = (carlini_wagner(network, images, labels, targets=targets, rounds=count) for count in (2, 6))
    assert (many.success | ~few.success).all()
    assert (many.distortion <= few.distortion)[few.success].all()


def test_points_that_have_succeeded_stay(network: nn.Module, images: Tensor) -> None:
    other = labelled(network, images)[1]
    found = carlini_wagner(network, images, other)
    assert found.success.all()
    assert torch.equal(found.points, images)
    assert not found.penalty.any()


def test_failures_stay_as_rows_and_zero_gradients_are_failures() -> None:
    def never(x: Tensor) -> Tensor:
        return 0 * x.sum(1, keepdim=True) + torch.tensor([1.0, 0.0])

    found = carlini_wagner(never, torch.full((2, 3), 0.5), torch.tensor([0, 1]))
    assert found.success.tolist() == [False, True]
    assert all(part.isfinite().all() for part in found)


def test_no_points_are_no_rows(network: nn.Module, images: Tensor) -> None:
    found = carlini_wagner(network, images[:0], torch.zeros(0, dtype=torch.int64))
    assert [len(part) for part in found] == [0] * len(found)


def test_nothing_is_left_behind(network: nn.Module, images: Tensor) -> None:
    before = images.clone()
    with torch.no_grad():
        found = carlini_wagner(network, images, labelled(network, images)[0], rounds=1, steps=5)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(part.requires_grad for part in found)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"margin": -1.0}, r"margin: got -1\.0; required at least 0"),
        ({"rate": 0.0}, r"rate: got 0\.0; required more than 0"),
        ({"rounds": 0}, "rounds: got 0; required at least 1"),
        ({"steps": 0}, "steps: got 0; required at least 1"),
        ({"box": (0.0, math.inf)}, "box: got .*; required two finite ends in order"),
        ({"box": (0.4, 0.6)}, "points: got coordinates in"),
        ({"targets": torch.zeros(8, dtype=torch.int64)}, "targets: got 0 in row 0; required other classes"),
        ({"labels": torch.full((8,), 4)}, r"labels, targets: got \[4\]"),
        ({"classifier": lambda x: x.flatten(1) * math.nan}, "classifier: got logits that are not finite"),
        ({"classifier": nn.Sequential(nn.Flatten(), nn.Dropout())}, "required evaluation mode"),
    ],
)
def test_errors_name_the_argument(
    network: nn.Module, images: Tensor, change: dict[str, object], words: str
) -> None:
    labels = torch.zeros(8, dtype=torch.int64)
    with pytest.raises(ValueError, match=words):
        carlini_wagner(**({"classifier": network, "points": images, "labels": labels} | change))
