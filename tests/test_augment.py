"""Augmentation moves photo, depth and mask by the same map."""

import numpy as np
import pytest
import torch

from df2net_hub.augment import (
    DEEPEST_END,
    ENDS_SHARE,
    FREELY,
    NEAR_ALBEDO,
    _alter_photo,
    _ended,
    augment_pair,
    mirror_pair,
    warp_pair,
)
from df2net_hub.geometry import DEPTH_UNIT_PX, depth_to_normals
from df2net_hub.shading import harmonics


def ramp_pair(size: int = 64) -> dict[str, np.ndarray]:
    x = np.linspace(-1, 1, size, dtype=np.float32)
    depth = np.tile(0.5 * x, (size, 1))
    image = np.repeat(((depth[..., None] + 1) * 100).astype(np.uint8), 3, -1)
    mask = np.zeros((size, size), bool)
    mask[8:-8, 8:-8] = True
    return {"image": image, "depth": np.where(mask, depth, np.nan), "mask": mask}


def test_no_motion_returns_the_pair():
    pair = ramp_pair()
    moved = warp_pair(pair, 64)
    np.testing.assert_array_equal(moved["image"], pair["image"])
    np.testing.assert_array_equal(moved["mask"], pair["mask"])
    np.testing.assert_allclose(moved["depth"][pair["mask"]], pair["depth"][pair["mask"]], atol=1e-6)


def test_zooming_in_scales_relief_and_keeps_slope():
    pair = ramp_pair()
    moved = warp_pair(pair, 64, zoom=1.25)
    slope = np.nanmean(np.diff(moved["depth"], axis=1))
    np.testing.assert_allclose(slope, np.nanmean(np.diff(pair["depth"], axis=1)), rtol=1e-2)
    assert np.nanmax(moved["depth"]) > 1.15 * np.nanmax(pair["depth"])


def test_mean_depth_over_the_mask_stays_zero_after_a_shift():
    moved = warp_pair(ramp_pair(), 64, shift=np.array([0.4, 0.0]))
    assert abs(moved["depth"][moved["mask"]].mean()) < 1e-6


def test_mirroring_flips_photo_and_depth_together():
    pair, rng = ramp_pair(), np.random.default_rng(0)
    signs = set()
    for _ in range(12):
        moved = augment_pair(pair, 64, rng)
        inside = moved["mask"]
        columns = np.mgrid[0:64, 0:64][1][inside]
        depth_slope = np.polyfit(columns, moved["depth"][inside], 1)[0]
        photo_slope = np.polyfit(columns, moved["image"][..., 1][inside].astype(float), 1)[0]
        assert np.sign(depth_slope) == np.sign(photo_slope)
        signs.add(np.sign(depth_slope))
    assert signs == {-1.0, 1.0}


def test_the_same_generator_state_gives_the_same_pair():
    first = augment_pair(ramp_pair(), 32, np.random.default_rng(3))
    second = augment_pair(ramp_pair(), 32, np.random.default_rng(3))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def hill_pair(size: int = 128) -> dict[str, np.ndarray]:
    """A hill higher on its right and upper side, with the normals of its own depth."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    depth = 0.3 * np.exp(-3 * ((x - 0.2) ** 2 + (y + 0.1) ** 2)) + 0.1 * x - 0.05 * y
    mask = np.hypot(x, y) < 0.8
    pair = {
        "image": np.repeat(((depth[..., None] + 1) * 100).astype(np.uint8), 3, -1),
        "depth": np.where(mask, depth, np.nan).astype(np.float32),
        "mask": mask,
    }
    return pair | {"normals": normals_of_depth(pair["depth"])}


def normals_of_depth(depth: np.ndarray) -> np.ndarray:
    """(S,S,3) from network depth, NaN where a neighbor is unknown."""
    px = torch.from_numpy(depth)[None, None] * (DEPTH_UNIT_PX * depth.shape[-1] / 512)
    return depth_to_normals(px)[0].permute(1, 2, 0).numpy()


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[deg] where both are known."""
    cosine = (first * second).sum(-1)
    return np.degrees(np.arccos(np.clip(cosine[np.isfinite(cosine)], -1, 1)))


def test_mirrored_normals_are_those_of_the_mirrored_depth():
    mirrored = mirror_pair(hill_pair())
    expected = normals_of_depth(mirrored["depth"])
    assert angle_between(mirrored["normals"], expected).max() < 0.1
    # A mirror that forgot to turn x around would be this wrong:
    assert angle_between(mirrored["normals"] * [-1, 1, 1], expected).mean() > 5


@pytest.mark.parametrize(("zoom", "angle"), [(1.0, 30.0), (1.1, -75.0), (0.9, 180.0)])
def test_turned_normals_are_those_of_the_turned_depth(zoom, angle):
    turned = warp_pair(hill_pair(), 128, zoom, angle, np.array([0.05, -0.03]))
    expected = normals_of_depth(turned["depth"])
    error = angle_between(turned["normals"], expected)
    assert len(error) > 5000 and error.mean() < 0.3
    assert angle_between(hill_pair()["normals"], expected).mean() > 3


