"""Paint on the head: skins, colors of vertices, overlays, eyes, brows and cloth."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from df2net_hub.synthesis.appearance import (
    Look,
    head_fields,
    procedural_assets,
    to_linear,
)
from df2net_hub.synthesis.paint import EYE_WHITE, gaze_direction, paint
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.surface import EYE, SKIN, see_surface

SIZE = 192

HEAD = procedural_head()
FIELDS = head_fields(HEAD)
ASSETS = procedural_assets()
EYES = HEAD.vertex_flags(("eyeball_left", "eyeball_right"))
# The eyeballs stand out of their sockets, so that there is much of them to see.
POINTS = (
    (HEAD.vertices + EYES[:, None] * [0, 0, 2]) * [6, -6, 6] + [SIZE / 2, SIZE / 2, 0]
).astype(np.float32)
SMOOTH = np.zeros((32, 32), np.float32), np.ones((32, 32), np.float32)
SURFACE = see_surface(HEAD, POINTS, *SMOOTH, SIZE)
BARE = Look(
    skins=(ASSETS.skins[0], ASSETS.skins[1]),
    skin_mix=0.5,
    skin_gain=np.ones(3, np.float32),
    blotches=0.0,
    hair_color=np.float32([0.1, 0.06, 0.04]),
    brow_strength=0.0,
    brow_width=0.4,
    beard_strength=0.0,
    beard_grain=0.5,
    iris_color=np.float32([0.05, 0.1, 0.2]),
    gaze=np.zeros(2, np.float32),
    teeth_color=np.float32([0.8, 0.7, 0.6]),
    cloth_color=np.float32([0.2, 0.2, 0.6]),
    neckline=-99.0,
    noise_offset=np.zeros(2, np.float32),
)
SKIN_PIXELS = SURFACE.kind == SKIN
# Less its edge, where texture coordinates run from one tile into the next.
FACE_PIXELS = cv2.erode((SKIN_PIXELS & SURFACE.face).astype(np.uint8), np.ones((15, 15))) > 0


def painted(**changes: object) -> np.ndarray:
    return paint(HEAD, FIELDS, replace(BARE, **changes), 0.5, SURFACE, ASSETS.noise).albedo


def test_two_skins_mix_by_their_share_in_linear_light():
    skins = tuple(np.full((4, 8, 3), value, np.uint8) for value in (100, 200))
    albedo = painted(skins=skins, skin_mix=0.25)
    expected = 0.75 * (100 / 255) ** 2.2 + 0.25 * (200 / 255) ** 2.2
    np.testing.assert_allclose(albedo[SKIN_PIXELS], expected, atol=1e-5)
    assert (albedo[SURFACE.kind == 0] == 0).all()


def test_a_skin_in_bytes_and_the_same_skin_in_linear_floats_paint_alike():
    as_bytes = np.random.default_rng(0).integers(0, 256, (16, 32, 3)).astype(np.uint8)
    as_floats = to_linear(as_bytes / 255)
    np.testing.assert_allclose(
        painted(skins=(as_bytes,) * 2), painted(skins=(as_floats,) * 2), atol=1e-6
    )


def test_colors_of_vertices_take_the_place_of_the_skins():
    red = np.tile(np.float32([0.5, 0.1, 0.1]), (len(HEAD.vertices), 1))
    np.testing.assert_allclose(
        painted(skins=(), vertex_colors=red)[SKIN_PIXELS],
        np.tile(red[0], (SKIN_PIXELS.sum(), 1)),
        atol=1e-6,
    )


def test_an_overlay_covers_the_face_by_its_opacity_and_nothing_else():
    green = np.tile(np.float32([0, 0.25 * 0.8, 0, 0.25]), (8, 8, 1))  # colors times alpha
    before, after = painted(), painted(overlay=green)
    blended = before + np.float32(0.25) * (np.float32([0, 0.8, 0]) - before)
    np.testing.assert_allclose(after[FACE_PIXELS], blended[FACE_PIXELS], atol=1e-5)
    eyes = SURFACE.kind == EYE
    assert eyes.any()
    np.testing.assert_array_equal(after[eyes], before[eyes])


def test_an_overlay_lies_where_its_texels_say():
    overlay = np.zeros((64, 64, 4), np.float32)
    overlay[:, :, 3] = 1
    overlay[:32, :, 0] = 1  # the upper half, v above 0.5, is y above 0
    after = painted(overlay=overlay)
    rows = np.nonzero(FACE_PIXELS & (after[..., 0] > 0.5))[0]
    assert len(rows) and rows.max() <= SIZE / 2
    assert FACE_PIXELS[: int(SIZE / 2) - 2].sum() == (rows < int(SIZE / 2) - 2).sum()


def test_brows_take_the_color_of_hair_and_cloth_begins_at_the_neckline():
    hair = np.float32([0.0, 0.0, 0.9])
    skins = (np.full((4, 8, 3), 128, np.uint8),) * 2
    albedo = painted(skins=skins, brow_strength=1.0, brow_width=0.6, hair_color=hair)
    assert (albedo[..., 2] > 0.6)[SKIN_PIXELS].sum() > 20
    cloth = np.float32([0.3, 0.2, 0.1])
    coat = paint(
        HEAD, FIELDS, replace(BARE, neckline=-3.0, cloth_color=cloth), 0.5, SURFACE, ASSETS.noise
    )
    rows = np.nonzero(SKIN_PIXELS & (np.abs(coat.albedo - cloth).max(-1) < 1e-6))[0]
    assert rows.min() == pytest.approx(SIZE / 2 + 18, abs=1)  # 3 cm below the origin
    assert (coat.gloss[rows, :][coat.gloss[rows, :] > 0]).size < coat.gloss.size


def test_pupils_lie_where_the_eyes_look_and_whites_around():
    albedo = painted(gaze=np.zeros(2, np.float32), iris_color=np.float32([0.1, 0.3, 0.2]))
    eyes = SURFACE.kind == EYE
    pupil = eyes & (np.abs(albedo - 0.01).max(-1) < 1e-6)
    assert pupil.any()
    aside = painted(gaze=np.float32([0.3, 0]))
    moved = eyes & (np.abs(aside - 0.01).max(-1) < 1e-6)
    assert np.nonzero(moved)[1].mean() > np.nonzero(pupil)[1].mean() + 0.5
    white = eyes & (np.abs(albedo - EYE_WHITE).max(-1) < 1e-6)
    assert white.any()
    np.testing.assert_allclose(gaze_direction(np.zeros(2)), [0, 0, 1])


def test_eyes_that_look_ahead_turn_a_little_outward():
    for name, outward in (("eyeball_left", 1), ("eyeball_right", -1)):
        rays = FIELDS.canonical[HEAD.parts[name]]
        np.testing.assert_allclose(np.linalg.norm(rays, axis=1), 1, atol=1e-5)
        part = HEAD.vertices[HEAD.parts[name]]
        ahead = part - (part.min(0) + part.max(0)) / 2
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        turned = np.arctan2(ahead[:, 0], ahead[:, 2]) - np.arctan2(rays[:, 0], rays[:, 2])
        level = (np.abs(ahead[:, 1]) < 0.3) & (ahead[:, 2] > 0.3)
        np.testing.assert_allclose(np.degrees(turned[level]), 4 * outward, atol=1e-3)


def test_lips_shine_more_than_the_skin_around():
    gloss = paint(HEAD, FIELDS, BARE, 0.5, SURFACE, ASSETS.noise).gloss
    assert gloss[FACE_PIXELS].max() == pytest.approx(0.95, abs=0.02)
    assert np.median(gloss[FACE_PIXELS]) == pytest.approx(0.5)


def test_a_head_without_eyeballs_is_painted_as_skin():
    parts = {name: part for name, part in HEAD.parts.items() if "eyeball" not in name}
    model = replace(HEAD, parts=parts)
    surface = see_surface(model, POINTS, *SMOOTH, SIZE)
    assert not (surface.kind == EYE).any()
    coat = paint(model, head_fields(model), BARE, 0.5, surface, ASSETS.noise)
    assert (coat.albedo[surface.kind == SKIN] > 0).all()
