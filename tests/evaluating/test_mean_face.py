"""The mean face lies where the landmarks say."""

import numpy as np
from view_makers import MM_PER_PX, view

from df2net_hub.evaluating.landmarks import INNER
from df2net_hub.evaluating.mean_face import MEAN_FACE, MeanFace, place
from df2net_hub.synthesis.procedural import procedural_head


def turn(yaw: float, roll: float) -> np.ndarray:
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ about_y


def test_a_known_pose_is_found() -> None:
    points = np.random.default_rng(0).normal(0, 5, (51, 3))
    rotation = turn(25, -10)
    turned = points @ rotation.T * 3.5
    pixels = np.column_stack([turned[:, 0] + 30, 40 - turned[:, 1]])
    found, scale, shift = place(points, pixels)
    np.testing.assert_allclose(found, rotation, atol=1e-9)
    np.testing.assert_allclose([scale, *shift], [3.5, 30, 40])


def test_the_mean_face_meets_its_landmarks_and_comes_toward_the_camera() -> None:
    head = procedural_head()
    corners = head.vertices[head.landmarks68]
    scale = 30 / np.ptp(corners[:, 0])  # [px per cm]
    middle = corners[INNER].mean(0)
    pixels = np.column_stack(
        [32 + (corners[:, 0] - middle[0]) * scale, 32 - (corners[:, 1] - middle[1]) * scale]
    )
    shown = view(landmarks=pixels.astype(np.float32))
    found = MeanFace(head)(shown)[MEAN_FACE]
    tip = np.rint(pixels[30]).astype(int)  # the nose
    assert found.mask[tip[1], tip[0]]
    true = corners[30, 2] * scale * MM_PER_PX
    assert abs(found.depth_mm[tip[1], tip[0]] - true) < 3
    assert np.isnan(found.depth_mm[~found.mask]).all()


def test_a_view_without_landmarks_has_no_mean_face() -> None:
    assert MeanFace(procedural_head())(view(landmarks=None)) == {}