def test_warped_normals_are_unit_on_the_face_and_unknown_off_it():
    pair = hill_pair()
    moved = warp_pair(pair, 96, 0.8, 20.0)
    known = np.isfinite(moved["normals"]).all(-1)
    assert known.any() and not known[0, 0]
    np.testing.assert_allclose(np.linalg.norm(moved["normals"][known], axis=-1), 1, atol=1e-5)


def test_a_pair_without_depth_moves_too():
    pair = {name: values for name, values in ramp_pair().items() if name != "depth"}
    moved = augment_pair(pair, 32, np.random.default_rng(0))
    assert set(moved) == {"image", "mask"} and moved["image"].shape == (32, 32, 3)
    np.testing.assert_array_equal(warp_pair(pair, 64)["mask"], pair["mask"])


def test_light_moves_with_the_picture():
    """What lit a normal before lights the moved normal after; twice a mirror is none."""
    rng = np.random.default_rng(2)
    light = rng.normal(size=(3, 9)).astype(np.float32)
    normals = rng.normal(size=(50, 3))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    pair = ramp_pair() | {"light": light}
    mirrored = mirror_pair(pair)["light"]
    shading = harmonics(normals) @ light.T
    np.testing.assert_allclose(harmonics(normals * [-1, 1, 1]) @ mirrored.T, shading, atol=1e-4)
    np.testing.assert_allclose(mirror_pair({"light": mirrored})["light"], light, atol=1e-5)
    turned = warp_pair(pair, 64, angle=90)["light"]  # counterclockwise: x becomes y
    moved = np.stack([-normals[:, 1], normals[:, 0], normals[:, 2]], -1)
    np.testing.assert_allclose(harmonics(moved) @ turned.T, shading, atol=1e-4)


def test_a_third_of_the_photos_is_unevenly_lit_and_what_they_show_stays_visible():
    stripes = 128 + 40 * np.sin(np.arange(64) / 2)[None, :, None] * np.ones((64, 1, 3))
    pattern = (stripes[..., 1] - 128).ravel()
    uneven, seen = [], []
    for seed in range(300):
        photo = _alter_photo(stripes.astype(np.uint8), np.random.default_rng(seed), FREELY)
        assert photo.shape == (64, 64, 3) and photo.dtype == np.uint8
        rows = photo.reshape(4, 16, 64, 3).mean((1, 2, 3))  # the stripes cancel
        uneven.append(np.ptp(rows) > 4)
        seen.append(np.corrcoef(photo.mean(-1).ravel(), pattern)[0, 1])
    assert 0.25 < np.mean(uneven) < 0.4
    assert np.quantile(seen, 0.02) > 0.25


def test_a_photo_may_end_before_the_face_does_and_its_edge_repeats():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    mask = np.zeros((64, 64), bool)
    mask[10:50, 20:40] = True
    shown = []
    for seed in range(60):
        ended, whole, face = _ended(noise, mask, np.random.default_rng(seed)), noise, mask
        if not (ended == whole).all((1, 2)).any():  # cut at a side: turned, so that it is above
            ended, whole, face = ended.swapaxes(0, 1), whole.swapaxes(0, 1), face.T
        kept = np.flatnonzero((ended == whole).all((1, 2)))
        assert len(kept) == np.ptp(kept) + 1
        edge = kept[0] if kept[-1] == 63 else kept[-1]
        assert (ended[np.setdiff1d(np.arange(64), kept)] == whole[edge]).all()
        shown.append(face[kept].sum() / face.sum())
    assert min(shown) == pytest.approx(1 - DEEPEST_END, abs=0.05)
    assert 0.05 < np.mean(np.equal(shown, 1)) < 0.4


def test_an_eighth_of_the_photos_ends_in_the_face_and_none_whose_albedo_is_known():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    made = {**ramp_pair(), "image": noise}
    for known, least, most in (({}, 0.06, ENDS_SHARE), ({"albedo": noise}, 0.0, 0.0)):
        ended = 0
        for seed in range(400):
            photo = augment_pair({**made, **known}, 32, np.random.default_rng(seed))["image"]
            lines = (photo, photo[::-1], photo.swapaxes(0, 1), photo.swapaxes(0, 1)[::-1])
            ended += any((each[:6] == each[0]).all() for each in lines)
        assert least <= ended / 400 <= most


def test_a_photo_with_an_albedo_stays_near_it():
    gray = np.full((64, 64, 3), 128, np.uint8)
    levels = {
        how: np.array(
            [_alter_photo(gray, np.random.default_rng(seed), how) for seed in range(200)], float
        ).mean((2, 3))
        for how in (NEAR_ALBEDO, FREELY)
    }
    uneven = {how: np.ptp(of, axis=1).mean() for how, of in levels.items()}
    spread = {how: of.mean(1).std() for how, of in levels.items()}
    assert uneven[NEAR_ALBEDO] < 2 < 5 < uneven[FREELY]
    assert spread[NEAR_ALBEDO] < 25 < spread[FREELY]
    pair = ramp_pair()
    near = augment_pair(pair | {"albedo": pair["image"]}, 64, np.random.default_rng(0))
    free = augment_pair(pair, 64, np.random.default_rng(0))
    np.testing.assert_array_equal(near["mask"], free["mask"])
    assert (near["image"] != free["image"]).any()
