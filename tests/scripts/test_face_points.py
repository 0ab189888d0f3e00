"""The script that finds points of faces; MediaPipe itself lives in an environment of its own."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from df2net_hub.demo_photo import demo_photo

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "face_points.py"
POINTS = ROOT / "tests" / "assets" / "astronaut_points.csv"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


def test_help_says_how_to_install_what_it_needs():
    shown = run("--help")
    assert shown.returncode == 0 and 'pip install "mediapipe==0.10.14"' in shown.stdout


@pytest.mark.skipif(find_spec("mediapipe") is not None, reason="MediaPipe is installed")
def test_without_mediapipe_it_says_so_and_writes_nothing(tmp_path):
    failed = run(str(demo_photo()), "-o", str(tmp_path / "points.npz"))
    assert failed.returncode == 2 and "MediaPipe is not installed" in failed.stderr
    assert not list(tmp_path.iterdir())


def test_two_photos_of_one_name_and_one_that_is_not_there_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.jpg").write_bytes(b"")
    out = str(tmp_path / "points.npz")
    failed = run(str(tmp_path / "a"), str(tmp_path / "b"), "-o", out)
    assert failed.returncode == 2 and "one.jpg is there twice" in failed.stderr
    failed = run(str(tmp_path / "c"), "-o", out)
    assert failed.returncode == 2 and "no file or folder" in failed.stderr


@pytest.mark.skipif(find_spec("mediapipe") is None, reason="needs MediaPipe, see the script")
def test_a_photo_that_lies_on_its_side_is_turned_upright_and_a_broken_one_left_out(tmp_path):
    photo = Image.open(demo_photo())
    turned, exif = photo.transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[274] = 6  # as a phone held upright writes it
    photo.save(tmp_path / "a.png")
    turned.save(tmp_path / "b.png", exif=exif)
    (tmp_path / "c.png").write_bytes(b"no picture")
    ran = run(str(tmp_path), "-o", str(tmp_path / "points.npz"))
    assert ran.returncode == 0 and "no picture that can be read" in ran.stderr
    with np.load(tmp_path / "points.npz") as found:
        assert set(found.files) == {"a.png", "b.png"}
        np.testing.assert_allclose(found["a.png"], found["b.png"], atol=0.1)


@pytest.mark.skipif(find_spec("mediapipe") is None, reason="needs MediaPipe, see the script")
def test_the_astronauts_points_are_those_the_tests_use(tmp_path):
    assert run(str(demo_photo()), "-o", str(tmp_path / "points.npz")).returncode == 0
    with np.load(tmp_path / "points.npz") as found:
        points = found[Path(demo_photo()).name]
    expected = np.loadtxt(POINTS, delimiter=",", skiprows=1)
    np.testing.assert_allclose(points[:468], expected, atol=0.1)
