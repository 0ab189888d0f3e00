"""Skins and overlays: tones within the human range, paint where it belongs."""

import cv2
import numpy as np
import pytest

from df2net_hub.synthesis.appearance import head_fields, load_assets, procedural_assets
from df2net_hub.synthesis.face_map import TILE, FaceMap, face_map
from df2net_hub.synthesis.lips import Lips
from df2net_hub.synthesis.overlay import FaceHair, OverlayKit, draw_overlay, overlay_kit
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.skin import SkinLibrary, sample_complexion, skin_library

MODEL = procedural_head()
ASSETS = procedural_assets()
TONE = np.array([0.5, 0.3, 0.22], np.float32)
BARE = FaceHair(np.full(3, 0.01), np.full(3, 0.01), 0.0, "full", 0.0, False, 0.0)
PALE = Lips(thin=np.zeros(2), red=0.0, painted=0.0)


@pytest.fixture(scope="module")
def face() -> FaceMap:
    return face_map(MODEL)


@pytest.fixture(scope="module")
def library(face: FaceMap) -> SkinLibrary:
    return skin_library(ASSETS.skins, ASSETS.skin_names, face)


@pytest.fixture(scope="module")
def kit(face: FaceMap) -> OverlayKit:
    return overlay_kit(MODEL, head_fields(MODEL), face, ASSETS.noise)


def test_skins_are_redder_than_green_and_greener_than_blue(library: SkinLibrary) -> None:
    tones = np.array(
        [sample_complexion(np.random.default_rng(i), library, 0.5).tone for i in range(300)]
    )
    assert (tones[:, 0] > tones[:, 1]).all() and (tones[:, 1] > 0.9 * tones[:, 2]).all()
    luminance = tones @ [0.2126, 0.7152, 0.0722]
    assert luminance.min() < 0.05 and luminance.max() > 0.5  # the whole human range


def test_texels_of_the_front_view_lead_back_to_the_landmarks(face: FaceMap) -> None:
    inner = slice(17, 68)
    off = face.texels(face.landmarks[inner, :2]) - face.landmark_texels[inner]
    assert np.abs(off).max() < 6


def test_an_overlay_without_anything_is_empty(kit: OverlayKit, face: FaceMap) -> None:
    rng = np.random.default_rng(0)
    drawn = draw_overlay(rng, kit, face, TONE, BARE, 0.5, 0.0, PALE, marks=False, lid_lines=False)
    assert drawn.shape == (TILE, TILE, 4) and not drawn.any()


def test_brows_lie_as_high_over_the_eyes_as_on_people(kit: OverlayKit, face: FaceMap) -> None:
    """Portraits have them 15 to 19 mm over the outer corners of the eyes, which are 90 mm apart."""
    hair = FaceHair(np.full(3, 0.02), np.full(3, 0.02), 1.0, "full", 0.0, False, 0.0)
    eyes = face.landmarks[[36, 45]].mean(0)
    heights, sides = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        drawn = draw_overlay(
            rng, kit, face, TONE, hair, 0.5, 0.0, PALE, marks=False, lid_lines=False
        )
        solid = drawn[..., 3] > 0.5
        assert solid.any()
        over = (face.positions[solid] - eyes) / face.unit * 10
        heights.append(np.median(over[:, 1]))
        sides.append(np.abs(over[:, 0]))
    assert 15 < np.mean(heights) < 19 and 1 < np.std(heights) < 4
    across = np.concatenate(sides)
    assert np.quantile(across, 0.02) > 10 and np.quantile(across, 0.98) < 75


def test_a_beard_leaves_lips_and_forehead_free(kit: OverlayKit, face: FaceMap) -> None:
    beard = kit.beards["full"]
    column, row = face.landmark_texels[62].astype(int)
    assert beard[row, column] < 0.2
    column, row = face.landmark_texels[27].astype(int)
    assert beard[: row - 10].max() < 1e-5 and beard.max() > 0.8


def test_lips_are_as_red_as_theirs_and_lipstick_lies_over_it(
    kit: OverlayKit, face: FaceMap
) -> None:
    column, row = np.rint(face.landmark_texels[[57, 66]].mean(0)).astype(int)
    shares = []
    for red, painted in ((0.2, 0.0), (0.8, 0.0), (0.2, 0.8)):
        lips = Lips(np.zeros(2), red, painted)
        rng = np.random.default_rng(5)
        drawn = draw_overlay(
            rng, kit, face, TONE, BARE, 0.5, 0.0, lips, marks=False, lid_lines=False
        )
        shares.append(float(drawn[row, column, 3]))
        color = drawn[row, column, :3] / drawn[row, column, 3]
        assert color[0] / color[1] > 1.2 * TONE[0] / TONE[1]
        assert not drawn[: int(face.landmark_texels[33, 1]), :, 3].any()  # nothing above the mouth
    lines = float(kit.lip_lines[row, column])
    np.testing.assert_allclose(shares[:2], [0.2 * lines, 0.8 * lines], rtol=0.02)
    both = 1 - (1 - 0.2 * lines) * (1 - 0.8 * lines)
    assert shares[2] == pytest.approx(both, rel=0.02)


def test_leaving_marks_out_does_not_move_the_brows(kit: OverlayKit, face: FaceMap) -> None:
    hair = FaceHair(np.full(3, 0.02), np.full(3, 0.02), 1.0, "full", 0.0, False, 0.0)
    one, other = (
        draw_overlay(
            np.random.default_rng(2),
            kit,
            face,
            TONE,
            hair,
            0.5,
            0.0,
            PALE,
            marks=marks,
            lid_lines=False,
        )  # fmt: skip
        for marks in (False, True)
    )
    solid = one[..., 3] > 0.9
    assert solid.any() and (other[solid, 3] > 0.9).all()


def test_a_folder_without_skins_is_an_error(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match="skins/.*docs/assets.md"):
        load_assets(tmp_path)


def test_creases_lie_beside_their_skin_and_none_is_smooth(tmp_path) -> None:
    for folder in ("skins", "light", "photo_skins/creases"):
        (tmp_path / folder).mkdir(parents=True)
    gray = np.full((16, 32, 3), 150, np.uint8)
    for name in ("skins/a.jpg", "photo_skins/old.jpg", "photo_skins/young.jpg"):
        cv2.imwrite(str(tmp_path / name), gray)
    cv2.imwrite(str(tmp_path / "photo_skins/creases/old.png"), np.full((TILE, TILE), 51, np.uint8))
    np.savez(tmp_path / "light/environments.npz", radiance=np.ones((1, 4, 8, 3), np.float16))
    assets = load_assets(tmp_path)
    assert assets.photo_skin_names == ("old", "young")
    old, young = assets.photo_creases
    assert old.shape == young.shape == (TILE, TILE) and old.dtype == np.uint8
    assert (old == 51).all() and not young.any()
