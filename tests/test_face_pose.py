"""Pose from a depth map: on a formula's face and on rendered heads whose pose is known."""

import numpy as np
import pytest

from df2net_hub.face_pose import face_pose
from df2net_hub.synthesis.sampling import HeadSampler


def formula_face(yaw: float, roll: float, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """Network depth and mask of a turned egg with a nose, sampled as points."""
    y, x = np.mgrid[-1:1:600j, -1:1:600j]
    front = np.sqrt(np.clip(1 - x**2 - (y / 1.3) ** 2, 0, None))
    z = 0.75 * front + 0.35 * np.exp(-((x / 0.13) ** 2) - ((y + 0.1) / 0.25) ** 2)
    kept = front > 0.25
    points = np.stack([x, y, z], -1)[kept] * 0.6
    turn, tilt = np.radians(yaw), np.radians(roll)
    cy, sy, cr, sr = np.cos(turn), np.sin(turn), np.cos(tilt), np.sin(tilt)
    points = points @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]).T
    points = points @ np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]).T
    columns = ((points[:, 0] + 1) / 2 * size).astype(int).clip(0, size - 1)
    rows = ((1 - points[:, 1]) / 2 * size).astype(int).clip(0, size - 1)
    depth = np.full((size, size), -np.inf)
    np.maximum.at(depth, (rows, columns), points[:, 2] * 2)  # 256 px over 127.5 a unit
    mask = np.isfinite(depth)
    return np.where(mask, depth, np.nan), mask


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (20, 0), (-20, 0), (0, 15), (15, -15)])
def test_a_turned_egg_with_a_nose_is_found_turned_that_way(yaw, roll) -> None:
    pose = face_pose(*formula_face(yaw, roll))
    assert pose.yaw == pytest.approx(yaw, abs=6)
    assert pose.roll == pytest.approx(roll, abs=6)


def test_a_mirrored_face_looks_to_the_other_side() -> None:
    depth, mask = formula_face(18, 8)
    pose, mirrored = face_pose(depth, mask), face_pose(depth[:, ::-1], mask[:, ::-1])
    assert mirrored.yaw == pytest.approx(-pose.yaw, abs=3)
    assert mirrored.roll == pytest.approx(-pose.roll, abs=3)


def test_rendered_heads_are_turned_as_they_were_rendered() -> None:
    sampler, errors = HeadSampler.procedural(), []
    for index in range(12):
        pair = sampler.pair(4, index, 96)
        if abs(pair.yaw) < 35:
            errors.append(face_pose(pair.depth, pair.mask).yaw - pair.yaw)
    assert len(errors) >= 8
    assert np.median(np.abs(errors)) < 8


def test_an_empty_mask_is_an_error() -> None:
    with pytest.raises(ValueError, match="holds no face"):
        face_pose(np.zeros((64, 64)), np.zeros((64, 64), bool))
