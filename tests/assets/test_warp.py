"""The warp through matched points, and landmarks told from some of them."""

import numpy as np
import pytest

from df2net_hub.assets.warp import ANCHORS, LANDMARKS68, complete_landmarks, thin_plate_warp

pytest.importorskip("scipy", reason="scipy solves for the warp")


def test_the_warp_goes_through_its_matches_and_an_affine_map_is_kept():
    rng = np.random.default_rng(0)
    source = rng.normal(size=(20, 3))
    bent = source + np.sin(source)
    np.testing.assert_allclose(thin_plate_warp(source, bent)(source), bent, atol=1e-6)
    matrix, shift = rng.normal(size=(3, 3)), rng.normal(size=3)
    points = 5 * rng.normal(size=(50, 3))
    warp = thin_plate_warp(source, source @ matrix + shift)
    np.testing.assert_allclose(warp(points), points @ matrix + shift, atol=1e-5)


def test_too_few_or_flat_matches_are_an_error():
    points = np.random.default_rng(0).normal(size=(9, 3))
    with pytest.raises(ValueError, match="5 or more matched points, got 4"):
        thin_plate_warp(points[:4], points[:4])
    with pytest.raises(ValueError, match="in one plane"):
        thin_plate_warp(points * [1, 1, 0], points)


def test_the_mean_landmarks_are_symmetric():
    mirrored = LANDMARKS68 * [-1, 1, 1]
    partner = list(range(16, -1, -1)) + list(range(26, 16, -1)) + list(range(27, 31))
    partner += [35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    partner += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    np.testing.assert_array_equal(mirrored, LANDMARKS68[partner])


def test_missing_landmarks_follow_a_scaled_and_turned_head():
    rng = np.random.default_rng(1)
    turn = np.array([[0.8, 0.0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    vertices = np.concatenate([LANDMARKS68, rng.normal(0, 4, (300, 3)) - [0, 0, 5]])
    vertices = vertices @ turn.T * 1.3 + [1, 2, 3]
    found = complete_landmarks(vertices, {k: vertices[k] for k in ANCHORS})
    np.testing.assert_array_equal(found, np.arange(68))
    with pytest.raises(ValueError, match=r"landmarks \[8\] are not known"):
        complete_landmarks(vertices, {k: vertices[k] for k in ANCHORS if k != 8})
