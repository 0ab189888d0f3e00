"""FaceScape's layout, on a tiny ball with a nose: depth, scale, pose, and what is missing."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from df2net_hub.evaluating.facescape import facescape_views
from df2net_hub.evaluating.sources import open_views

SCALE = 100.0  # [mm] of a unit of the scan
DISTANCE, FOCAL, SIZE = 8.0, 800.0, 200


def turned(yaw: float) -> list[list[float]]:
    """The camera that sees a face looking along z turned to the picture's right by `yaw`."""
    c, s = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    looks = np.diag([1.0, -1.0, -1.0]) @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.column_stack([looks, [0, 0, DISTANCE]]).tolist()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "122" / "1_neutral"
    folder.mkdir(parents=True)
    ball = trimesh.creation.icosphere(subdivisions=5, radius=0.8)
    ball.export(tmp_path / "122" / "1_neutral.ply")
    scales = {"122": {"1": [SCALE, np.eye(4)[:3].tolist()]}}
    (tmp_path / "Rt_scale_dict.json").write_text(json.dumps(scales))
    params = {}
    for number, yaw in enumerate((0.0, 30.0, 170.0, 0.0)):
        Image.new("RGB", (SIZE, SIZE), (90, 80, 70)).save(folder / f"{number}.jpg")
        params |= {
            f"{number}_K": [[FOCAL, 0, 99.5], [0, FOCAL, 99.5], [0, 0, 1]],
            f"{number}_Rt": turned(yaw),
            f"{number}_distortion": [0.0, 0, 0, 0, 0],
            f"{number}_valid": number < 3,
        }
    (folder / "params.json").write_text(json.dumps(params))
    return tmp_path


def test_valid_cameras_before_the_face_are_views_with_its_yaw(root: Path) -> None:
    views = open_views(str(root))
    assert views.kind == "FaceScape"
    assert views.names == ["122_1_neutral_0", "122_1_neutral_1"]
    second = views.loaders[1]()
    assert second.traits["yaw"] == pytest.approx(30) and second.traits["mood"] == "neutral"
    assert second.identity == "122" and len(facescape_views(root, limit=1)) == 1


def test_the_scan_lies_in_the_photo_in_millimeters(root: Path) -> None:
    view = open_views(str(root)).loaders[0]()
    assert view.photo.shape == (SIZE, SIZE, 3)
    middle = view.depth_mm[SIZE // 2, SIZE // 2]
    aside = view.depth_mm[SIZE // 2, SIZE // 2 + 50]  # where the ray meets the ball:
    slope = 50.5 / FOCAL
    depth = (DISTANCE - np.sqrt(0.64 * (1 + slope**2) - DISTANCE**2 * slope**2)) / (1 + slope**2)
    assert middle - aside == pytest.approx((depth - (DISTANCE - 0.8)) * SCALE, abs=0.5)
    assert view.mm_per_px == pytest.approx((DISTANCE - 0.55) * SCALE / FOCAL, rel=0.03)
    width = view.mask[SIZE // 2].sum()
    assert width == pytest.approx(2 * FOCAL * 0.8 / np.sqrt(DISTANCE**2 - 0.64), abs=2)


def test_a_missing_scan_and_a_missing_scale_are_named(root: Path) -> None:
    (root / "Rt_scale_dict.json").write_text(json.dumps({"122": {}}))
    with pytest.raises(ValueError, match="has no scale of 122/1_neutral"):
        open_views(str(root))
    (root / "122" / "1_neutral.ply").unlink()
    with pytest.raises(FileNotFoundError, match=r"1_neutral\.ply is missing"):
        open_views(str(root))
