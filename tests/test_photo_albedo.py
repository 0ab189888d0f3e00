"""Albedo for prepared photos: AlbedoNet's, SfSNet's, none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from df2net_hub.faces import FaceBox, crop_face
from df2net_hub.modeling.albedonet import AlbedoNet, AlbedoNetConfig
from df2net_hub.photo_albedo import (
    crop_albedo,
    find_sfsnet_albedos,
    open_albedo,
    sfsnet_albedo,
)
from df2net_hub.photos import PhotoError

BOX = FaceBox(60, 20, 100, 1.0, "given")


def ramp(width: int, height: int) -> np.ndarray:
    """Red grows to the right, green downward; each pixel tells where it is."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    return (np.stack([x, y, 0 * x + 0.5], -1) * 255).astype(np.uint8)


@pytest.fixture
def sfsnet(tmp_path: Path) -> Path:
    """Albedo 128 x 128 of photos of any shape, as SfSNet gives it."""
    for name in ("ann.png", "bob_albedo.png", "10_albedo.jpg"):
        cv2.imwrite(str(tmp_path / name), ramp(128, 128)[..., ::-1])
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


@pytest.mark.parametrize("name", ["ann.jpg", "bob.png", "10_face.png"])
def test_sfsnet_albedo_lies_on_the_photo_it_was_made_of(sfsnet, name) -> None:
    pixels = ramp(300, 180)  # squeezed by SfSNet to a square
    albedo = sfsnet_albedo(find_sfsnet_albedos(str(sfsnet)), name, pixels, BOX, 64)
    assert albedo.shape == (64, 64, 3) and albedo.dtype == np.uint8
    difference = albedo.astype(int) - crop_face(pixels, BOX, 64)
    assert np.abs(difference).mean() < 2 and np.abs(difference).max() < 12


def test_a_photo_that_sfsnet_did_not_see_is_a_reason_and_a_broken_one_an_error(sfsnet) -> None:
    albedos = find_sfsnet_albedos(str(sfsnet))
    assert sfsnet_albedo(albedos, "eve.jpg", ramp(90, 90), BOX, 64) == "no albedo of SfSNet"
    (sfsnet / "ann.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(PhotoError, match=r"ann\.png"):
        sfsnet_albedo(albedos, "ann.jpg", ramp(90, 90), BOX, 64)


def test_a_folder_without_pictures_and_none_at_all_are_errors(tmp_path) -> None:
    with pytest.raises(ValueError, match="no picture in"):
        open_albedo(f"sfsnet:{tmp_path}")
    with pytest.raises(FileNotFoundError, match="with albedo of SfSNet"):
        open_albedo(f"sfsnet:{tmp_path / 'gone'}")


@pytest.mark.parametrize("kind", ["best", "sfsnet", "albedonet:", "none:x", ""])
def test_another_kind_is_named(kind) -> None:
    with pytest.raises(ValueError, match="albedo must be albedonet, .* or none, got"):
        open_albedo(kind)


def test_no_albedo_is_none() -> None:
    assert open_albedo("none")("a.jpg", ramp(90, 90), BOX, ramp(64, 64)) is None


def test_albedonet_gives_bytes_of_what_it_says(tmp_path) -> None:
    net = AlbedoNet(AlbedoNetConfig(width=4, levels=4, working_size=32)).eval()
    net.save_pretrained(tmp_path)
    crop = ramp(64, 64)
    made = open_albedo(f"albedonet:{tmp_path}")("a.jpg", crop, BOX, crop)
    np.testing.assert_array_equal(made, crop_albedo(net, crop))
    # Fresh weights give the photo back but for a highlight of at most 4 % of the blue.
    assert made.dtype == np.uint8 and np.abs(made[20:, 20:].astype(int) - crop[20:, 20:]).max() < 12
