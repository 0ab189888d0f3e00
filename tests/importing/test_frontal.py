"""Poses from two meshes of the same vertices."""

import numpy as np
import pytest

from df2net_hub.importing.frontal import fit_rotation, head_angles
from df2net_hub.importing.surface import Rejected


def test_rotation_scale_and_shift_are_found(ellipsoid) -> None:
    turn = ellipsoid.turn(33, -12)
    target = 1.7 * ellipsoid.vertices @ turn.T + [3, -200, 9]
    rotation, scale, shift = fit_rotation(ellipsoid.vertices, target)
    np.testing.assert_allclose(rotation, turn, atol=1e-9)
    assert scale == pytest.approx(1.7)
    np.testing.assert_allclose(shift, [3, -200, 9], atol=1e-6)


def test_a_mirrored_mesh_is_not_turned_inside_out() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)) * [3, 2, 1]
    rotation, _, _ = fit_rotation(points, points * [1, 1, -1])
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_angles_are_those_of_the_pairs_camera(ellipsoid) -> None:
    angles = head_angles(ellipsoid.turn(25, 10).T)
    assert angles["yaw"] == pytest.approx(25) and angles["pitch"] == pytest.approx(10)
    assert head_angles(np.eye(3)) == {"yaw": 0, "pitch": 0, "roll": 0}
    leaning = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])  # counterclockwise by 90 degrees
    assert head_angles(leaning.T)["roll"] == pytest.approx(90)


def test_meshes_that_do_not_match_are_refused(ellipsoid) -> None:
    with pytest.raises(Rejected, match="number of vertices"):
        fit_rotation(ellipsoid.vertices, ellipsoid.vertices[:-1])
    line = np.outer(np.arange(5.0), [1, 2, 3])
    with pytest.raises(Rejected, match="without extent"):
        fit_rotation(line, line)
