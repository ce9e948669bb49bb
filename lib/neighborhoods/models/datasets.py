"""MNIST, read from the files that come with the repository."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from neighborhoods.kernels.arguments import checked

FOLDER = Path(__file__).resolve().parents[3] / "data" / "mnist"
PREFIX = {"train": "train", "test": "t10k"}


class Images(NamedTuple):
    """Images and their classes.

    Attributes:
        points: pixel values in [0, 1].
        labels: class numbers.
    """

    points: Float[Tensor, "images channels height width"]
    labels: Int[Tensor, " images"]


@checked(limit=1)
def mnist(split: Literal["train", "test"], limit: int | None = None, *, folder: Path = FOLDER) -> Images:
    """Return the first images of MNIST with pixel values in [0, 1].

    Args:
        split: "train" (60 000 images) or "test" (10 000 images).
        limit: how many images from the start; all of them when None.
        folder: where the idx files lie; torchvision fetches its own copy where the folder was removed.

    Raises:
        ValueError: limit below one, or a file whose checksum is not the recorded one.
        TypeError: an unknown split, or an argument of another type.
    """
    if not folder.is_dir():
        return _from_torchvision(split, limit)
    pixels = _read_idx(folder / f"{PREFIX[split]}-images-idx3-ubyte.gz")[:limit]
    labels = _read_idx(folder / f"{PREFIX[split]}-labels-idx1-ubyte.gz")[:limit]
    points = torch.from_numpy(pixels).unsqueeze(1).to(torch.float32).div_(255)
    return Images(points, torch.from_numpy(labels).to(torch.int64))


@cache
def _read_idx(path: Path) -> np.ndarray:
    """Read one gzipped idx file (a big-endian header, then bytes), its sha256 checked, once a process."""
    packed = path.read_bytes()
    recorded = {
        name: digest for digest, name in map(str.split, (path.parent / "SHA256SUMS").read_text().splitlines())
    }
    digest = hashlib.sha256(packed).hexdigest()
    if recorded.get(path.name) != digest:
        raise ValueError(f"{path} has sha256 {digest}; it must be {recorded.get(path.name)}")
    raw = gzip.decompress(packed)
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()


def _from_torchvision(split: str, limit: int | None) -> Images:
    from torchvision.datasets import MNIST  # noqa: PLC0415  (only where the bundled files were removed)

    data = MNIST(Path.home() / ".cache" / "neighborhoods", train=split == "train", download=True)
    points = data.data[:limit].unsqueeze(1).to(torch.float32).div(255)
    return Images(points, data.targets[:limit].to(torch.int64))
