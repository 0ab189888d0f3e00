"""Dark lines of a skin become furrows; spots, brows, lips and nostrils do not."""

import cv2
import numpy as np
import pytest

from df2net_hub.assets.creases import (
    HEIGHT,
    LIFTED,
    ROOT_FROM,
    SCALES,
    creases,
    skin_that_creases,
)
from df2net_hub.synthesis.appearance import DEEPEST_CREASE_CM
from df2net_hub.synthesis.face_map import face_map
from df2net_hub.synthesis.procedural import procedural_head

FACE = face_map(procedural_head())
TONE = 150


def texel(x: float, y: float) -> np.ndarray:
    """(column, row) of a point of the face, in ninths of the distance of the eyes' corners."""
    return FACE.texels(np.array([[x, y]]) * FACE.unit)[0]


CHEEK = texel(3.4, (FACE.landmarks[36, 1] + FACE.landmarks[33, 1]) / 2 / FACE.unit - 0.4)


def skin_with(line: np.ndarray | None, thick: int = 3, darker: float = 0.8) -> np.ndarray:
    """A plain skin with a line along texels (n,2), `darker` times as bright in linear light.

    OpenCV draws lines of 2 and more `thick` one or two pixels wider.
    """
    skin = np.full((HEIGHT, 2 * HEIGHT, 3), TONE, np.uint8)
    if line is not None:
        level = int(round(TONE * darker ** (1 / 2.2)))
        cv2.polylines(skin, [np.rint(line).astype(np.int32)], False, (level,) * 3, thick)
    return skin


def across(length: float) -> np.ndarray:
    return CHEEK + np.array([[0, -0.5], [0, 0.5]]) * length


def test_a_plain_skin_has_no_creases() -> None:
    skin = skin_with(None)
    lighter, depth = creases(skin, FACE)
    np.testing.assert_array_equal(lighter, skin)
    assert depth.shape == (HEIGHT, HEIGHT) and depth.max() == 0


def test_a_line_is_lifted_and_becomes_a_furrow_of_the_depth_that_explains_it() -> None:
    skin = skin_with(across(60), thick=2, darker=0.8)
    lighter, depth = creases(skin, FACE)
    column, row = np.rint(CHEEK).astype(int)
    assert skin_that_creases(FACE)[row, column] == pytest.approx(1, abs=0.01)
    drawn = -np.log((float(skin[row, column, 0]) / TONE) ** 2.2)
    darkness = 0.968 * drawn - SCALES[0].faintest  # what a blur of 0.7 texels leaves of three
    left = -np.log((float(lighter[row, column, 0]) / TONE) ** 2.2)
    assert left == pytest.approx(darkness * (1 - LIFTED) + SCALES[0].faintest, abs=0.02)
    eyes = np.linalg.norm(np.diff(FACE.landmark_texels[[36, 45]], axis=0))
    texel_cm = 9 * FACE.unit / eyes
    unsmoothed = SCALES[0].sure * SCALES[0].wide * texel_cm * darkness
    unsmoothed /= np.sqrt(darkness + ROOT_FROM)
    assert 0.7 * unsmoothed < depth[row, column] < 1.05 * unsmoothed
    # Nothing beside it, along it from end to end.
    assert depth[row, column + 12] < 0.001 and depth[row, column - 12] < 0.001
    assert depth[row - 20 : row + 20, column].min() > 0.6 * depth[row, column]
    np.testing.assert_array_equal(lighter[:, HEIGHT:], skin[:, HEIGHT:])


def test_darker_is_deeper_and_nothing_is_deeper_than_the_deepest() -> None:
    depths = [
        creases(skin_with(across(60), 5, darker), FACE)[1].max() for darker in (0.9, 0.6, 0.05)
    ]
    assert 0 < depths[0] < depths[1] < depths[2] <= DEEPEST_CREASE_CM


def test_a_fold_wider_than_a_wrinkle_is_found_too() -> None:
    _, depth = creases(skin_with(across(70), thick=13, darker=0.7), FACE)
    column, row = np.rint(CHEEK).astype(int)
    assert depth[row, column] > 0.03


def test_spots_and_grain_are_no_creases() -> None:
    spot = skin_with(across(4), thick=7, darker=0.5)
    assert creases(spot, FACE)[1].max() == 0
    rng = np.random.default_rng(0)
    grain = skin_with(None).astype(float) + rng.normal(0, 6, (HEIGHT, 2 * HEIGHT, 1))
    assert np.quantile(creases(np.rint(grain).astype(np.uint8), FACE)[1], 0.999) < 0.01


@pytest.mark.parametrize(
    ("what", "marks"),
    [("eye", slice(36, 42)), ("nostril", slice(31, 36)), ("lips", slice(48, 60))],
)
def test_what_is_dark_by_nature_stays_dark(what: str, marks: slice) -> None:
    middle = FACE.landmark_texels[marks].mean(0)
    skin = skin_with(middle + np.array([[-9, 0], [9, 0]]), thick=3, darker=0.3)
    lighter, depth = creases(skin, FACE)
    near = np.s_[int(middle[1]) - 4 : int(middle[1]) + 5, int(middle[0]) - 4 : int(middle[0]) + 5]
    assert depth[near].max() < 0.002
    np.testing.assert_array_equal(lighter[near], skin[near])
