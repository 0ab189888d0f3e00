"""Finding and cropping faces; the crop's pixels show what the convention says."""

import sys
from pathlib import Path

import numpy as np
import pytest

from df2net_hub.demo_photo import demo_photo
from df2net_hub.faces import (
    DlibDetector,
    FaceBox,
    crop_face,
    get_detector,
    inside_photo,
    list_detectors,
    whole_photo,
)
from df2net_hub.photos import load_photo


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return load_photo(demo_photo())


def ramp(height: int, width: int) -> np.ndarray:
    """(H,W,3) uint8: red is the column, green the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, 0 * rows], -1).astype(np.uint8)


def box(x: float, y: float, side: float) -> FaceBox:
    return FaceBox(x, y, side, 1.0, "given")


def test_a_crop_at_the_photos_own_size_is_the_photo() -> None:
    photo = ramp(100, 120)
    assert np.array_equal(crop_face(photo, box(30, 20, 64), 64), photo[20:84, 30:94])


@pytest.mark.parametrize("side", [32.0, 48.5, 128.0])
def test_crop_pixels_show_the_photo_where_the_convention_says(side: float) -> None:
    crop = crop_face(ramp(200, 200), box(40.25, 30.5, side), 64).astype(float)
    centers = (np.arange(64) + 0.5) * side / 64 - 0.5
    np.testing.assert_allclose(crop[30, :, 0], 40.25 + centers, atol=0.75)
    np.testing.assert_allclose(crop[:, 30, 1], 30.5 + centers, atol=0.75)


def test_beyond_the_photo_its_edge_repeats() -> None:
    crop = crop_face(ramp(50, 50), box(-32, -32, 64), 64)
    assert (crop[:30, :30, :2] == 0).all()
    assert np.array_equal(crop[32:60, 32:60], ramp(28, 28))


def test_the_pixels_that_show_the_photo_are_those_whose_centers_lie_in_it() -> None:
    inside = inside_photo(box(-8, 30, 64), (50, 40), 32)  # a pixel is two of the photo
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    assert inside.sum() == len(rows) * len(columns)
    assert (columns[0], columns[-1]) == (4, 28)  # -8 + 2 * 4.5 = 1, and 49
    assert (rows[0], rows[-1]) == (0, 4)
    assert inside_photo(box(0, 0, 40), (50, 40), 16).all()


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = crop_face(stripes, box(0, 0, 256), 32)
    np.testing.assert_allclose(crop[4:-4, 4:-4], 127.5, atol=3)


def test_a_roll_turns_the_square_about_its_middle() -> None:
    photo, around = ramp(200, 240), box(60, 40, 64)
    upright = crop_face(photo, around, 64)
    assert np.array_equal(crop_face(photo, around, 64, 360.0), upright)
    for quarters in (1, 2, 3):  # what lies 90 degrees counterclockwise is turned back clockwise
        turned = crop_face(photo, around, 64, 90.0 * quarters)
        np.testing.assert_allclose(turned.astype(int), np.rot90(upright, -quarters), atol=1)
    slanted = crop_face(photo, around, 128, 30.0).astype(float)
    right = (np.arange(128) + 0.5) / 2 - 32  # [px of the photo] off the middle
    np.testing.assert_allclose(slanted[64, :, 0], 91.5 + right * np.cos(np.pi / 6), atol=1.2)
    np.testing.assert_allclose(slanted[64, :, 1], 71.5 - right * np.sin(np.pi / 6), atol=1.2)


def test_what_a_turned_square_shows_beside_the_upright_one_is_photo() -> None:
    photo = np.zeros((100, 100, 3), np.uint8)
    photo[:25] = 255  # 5 px above the square
    turned = crop_face(photo, box(30, 30, 40), 40, 45.0)
    assert (turned[0, 39] > 200).all() and (turned[20, 20] == 0).all()


@pytest.mark.parametrize("roll", [20.0, 90.0, -135.0])
def test_pixels_of_a_turned_crop_lie_in_the_photo_where_it_is_shown(roll: float) -> None:
    photo = np.full((40, 50, 3), 200, np.uint8)
    around = box(-8, 10, 48)
    framed = np.pad(photo, ((40, 40), (40, 40), (0, 0)))  # black where the photo does not reach
    shown = crop_face(framed, box(32, 50, 48), 96, roll)[..., 0] > 100
    inside = inside_photo(around, (50, 40), 96, roll)
    assert (shown != inside).mean() < 0.02 and 0.3 < inside.mean() < 0.95


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (box(200, 0, 50), "lies outside the photo of 120 x 100"),
        (box(0, 0, 500), "4 times as large"),
    ],
)
def test_a_box_that_shows_no_photo_is_an_error(where: FaceBox, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        crop_face(ramp(100, 120), where, 64)


@pytest.mark.parametrize("values", [(0, 0, 0), (0, 0, -3), (float("nan"), 0, 5)])
def test_a_box_without_a_size_cannot_be_made(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="a FaceBox needs"):
        box(*values)


def test_dlib_finds_the_astronaut_where_she_is(astronaut: np.ndarray) -> None:
    (found,) = DlibDetector()(astronaut)
    assert found.found_by == "dlib" and found.score > 0
    assert (found.x + found.side / 2, found.y + found.side / 2) == pytest.approx((228, 130), abs=8)
    assert found.side == pytest.approx(143, rel=0.1)


@pytest.mark.parametrize(("quarters", "roll"), [(1, 90), (2, 180), (3, -90)])
def test_dlib_finds_her_in_a_photo_that_lies_on_its_side(
    astronaut: np.ndarray, quarters: int, roll: float
) -> None:
    photo = astronaut[:400]
    (upright,) = DlibDetector()(photo)
    (found,) = DlibDetector()(np.rot90(photo, quarters))
    assert found.roll == roll and upright.roll == 0
    back = crop_face(np.ascontiguousarray(np.rot90(photo, quarters)), found, 64, found.roll)
    difference = back.astype(float) - crop_face(photo, upright, 64)
    assert np.abs(difference).mean() < 3


def test_the_box_moves_and_grows_with_the_photo(astronaut: np.ndarray) -> None:
    (whole,) = DlibDetector()(astronaut)
    (shifted,) = DlibDetector()(astronaut[:400, 60:])
    assert (shifted.x + 60, shifted.y) == pytest.approx((whole.x, whole.y), abs=8)
    (large,) = DlibDetector()(astronaut.repeat(4, 0).repeat(4, 1))
    assert large.side / 4 == pytest.approx(whole.side, rel=0.15)


def test_two_faces_come_largest_first(astronaut: np.ndarray) -> None:
    half = astronaut[::2, ::2]
    pair = np.concatenate([np.pad(half, ((0, 256), (0, 0), (0, 0))), astronaut], axis=1)
    first, second = DlibDetector(upsample=1)(pair)
    assert first.side == pytest.approx(2 * second.side, rel=0.2)
    assert first.x > 256 > second.x


def test_a_threshold_above_every_score_leaves_the_best_face(astronaut: np.ndarray) -> None:
    assert len(DlibDetector(sure=100.0)(astronaut)) == 1
    assert DlibDetector(sure=100.0, weakest=100.0)(astronaut) == []


def test_a_wall_has_no_face() -> None:
    assert DlibDetector()(np.full((300, 400, 3), 120, np.uint8)) == []


def test_a_photo_that_is_a_crop_is_taken_whole() -> None:
    (found,) = whole_photo(ramp(100, 140))
    assert (found.x, found.y, found.side) == (0, -20, 140)


def test_an_unknown_detector_is_answered_with_the_known_ones() -> None:
    assert {"dlib", "none"} <= set(list_detectors())
    with pytest.raises(LookupError, match="no detector named 'dlbi'; known: dlib, none"):
        get_detector("dlbi")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function that installs a package offering a detector: its name, a module's source."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(name: str, source: str) -> None:
        module = f"toy_detector_{len(list(tmp_path.iterdir()))}"
        (tmp_path / f"{module}.py").write_text(source)
        folder = tmp_path / f"{module}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        entry = f"[df2net_hub.detectors]\n{name} = {module}:detect\n"
        (folder / "entry_points.txt").write_text(entry)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return run


def test_a_package_adds_a_detector(install) -> None:
    install(
        "corner",
        "from df2net_hub.faces import FaceBox\n"
        "def detect(photo):\n    return [FaceBox(0, 0, 9, 1.0, 'corner')]\n",
    )
    assert "corner" in list_detectors()
    assert get_detector("corner")(ramp(10, 10))[0].side == 9


def test_a_broken_detector_fails_only_when_it_is_asked_for(install) -> None:
    install("broken", "raise RuntimeError('my own fault')\n")
    assert get_detector("none") is whole_photo
    with pytest.raises(RuntimeError, match="my own fault"):
        get_detector("broken")


def test_two_detectors_of_one_name_are_an_error_that_names_both(install) -> None:
    install("dlib", "detect = None\n")
    with pytest.raises(ValueError, match="df2net_hub.faces and toy_detector_0:detect"):
        get_detector("dlib")


def test_a_box_turned_by_no_number_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="roll=nan"):
        FaceBox(0, 0, 10, 1.0, "given", float("nan"))
