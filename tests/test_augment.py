"""Augmentation moves photo, depth and mask by the same map."""

import numpy as np

from df2net_hub.augment import augment_pair, warp_pair


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
