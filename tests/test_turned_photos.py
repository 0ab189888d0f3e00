"""Turned and lit anew: a ball whose depth, normals and shading are known exactly."""

import numpy as np
import pytest
import torch

from df2net_hub.faces import FaceBox
from df2net_hub.geometry import depth_to_normals, rotation
from df2net_hub.result import Face
from df2net_hub.shading import harmonics
from df2net_hub.srgb import GAMMA
from df2net_hub.synthesis.light import Light
from df2net_hub.turned_photos import (
    DEEPEST,
    WIDTH,
    Scene,
    cropped,
    fall_back,
    light_of,
    relit,
    scene,
    turned,
)

SIDE = 160  # of the scene [px]
RADIUS = 60.0
OLD = np.array([0.5, 0.12, 0.06, 0.08, 0.02, 0.0, 0.01, 0.0, 0.0], np.float32)
NEW = np.array([0.4, 0.05, -0.15, 0.1, 0.0, 0.03, 0.0, 0.02, 0.0], np.float32)
NO_LAMPS = np.zeros((0, 3), np.float32)


def ball(light: np.ndarray = OLD, paint: float = 0.0) -> Scene:
    """A cap of a ball before a gray wall, lit by harmonics; `paint`: share of it that is dark."""
    x, y = np.meshgrid(*[np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2] * 2)
    y = -y
    z = np.sqrt(np.maximum(RADIUS**2 - x**2 - y**2, 0))
    mask = x**2 + y**2 < (0.8 * RADIUS) ** 2
    normals = np.where(mask[..., None], np.stack([x, y, z], -1) / RADIUS, 0).astype(np.float32)
    shade = 0.4 * harmonics(normals) @ light
    shade[mask & (np.random.default_rng(0).random(mask.shape) < paint)] *= 0.2
    linear = np.where(mask, shade, 0.2)[..., None].repeat(3, -1)
    picture = np.rint(linear.clip(0, 1) ** (1 / GAMMA) * 255).astype(np.uint8)
    return Scene(picture, mask, np.where(mask, z, np.nan).astype(np.float32), normals)


def lit_by(light: np.ndarray) -> Light:
    return Light(np.tile(light, (3, 1)), NO_LAMPS, NO_LAMPS, np.zeros((2, 4, 3), np.float32))


def normals_of(height: np.ndarray) -> np.ndarray:
    filled = torch.from_numpy(np.nan_to_num(height))[None, None]
    return depth_to_normals(filled)[0].permute(1, 2, 0).numpy()


def eroded(mask: np.ndarray, by: int) -> np.ndarray:
    padded = np.pad(mask, by)
    moved = [np.roll(padded, step, axis) for step in (-by, by) for axis in (0, 1)]
    return np.logical_and.reduce([padded, *moved])[by:-by, by:-by]


def test_no_turn_leaves_the_face_as_it_is() -> None:
    before = ball()
    after = turned(before, np.eye(3))
    inner = eroded(before.mask, 2)
    assert (after.mask & inner).sum() == inner.sum()
    np.testing.assert_allclose(
        after.height[inner] - after.height[inner].mean(),
        before.height[inner] - before.height[inner].mean(),
        atol=1e-3,
    )
    assert np.abs(after.picture.astype(int) - before.picture)[inner].max() <= 1
    np.testing.assert_allclose(after.normals[inner], before.normals[inner], atol=1e-5)


@pytest.mark.parametrize("yaw", [-25, 25])
def test_a_turned_face_has_the_normals_of_its_depth(yaw: float) -> None:
    after = turned(ball(), rotation(np.radians(yaw), 0, 0))
    inner = eroded(after.mask, 3)
    cosine = (after.normals * normals_of(after.height)).sum(-1)[inner]
    assert np.degrees(np.arccos(np.median(cosine))) < 1.0
    # The cap's middle faced the camera and faces the picture's right with a positive yaw.
    assert np.sign(after.normals[inner][:, 0].mean()) == np.sign(yaw)
    columns = np.flatnonzero(after.mask.any(0))
    assert np.sign(columns.mean() - (SIDE - 1) / 2) == np.sign(yaw)


def test_what_turns_away_is_no_longer_face() -> None:
    after = turned(ball(), rotation(np.radians(35), 0, 0))
    assert after.mask.sum() < ball().mask.sum()
    assert (after.normals[after.mask][:, 2] > 0).all()
    assert np.isnan(after.height[~after.mask]).all() and not after.normals[~after.mask].any()


