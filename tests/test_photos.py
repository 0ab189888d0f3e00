"""Every kind of picture comes out as upright 8-bit RGB, or as an error that names it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from df2net_hub.photos import PhotoError, load_photo


def ramp(height: int = 40, width: int = 64) -> np.ndarray:
    """(H,W,3) uint8 whose channels differ and whose corners can be told apart."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 3, columns * 3, 255 - rows * 2], -1).astype(np.uint8)


def test_a_file_an_image_and_an_array_give_the_same_pixels(tmp_path: Path) -> None:
    Image.fromarray(ramp()).save(tmp_path / "photo.png")
    for photo in (tmp_path / "photo.png", str(tmp_path / "photo.png"), ramp()):
        assert np.array_equal(load_photo(photo), ramp())
    assert np.array_equal(load_photo(Image.fromarray(ramp())), ramp())


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [(3, lambda p: p[::-1, ::-1]), (6, lambda p: np.rot90(p)), (8, lambda p: np.rot90(p, -1))],
)
def test_the_exif_orientation_is_followed(tmp_path: Path, orientation: int, undo) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(undo(ramp()))).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(load_photo(tmp_path / "turned.png"), ramp())


def test_gray_and_black_and_white_become_three_equal_channels() -> None:
    gray = ramp()[..., 0]
    assert np.array_equal(load_photo(Image.fromarray(gray)), np.repeat(gray[..., None], 3, 2))
    bits = Image.fromarray((gray > 60).astype(np.uint8) * 255).convert("1")
    assert set(np.unique(load_photo(bits))) == {0, 255}


def test_sixteen_bits_are_scaled_not_cut(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 40 * 64).reshape(40, 64).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    pixels = load_photo(tmp_path / "deep.png")
    assert pixels[0, 0].tolist() == [0, 0, 0] and pixels[-1, -1].tolist() == [255, 255, 255]
    np.testing.assert_allclose(pixels[..., 1], levels / 257, atol=1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_over_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (64, 40), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 40))
    image.convert(mode).save(tmp_path / "clear.png")
    pixels = load_photo(tmp_path / "clear.png")
    assert pixels[20, 10].tolist() == [255, 255, 255]
    assert pixels[20, 50].tolist() == [0, 0, 0]


def test_cmyk_and_palette_keep_their_colors(tmp_path: Path) -> None:
    for name, mode in (("print.tif", "CMYK"), ("old.gif", "P")):
        Image.new("RGB", (64, 40), (204, 0, 102)).convert(mode).save(tmp_path / name)
        np.testing.assert_allclose(load_photo(tmp_path / name)[5, 5], [204, 0, 102], atol=6)


def damaged(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("text.jpg", lambda path: path.write_text("hello"), "is no picture"),
        ("empty.png", lambda path: path.touch(), "is no picture"),
        ("cut.jpg", damaged, "is damaged"),
        ("cut.png", damaged, "is damaged"),
        ("dot.png", lambda path: Image.new("L", (1, 1)).save(path), "is 1 x 1 pixels"),
        ("flat.tif", lambda path: Image.new("F", (64, 64)).save(path), "range is unknown"),
        ("folder", lambda path: path.mkdir(), "is a folder"),
        ("none.jpg", lambda path: None, "does not exist"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, make, words: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(PhotoError) as caught:
        load_photo(tmp_path / name)
    assert name in str(caught.value) and words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "array", [np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3)), np.zeros((64, 64, 4), np.uint8)]
)
def test_an_array_of_another_kind_is_an_error_that_shows_it(array: np.ndarray) -> None:
    with pytest.raises(PhotoError, match=r"must be uint8 of shape \(H,W,3\), got"):
        load_photo(array)
