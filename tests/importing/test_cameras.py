"""A stated camera puts every vertex where the formula of its kind says."""

import json
from pathlib import Path

import numpy as np
import pytest

from df2net_hub.importing.cameras import read_camera
from df2net_hub.importing.surface import Rejected

PHOTO = np.zeros((240, 320, 3), np.uint8)
TRIANGLE = np.array([[0, 1, 2]], np.int32)
QUARTER = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]  # +z to the right


def test_weak_perspective_scales_turns_and_shifts() -> None:
    camera = read_camera(
        json.dumps({"kind": "weak", "scale": 2, "rotation": QUARTER, "shift": [100, 90]})
    )
    vertices = np.array([[1.0, 2, 3], [0, 0, 0], [10, -5, 2]])
    surface = camera.place(PHOTO, vertices, TRIANGLE)
    # (1,2,3) turns to (3,2,-1): 6 right and 4 above the shift, 2 px behind the middle.
    np.testing.assert_allclose(surface.pixels[0], [106, 86])
    np.testing.assert_allclose(surface.shape[0], [6, 4, -2])
    assert surface.frontal is None


def test_pinhole_in_both_axes_is_the_same_picture() -> None:
    lens = {"kind": "pinhole", "fx": 500, "fy": 400, "cx": 160, "cy": 120}
    opencv = {**lens, "axes": "opencv", "translation": [0, 0, 1000]}
    opengl = {**lens, "axes": "opengl", "translation": [0, 0, -1000]}
    vertices = np.array([[50.0, 20, 0], [0, 0, 100], [-50, -20, 0]])
    seen = read_camera(json.dumps(opencv)).place(PHOTO, vertices, TRIANGLE)
    np.testing.assert_allclose(seen.pixels[0], [160 + 50 * 0.5, 120 + 20 * 0.4])
    flipped = read_camera(json.dumps(opengl)).place(PHOTO, vertices * [1, -1, -1], TRIANGLE)
    np.testing.assert_allclose(seen.pixels, flipped.pixels)
    np.testing.assert_allclose(seen.shape, flipped.shape)
    # Larger z is farther away in OpenCV's axes; a pixel is measured at the mean distance.
    scale = 450 / (1000 + 100 / 3)
    np.testing.assert_allclose(seen.shape[1, 2] - seen.shape[0, 2], -100 * scale)


def test_a_mesh_that_looks_forward_says_its_pose_by_its_rotation() -> None:
    stated = {"kind": "weak", "scale": 3, "rotation": QUARTER, "shift": [160, 120]}
    camera = read_camera(json.dumps({**stated, "frontal": True, "mm_per_unit": 6}))
    vertices = np.array([[1.0, 2, 3], [0, 0, 0], [10, -5, 2]])
    surface = camera.place(PHOTO, vertices, TRIANGLE)
    np.testing.assert_allclose(surface.shape @ surface.frontal.T, 3 * vertices, atol=1e-9)
    assert surface.mm_per_px == pytest.approx(2)


def test_the_pose_holds_in_opencvs_axes_too() -> None:
    # A head that looks into an OpenCV camera: its y up is the camera's y down.
    stated = {"kind": "pinhole", "fx": 1e6, "fy": 1e6, "cx": 160, "cy": 120, "axes": "opencv"}
    facing = [[1, 0, 0], [0, -1, 0], [0, 0, -1]]
    camera = read_camera(
        json.dumps({**stated, "rotation": facing, "translation": [0, 0, 1e6], "frontal": True})
    )
    vertices = np.array([[1.0, 2, 3], [0, 0, 0], [10, -5, 2]])
    surface = camera.place(PHOTO, vertices, TRIANGLE)
    np.testing.assert_allclose(surface.frontal, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(surface.pixels[0], [161, 118], atol=1e-4)


def test_a_mesh_behind_the_camera_is_refused() -> None:
    camera = read_camera(
        '{"kind": "pinhole", "fx": 9, "fy": 9, "cx": 1, "cy": 1, "axes": "opengl",'
        ' "translation": [0, 0, 5]}'
    )
    with pytest.raises(Rejected, match="behind its camera"):
        camera.place(PHOTO, np.eye(3), TRIANGLE)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("{broken", "no JSON"),
        ('{"kind": "fisheye"}', "weak, pinhole"),
        ('{"kind": "weak", "scale": 1}', "missing shift"),
        ('{"kind": "weak", "scale": 1, "shift": [0, 0], "zoom": 3}', "unknown zoom"),
        ('{"kind": "weak", "scale": 0, "shift": [0, 0]}', "more than 0"),
        ('{"kind": "weak", "scale": 1, "shift": [0, null]}', "'shift' must be"),
        (
            '{"kind": "weak", "scale": 1, "shift": [0, 0], "rotation": [[2,0,0],[0,1,0],[0,0,1]]}',
            "must be a rotation",
        ),
        (
            '{"kind": "weak", "scale": 1, "shift": [0, 0], "rotation": [[-1,0,0],[0,1,0],[0,0,1]]}',
            "must be a rotation",
        ),
        (
            '{"kind": "pinhole", "fx": 1, "fy": 1, "cx": 1, "cy": 1, "axes": "blender"}',
            "opencv or opengl",
        ),
    ],
)
def test_a_statement_that_will_not_do_says_why(stated: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_camera(stated)


def test_a_camera_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no camera file"):
        read_camera(tmp_path / "camera.json")
