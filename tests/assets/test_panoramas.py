"""Panoramas: energy is kept, pictures that are no panorama are left out."""

import cv2
import numpy as np
import pytest

from df2net_hub.assets.panoramas import convert_panoramas, panorama_paths, read_panorama


def write_hdr(path, radiance):
    cv2.imwrite(str(path), radiance[..., ::-1].astype(np.float32))


@pytest.fixture
def sky():
    rng = np.random.default_rng(0)
    radiance = np.exp(rng.normal(0, 1, (128, 256, 3)))
    radiance[20:24, 100:104] = 5000  # a sun
    return radiance.astype(np.float32)


def test_a_panorama_is_brought_down_in_linear_light(tmp_path, sky):
    write_hdr(tmp_path / "sky.hdr", sky)
    folder = tmp_path / "light"
    used, refused = convert_panoramas(panorama_paths(tmp_path), folder)
    assert used == 1 and not refused
    with np.load(folder / "environments.npz") as stored:
        small, names = stored["radiance"], stored["names"]
    assert small.shape == (1, 64, 128, 3) and small.dtype == np.float16 and names[0] == "sky"
    expected = sky.reshape(64, 2, 128, 2, 3).mean((1, 3))
    brightest = sky.reshape(64, 2, 128, 2, 3).max((1, 3, 4))  # its channels share an exponent
    assert (np.abs(small[0] - expected) <= brightest[..., None] / 100).all()
    picture = cv2.imread(str(folder / "backgrounds" / "sky.jpg"))
    assert picture.shape == (512, 1024, 3) and 60 < picture.mean() < 200


def test_a_picture_that_is_no_panorama_is_left_out_and_named(tmp_path, sky):
    write_hdr(tmp_path / "a_square.hdr", sky[:, :128])
    write_hdr(tmp_path / "b_good.hdr", sky)
    (tmp_path / "c_text.hdr").write_text("no picture")
    whole = (tmp_path / "b_good.hdr").read_bytes()
    (tmp_path / "d_cut.hdr").write_bytes(whole[:30])
    write_hdr(tmp_path / "e_black.hdr", 0 * sky)
    (tmp_path / "f.exr").write_bytes(b"\x76\x2f\x31\x01")
    used, refused = convert_panoramas(panorama_paths(tmp_path), tmp_path / "light")
    assert used == 1
    reasons = [
        refused[str(tmp_path / f"{n}.hdr")] for n in ("a_square", "c_text", "d_cut", "e_black")
    ]
    assert "128 x 128 px; an equirectangular panorama is twice as wide" in reasons[0]
    assert "no whole .hdr" in reasons[1] and "no whole .hdr" in reasons[2]
    assert "all black" in reasons[3]
    exr = refused[str(tmp_path / "f.exr")]
    assert "is OpenEXR, which is not read" in exr and "save it as Radiance .hdr" in exr


def test_when_none_can_be_used_nothing_is_written(tmp_path, sky):
    write_hdr(tmp_path / "square.hdr", sky[:, :128])
    with pytest.raises(ValueError, match="none of 1 panoramas could be used: .*128 x 128"):
        convert_panoramas(panorama_paths(tmp_path), tmp_path / "light")
    assert not (tmp_path / "light").exists()
    with pytest.raises(FileNotFoundError, match="holds no .hdr"):
        panorama_paths(tmp_path / "light")


def test_an_ordinary_picture_is_no_linear_radiance(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((10, 20, 3), 200, np.uint8))
    with pytest.raises(ValueError, match="no finite linear radiance"):
        read_panorama(tmp_path / "a.png")
