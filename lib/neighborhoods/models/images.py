"""Photographs with labels: the twenty that come with foolbox, or a folder of the reader's own."""

import hashlib
import re
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from neighborhoods.kernels.arguments import checked

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
TWENTY = "imagenet_*.jpg"  # foolbox has photographs for smaller networks in the same folder
LEAST_SIDE = 32  # below it an enlarged image shows nothing
MOST_PIXELS = 100_000_000
WIDE = ("I", "I;16", "I;16B", "I;16L", "F")  # modes that converting to RGB would cut off at 255


class Photographs(NamedTuple):
    """Photographs cut to one size.

    Attributes:
        points: pixel values in [0, 1], red first.
        labels: class numbers.
        names: of the files, relative to their folder.
        refused: one message for each file that was left out.
    """

    points: Float[Tensor, "images 3 side side"]
    labels: Int[Tensor, " images"]
    names: tuple[str, ...]
    refused: tuple[str, ...]


@checked(classes=1, side=1)
def photographs(
    folder: Path, classes: tuple[str, ...], *, side: int = 224, shorter: int = 256, smooth: bool = False
) -> Photographs:
    """Return the photographs of a folder, in the order of their names.

    Files are turned as their camera says, brought to RGB, resized to a shorter side of `shorter` and cut to
    the middle square. The class, a number or a name, is the last part of a file's name (`bird_11.jpg`,
    `bird_goldfinch.jpg`), or the name of its subfolder (`11/bird.jpg`, `indigo bunting/bird.jpg`).

    Args:
        folder: where the files lie, in it or one level below.
        classes: the names of the classes in the order of their numbers.
        side: height and width of the result.
        shorter: length of the shorter side before cutting.
        smooth: resize bicubically rather than bilinearly.

    Raises:
        ValueError: there is no such folder, no file in it that can be used (the message names each file and
            what is wrong with it), or a middle larger than the whole.
    """
    if shorter < side:
        raise ValueError(f"shorter: got {shorter}; required at least {side}, the side that is cut out")
    if not folder.is_dir():
        raise ValueError(f"images is {str(folder)!r}; it must be a folder")
    used, refused = [], []
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            used.append((name, label_of(path, folder, classes), _square(path, side, shorter, smooth)))
        except (OSError, SyntaxError, ValueError) as error:  # Pillow raises a SyntaxError for a broken PNG
            refused.append(f"{name}: {error}")
    if not used:
        raise ValueError(
            f"images is {str(folder)!r}; it must hold photographs ({'; '.join(refused) or 'none'})"
        )
    names, labels, points = zip(*used, strict=True)
    return Photographs(torch.stack(points), torch.tensor(labels), names, tuple(refused))


def twenty() -> Path:
    """Return the folder of foolbox's photographs, without importing foolbox.

    Raises:
        ValueError: foolbox is not installed.
    """
    found = find_spec("foolbox")
    if found is None or found.origin is None:
        raise ValueError(
            "images: foolbox is not installed; run pip install --no-deps foolbox==3.3.4, or give a folder"
        )
    return Path(found.origin).parent / "data"


def files(folder: Path) -> list[Path]:
    """Return the image files of a folder and of its subfolders, in the order of their names."""
    found = [*folder.glob(TWENTY)] or [*folder.iterdir(), *folder.glob("*/*")]
    return sorted(path for path in found if path.is_file() and path.suffix.lower() in SUFFIXES)


def fingerprint(folder: Path) -> str:
    """Return a digest of the names and contents of the image files of a folder, in hexadecimal."""
    whole = hashlib.sha256()
    for path in files(folder):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0")
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


@checked(classes=1)
def label_of(path: Path, folder: Path, classes: tuple[str, ...]) -> int:
    """Return the class that a file's name or its subfolder states.

    Raises:
        ValueError: neither states a class.

    >>> label_of(Path("of/bird_0.jpg"), Path("of"), ("tench", "great white shark"))
    0
    >>> label_of(Path("of/great_white_shark/bird.jpg"), Path("of"), ("tench", "great white shark"))
    1
    """
    words = _words(path.parent.name) if path.parent != folder else _words(path.stem)
    numbers = {_words(name): number for number, name in reversed(list(enumerate(classes)))}
    parts = words.split(" ")
    if parts[-1].isdigit() and int(parts[-1]) < len(classes):
        return int(parts[-1])
    for start in range(len(parts)):
        if (last := " ".join(parts[start:])) in numbers:
            return numbers[last]
    raise ValueError(
        f"its name or subfolder ends in {parts[-1]!r}; it must end in a class, "
        f"a number from 0 to {len(classes) - 1} or a name such as {classes[0]!r}"
    )


def _words(name: str) -> str:
    return " ".join(re.split(r"[\s_-]+", name.strip().lower()))


def _square(path: Path, side: int, shorter: int, smooth: bool) -> Float[Tensor, "3 side side"]:
    """Read one file as a square of RGB values."""
    image = _upright(path)
    scale = shorter / min(image.size)
    size = round(scale * image.width), round(scale * image.height)
    image = image.resize(size, Image.Resampling.BICUBIC if smooth else Image.Resampling.BILINEAR)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    pixels = np.asarray(image.crop((left, top, left + side, top + side)), dtype=np.float32)
    return torch.from_numpy(pixels / 255).permute(2, 0, 1).contiguous()


def _upright(path: Path) -> Image.Image:
    """Return the whole image as RGB, turned as its camera says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we ask before anything is decoded
        try:
            opened = Image.open(path)
        except UnidentifiedImageError:
            raise ValueError("it is no image that can be read") from None
        except Image.DecompressionBombError:
            raise ValueError(f"it has too many pixels; at most {MOST_PIXELS}") from None
    with opened:
        if min(opened.size) < LEAST_SIDE or opened.width * opened.height > MOST_PIXELS:
            raise ValueError(
                f"it has {opened.width} x {opened.height} pixels; "
                f"required sides of at least {LEAST_SIDE} and at most {MOST_PIXELS} pixels"
            )
        if opened.mode in WIDE:
            raise ValueError(f"its pixels are of mode {opened.mode}; required 8 bits a channel")
        opened.load()
        turned = ImageOps.exif_transpose(opened)
        return turned.convert("RGBA").convert("RGB") if turned.mode == "P" else turned.convert("RGB")
