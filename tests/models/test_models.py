"""MNIST as it is bundled, the draft's networks, and their training."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from neighborhoods.models import datasets, networks
from neighborhoods.models.precision import fastest_convolutions, single_precision
from neighborhoods.models.training import (
    Span,
    TrainingSpec,
    accuracy,
    advance,
    epochs,
    finish,
    regulariser,
    train,
)
from torch import nn

LABELS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
"""Images of each digit in MNIST's training set, as its authors and everybody since have counted them."""

SMALL = TrainingSpec("FC20-10", images=2000, epochs=2, batch=20)


def test_training_set_is_that_of_mnist() -> None:
    images, labels = datasets.mnist("train")
    assert labels.bincount().tolist() == LABELS
    assert images.shape == (60_000, 1, 28, 28)
    assert images.min() == 0
    assert images.max() == 1
    assert images.double().mean().item() == pytest.approx(0.1307, abs=5e-5)


def test_limit_takes_the_first_images() -> None:
    few, all_of_them = datasets.mnist("test", 7), datasets.mnist("test")
    assert torch.equal(few.points, all_of_them.points[:7])
    assert len(all_of_them.labels) == 10_000


@pytest.mark.parametrize(
    ("split", "limit", "words"), [("valid", None, "'valid'"), ("test", 0, "limit: got 0")]
)
def test_unknown_split_and_empty_limit_are_refused(split: str, limit: int | None, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        datasets.mnist(split, limit)


def test_altered_file_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(datasets.FOLDER, tmp_path / "mnist")
    path = folder / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte.gz has sha256"):
        datasets.mnist("test", folder=folder)


def test_torchvision_is_asked_where_the_folder_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = torch.full((3, 28, 28), 51, dtype=torch.uint8)
    answer = SimpleNamespace(data=pixels, targets=torch.tensor([1, 2, 3]))
    monkeypatch.setattr("torchvision.datasets.MNIST", lambda *_, **__: answer)
    images, labels = datasets.mnist("test", 2, folder=tmp_path / "absent")
    assert labels.tolist() == [1, 2]
    assert torch.allclose(images, torch.tensor(0.2))


@pytest.mark.parametrize("channels", [2, 32])
def test_convolutional_network_has_the_shapes_of_table_3(channels: int) -> None:
    network, x = networks.build(f"C-{channels}"), torch.zeros(1, 1, 28, 28)
    shapes = []
    for layer in network:
        x = layer(x)
        if not isinstance(layer, nn.ReLU):
            shapes.append(tuple(x.shape[1:]))
    sides = [(channels, side, side) for side in (24, 20, 16, 12, 6)]
    assert shapes == [*sides, (channels * 36,), (256,), (10,)]


def test_fully_connected_widths_follow_the_name() -> None:
    shapes = [tuple(p.shape) for p in networks.build("FC100-20-10").parameters() if p.ndim == 2]
    assert shapes == [(100, 784), (20, 100), (10, 20)]
    assert [tuple(p.shape) for p in networks.build("FC10").parameters()] == [(10, 784), (10,)]


@pytest.mark.parametrize("name", ["FC", "FC0-10", "C-0", "C4", "FC100", "resnet", ""])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"network is '{name}'; it must be like"):
        networks.build(name)


def test_parameters_come_from_the_generator_alone() -> None:
    first, second = (networks.build("C-2", generator=torch.Generator().manual_seed(5)) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    weight = first[0].weight
    assert weight.abs().max() <= weight[0].numel() ** -0.5
    assert weight.std() > 0


def test_training_is_reproducible_and_learns() -> None:
    first, second = train(SMALL), train(SMALL)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert first["history/loss"][1] < first["history/loss"][0]
    assert first["history/accuracy"] > 0.5
    network = networks.load("FC20-10", first)
    assert accuracy(network, datasets.mnist("test")) == first["history/accuracy"]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_training_in_spans_is_training() -> None:
    first = advance(Span(SMALL, 1))
    resumed = finish(SMALL, advance(Span(SMALL, 2), first))
    straight = train(SMALL)
    assert resumed.keys() == straight.keys()
    assert all(torch.equal(resumed[name], straight[name]) for name in straight)
    assert len(list(epochs(SMALL, first))) == 1


@pytest.mark.parametrize(("until", "words"), [(1, "until is 1; it must be 2 to 2"), (3, "until is 3")])
def test_spans_outside_the_training_are_refused(until: int, words: str) -> None:
    first = advance(Span(SMALL, 1))
    with pytest.raises(ValueError, match=words):
        advance(Span(SMALL, until), first)


def test_first_step_of_training_is_adam_on_the_regularised_risk() -> None:
    spec = TrainingSpec("FC10", images=50, epochs=1, batch=50, penalty=1e5)
    network = networks.build("FC10", generator=torch.Generator().manual_seed(spec.seed))
    images, labels = datasets.mnist("train", 50)
    parameters = list(network.parameters())
    risk = nn.functional.cross_entropy(network(images), labels)
    penalty = 1e5 / 7840 * parameters[0].square().sum()
    gradients = torch.autograd.grad(risk + penalty, parameters)
    trained = train(spec)
    for (name, before), gradient in zip(network.named_parameters(), gradients, strict=True):
        # Adam's first step has length rate along the sign of the gradient, where that is not tiny.
        step = -spec.rate * gradient / (gradient.abs() + 1e-8)
        assert torch.allclose(trained[name], before + step, atol=1e-6)


@pytest.mark.parametrize("name", ["images", "epochs", "batch"])
def test_empty_training_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        replace(SMALL, **{name: 0})


def test_missing_parameters_are_named() -> None:
    with pytest.raises(ValueError, match=r"parameters: got none for 1\.weight"):
        networks.load("FC10", {})


def test_regulariser_has_three_readings() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        network[0].weight.fill_(2.0)
        network[2].weight.fill_(3.0)
    # Squares: 24 in a layer of 2 units, 18 in a layer of 1; 8 weights in all.
    assert regulariser(network, 0.5, "units").item() == pytest.approx(0.5 * (24 / 2 + 18))
    assert regulariser(network, (1.0, 0.1), "parameters").item() == pytest.approx((24 + 1.8) / 8)
    assert regulariser(network, 1.0, "norm").item() == pytest.approx((24**0.5 + 18**0.5) / 8)


def test_regulariser_names_what_is_wrong() -> None:
    network = networks.build("FC20-10")
    with pytest.raises(ValueError, match="penalty has 3 numbers; it must have one or 2"):
        regulariser(network, (1.0, 2.0, 3.0), "units")
    with pytest.raises(ValueError, match="reading is 'mean'; it must be one of 'units', "):
        regulariser(network, 1.0, "mean")


@pytest.mark.parametrize("tf32", [False, True])
def test_single_precision_holds_within_its_block(tf32: bool) -> None:
    backends = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = [backend.fp32_precision for backend in backends]
    with pytest.raises(RuntimeError, match="inside"), single_precision(tf32=tf32):
        assert [backend.fp32_precision for backend in backends] == ["tf32" if tf32 else "ieee"] * 2
        raise RuntimeError("inside")
    assert [backend.fp32_precision for backend in backends] == before


def test_convolutions_are_tuned_within_the_block() -> None:
    before = torch.backends.cudnn.benchmark
    with pytest.raises(RuntimeError, match="inside"), fastest_convolutions():
        assert torch.backends.cudnn.benchmark
        raise RuntimeError("inside")
    assert torch.backends.cudnn.benchmark == before
