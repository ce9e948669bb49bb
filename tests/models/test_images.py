"""A folder of photographs: every kind of file is used as it should be, or refused by its name."""

from pathlib import Path

import pytest
import torch
from neighborhoods.models import images
from neighborhoods.models.images import fingerprint, photographs
from PIL import Image

CLASSES = ("tench", "goldfish", "great white shark")
RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(width: int = 64, height: int = 64) -> Image.Image:
    """An image that is red at the left and blue at the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def used(folder: Path) -> images.Photographs:
    return photographs(folder, CLASSES, side=32, shorter=32)


def refusal(folder: Path) -> str:
    halves().save(folder / "good_0.png")
    found = used(folder)
    assert found.names == ("good_0.png",)
    assert len(found.refused) == 1
    return found.refused[0]


def test_values_and_orientation(tmp_path: Path) -> None:
    halves().save(tmp_path / "a_1.png")
    found = used(tmp_path)
    assert found.labels.tolist() == [1] and found.points.shape == (1, 3, 32, 32)
    assert found.points[0, :, 16, 2].tolist() == [1, 0, 0] and found.points[0, :, 16, 29].tolist() == [
        0,
        0,
        1,
    ]


def test_labels_in_file_names_and_subfolders(tmp_path: Path) -> None:
    for name in (
        "x_2.png",
        "y_great-white-shark.png",
        "0/z.png",
        "goldfish/5_w.png",
        "Great_White_Shark/v.png",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        halves().save(tmp_path / name)
    found = used(tmp_path)
    assert dict(zip(found.names, found.labels.tolist(), strict=True)) == {
        "0/z.png": 0,
        "Great_White_Shark/v.png": 2,
        "goldfish/5_w.png": 1,
        "x_2.png": 2,
        "y_great-white-shark.png": 2,
    }


def test_name_without_class_is_refused(tmp_path: Path) -> None:
    halves().save(tmp_path / "holiday.png")
    assert refusal(tmp_path).startswith(
        "holiday.png: its name or subfolder ends in 'holiday'; it must end in a class"
    )


def test_class_beyond_the_last_is_refused(tmp_path: Path) -> None:
    halves().save(tmp_path / "fish_3.png")
    assert "a number from 0 to 2" in refusal(tmp_path)


@pytest.mark.parametrize("mode", ["L", "LA", "CMYK", "P", "RGBA", "1"])
def test_every_mode_of_eight_bits_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    halves().convert(mode).save(tmp_path / f"a_0.{suffix}")
    points = used(tmp_path).points
    assert points.shape == (1, 3, 32, 32) and 0 <= float(points.min()) <= float(points.max()) <= 1
    if mode not in ("L", "LA", "1"):
        torch.testing.assert_close(points[0, :, 16, 2], torch.tensor([1.0, 0.0, 0.0]), rtol=0, atol=0.05)


def test_turned_by_the_camera(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    halves().save(tmp_path / "a_0.jpg", exif=exif, quality=95)
    found = used(tmp_path).points[0]
    assert float(found[2, 16, 2]) > 0.9 and float(found[0, 16, 29]) > 0.9


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.new("I;16", (64, 64), 30_000).save(tmp_path / "deep_0.png")
    assert refusal(tmp_path) == "deep_0.png: its pixels are of mode I;16; required 8 bits a channel"


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text_0.jpg").write_text("no image")
    assert refusal(tmp_path) == "text_0.jpg: it is no image that can be read"


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut_0.{suffix}"
    Image.effect_noise((256, 256), 90).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(tmp_path).startswith(f"cut_0.{suffix}: ")


def test_tiny_image_is_refused(tmp_path: Path) -> None:
    halves(200, 31).save(tmp_path / "small_0.png")
    assert "small_0.png: it has 200 x 31 pixels; required sides of at least 32" in refusal(tmp_path)


def test_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (20_000, 5_001)).save(tmp_path / "large_0.png")
    assert "large_0.png: it has 20000 x 5001 pixels" in refusal(tmp_path)


def test_bomb_is_refused(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb_0.png")
    assert "bomb_0.png: it has too many pixels" in refusal(tmp_path)


def test_folder_that_is_missing_or_without_use_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it must be a folder"):
        used(tmp_path / "none")
    (tmp_path / "text_0.jpg").write_text("no image")
    with pytest.raises(ValueError, match=r"must hold photographs .text_0.jpg: it is no image"):
        used(tmp_path)


def test_fingerprint_follows_names_and_contents(tmp_path: Path) -> None:
    halves().save(tmp_path / "a_0.png")
    first = fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("not an image")
    assert fingerprint(tmp_path) == first
    (tmp_path / "a_0.png").rename(tmp_path / "a_1.png")
    second = fingerprint(tmp_path)
    halves(66).save(tmp_path / "a_1.png")
    assert len({first, second, fingerprint(tmp_path)}) == 3