def test_the_rim_is_carried_on_and_falls_back() -> None:
    seen, side = ball(), SIDE / WIDTH
    height = fall_back(seen.height, seen.mask, side)
    assert (height[seen.mask] == seen.height[seen.mask]).all()
    rim = float(seen.height[seen.mask].min())
    assert height[~seen.mask].max() < rim + 1  # nothing stands before the rim
    corner = height[0, 0]
    assert rim - 1.05 * DEEPEST * side < corner < rim - 0.7 * DEEPEST * side
    middle = height[SIDE // 2]
    assert np.abs(np.diff(middle)).max() < 1.5  # no cliff at the rim


def test_the_light_of_a_photo_is_found_even_with_paint_on_the_skin() -> None:
    shown = harmonics(ball().normals[ball().mask])
    for paint, tolerance in ((0.0, 0.03), (0.12, 0.04)):
        found = shown @ light_of(ball(paint=paint))
        np.testing.assert_allclose(found / found.mean(), shown @ OLD / (shown @ OLD).mean(),
                                   atol=tolerance)  # fmt: skip


def test_new_light_shades_as_its_normals_ask() -> None:
    before = ball()
    after = relit(before, np.eye(3), light_of(before), lit_by(NEW), 1.0)
    linear = (after.picture[before.mask].astype(float) / 255) ** GAMMA
    wanted = harmonics(before.normals[before.mask]) @ NEW
    np.testing.assert_allclose(linear.mean(1) / linear.mean(), wanted / wanted.mean(), atol=0.05)
    assert (after.height[before.mask] == before.height[before.mask]).all()


def test_light_is_turned_back_with_the_head_before_it_is_divided_out() -> None:
    turn = rotation(np.radians(20), np.radians(5), 0)
    before = ball()
    after = turned(before, turn)
    lit = relit(after, turn, light_of(before), lit_by(NEW), 1.0)
    inner = eroded(lit.mask, 2)
    linear = (lit.picture[inner].astype(float) / 255) ** GAMMA
    wanted = harmonics(lit.normals[inner]) @ NEW
    np.testing.assert_allclose(linear.mean(1) / linear.mean(), wanted / wanted.mean(), atol=0.06)


def test_without_strength_the_photo_stays() -> None:
    before = ball()
    after = relit(before, np.eye(3), light_of(before), lit_by(NEW), 0.0)
    assert (after.picture == before.picture).all()


def test_a_crop_counts_heights_in_its_own_pixels() -> None:
    seen = ball()
    half = cropped(seen, FaceBox(20, 20, 120, 1, "t"), 60)
    assert half.picture.shape == (60, 60, 3) and half.mask.shape == (60, 60)
    inner = eroded(half.mask, 2)
    np.testing.assert_allclose(np.nanmax(half.height), RADIUS / 2, atol=0.1)
    cosine = (half.normals * normals_of(half.height)).sum(-1)[inner]
    assert np.degrees(np.arccos(np.median(cosine))) < 1.0


def test_a_scene_shows_more_than_the_crop_and_keeps_its_scale() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    x, y = np.meshgrid(*[np.arange(512) - 255.5] * 2)
    mask = x**2 + y**2 < 150**2
    depth = np.where(mask, 200 + 0.5 * x, 0).astype(np.float32)
    normals = np.zeros((512, 512, 3), np.float32)
    normals[mask] = np.array([-0.5, 0, 1]) / np.hypot(0.5, 1)
    box = FaceBox(100, 100, 200, 1, "t")
    face = Face(depth, mask, normals, box, 0.4, {"finer": depth}, np.zeros((512, 512, 3), np.uint8))
    seen = scene(photo, face, 200)
    assert seen.picture.shape == (320, 320, 3)
    # One pixel of the scene is one of the photo here; its corner is the photo's at 100 - 60.
    np.testing.assert_array_equal(seen.picture, photo[40:360, 40:360])
    inner = eroded(seen.mask, 3)
    slope = np.diff(seen.height, axis=1)[inner[:, 1:] & inner[:, :-1]]
    np.testing.assert_allclose(slope, 0.5, atol=0.02)  # areas of 512 to 200 are uneven
    assert abs(slope.mean() - 0.5) < 1e-3
    np.testing.assert_allclose(seen.normals[inner].mean(0), normals[256, 256], atol=1e-4)


def test_a_black_photo_stays_finite() -> None:
    lit = ball()
    black = Scene(np.zeros_like(lit.picture), lit.mask, lit.height, lit.normals)
    after = relit(black, np.eye(3), light_of(black), lit_by(NEW), 1.0)
    assert not after.picture.any()
