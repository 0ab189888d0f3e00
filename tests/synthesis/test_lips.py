"""Lips: where their red begins, how it thins with age, and what turns them inward."""

import numpy as np
import pytest

from df2net_hub.synthesis.face_map import FaceMap, face_map
from df2net_hub.synthesis.lips import (
    PLAIN_LIPS,
    ROLL,
    Lips,
    lip_area,
    lip_heights,
    lip_share,
    rolled_in,
    sample_lips,
)
from df2net_hub.synthesis.procedural import procedural_head


@pytest.fixture(scope="module")
def face() -> FaceMap:
    return face_map(procedural_head())


@pytest.fixture(scope="module")
def heights(face: FaceMap) -> np.ndarray:
    return lip_heights(face)


def at(field: np.ndarray, texel: np.ndarray) -> float:
    column, row = np.rint(texel).astype(int)
    return float(field[row, column])


def test_heights_rise_from_the_outline_to_where_the_lips_meet(
    face: FaceMap, heights: np.ndarray
) -> None:
    texels = face.landmark_texels
    for lip, outer, inner in ((0, 51, 62), (1, 57, 66)):
        assert at(heights[lip], texels[outer]) == pytest.approx(0, abs=0.15)
        assert at(heights[lip], texels[inner]) == pytest.approx(1, abs=0.15)
        halfway = texels[[outer, inner]].mean(0)
        assert at(heights[lip], halfway) == pytest.approx(0.5, abs=0.15)
        assert at(heights[1 - lip], halfway) == -1
    assert (heights[:, ~face.inside & (lip_area(face) == 0)] < 0).all()


def test_thin_lips_lose_their_red_from_the_outline_on_each_its_own_share(
    face: FaceMap, heights: np.ndarray
) -> None:
    full, thin = (lip_share(heights, np.array(t)) for t in ([0.0, 0.0], [0.5, 0.0]))
    texels = face.landmark_texels
    quarter = 0.75 * texels[51] + 0.25 * texels[62]  # of the upper lip's height
    assert at(full, quarter) > 0.9 and at(thin, quarter) < 0.1
    assert at(thin, 0.25 * texels[51] + 0.75 * texels[62]) > 0.9
    below = 0.75 * texels[57] + 0.25 * texels[66]
    assert at(thin, below) == pytest.approx(at(full, below)) and at(full, below) > 0.9
    outside = full[lip_area(face, 7) == 0]
    assert outside.max() == 0 and full.max() == pytest.approx(1)


def test_lips_thin_with_age_and_lipstick_comes_with_make_up() -> None:
    def mean(age: float, made_up: float, photographed: bool = False) -> np.ndarray:
        drawn = [
            sample_lips(np.random.default_rng(i), age, 0.0, made_up, photographed)
            for i in range(200)
        ]
        return np.mean([[*one.thin, one.red, one.painted] for one in drawn], axis=0)

    young, old, made_up = mean(0.1, 0.0), mean(0.9, 0.0), mean(0.1, 1.0)
    assert old[0] > young[0] + 0.2 and old[1] > young[1] + 0.05
    assert young[3] == 0 and made_up[3] == pytest.approx(0.85 * 0.6, abs=0.05)
    assert mean(0.1, 0.5, photographed=True)[2] == 0  # the photo's own color is there already
    assert young[2] == pytest.approx(0.45, abs=0.04)


def test_thin_lips_are_turned_inward_unless_a_movement_turns_them_further() -> None:
    names = ("mouthRollUpper", "jawOpen", "mouthRollLower")
    weights = np.array([0.1, 0.5, 0.9])
    rolled = rolled_in(weights, names, Lips(np.array([0.5, 0.4]), 0.3, 0.0))
    np.testing.assert_allclose(rolled, [0.5 * ROLL, 0.5, 0.9])
    np.testing.assert_array_equal(rolled_in(weights, names, PLAIN_LIPS), weights)
    np.testing.assert_array_equal(weights, [0.1, 0.5, 0.9])
