"""BU-3DFE's layout, on a tiny two-colored roof: colors, depth, turns, and what is wrong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from df2net_hub.evaluating.bu3dfe import SIZE, bu3dfe_views, read_scan
from df2net_hub.evaluating.sources import open_views

# A roof whose ridge stands 40 mm before its eaves: a quad to the left, two triangles to the right.
ROOF = """#VRML V2.0 utf8
Shape {
  appearance Appearance { texture ImageTexture { url "M0002_HA03AE_F3D.bmp" } }
  geometry IndexedFaceSet {
    coord Coordinate { point [
      -60 100 0,
      -60 -100 0,
      0 -100 40,
      0 100 40,
      60 -100 0,
      60 100 0 ] }
    coordIndex [
      0, 1, 2, 3, -1,
      3, 2, 4, -1,
      3, 4, 5, -1 ]
    texCoord TextureCoordinate { point [
      0 1,
      0 0,
      0.5 0,
      0.5 1,
      1 0,
      1 1 ] }
    texCoordIndex [ 0, 1, 2, 3, -1, 3, 2, 4, -1, 3, 4, 5, -1 ]
  }
}
"""
MM_PER_PX = 200 / (0.6 * SIZE)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "M0002"
    folder.mkdir()
    (folder / "M0002_HA03AE_F3D.wrl").write_text(ROOF)
    texture = np.zeros((32, 160, 3), np.uint8)
    texture[:16, :80], texture[16:, :80], texture[:, 80:] = (200, 0, 0), (90, 0, 0), (0, 0, 200)
    Image.fromarray(texture).save(folder / "M0002_HA03AE_F3D.bmp")
    return tmp_path


def test_a_scan_is_seen_from_three_sides(root: Path) -> None:
    views = open_views(str(root))
    assert views.kind == "BU-3DFE"
    assert views.names == [f"M0002_HA03AE_F3D_{yaw}" for yaw in ("+0", "-30", "+30")]
    last = views.loaders[2]()
    assert last.traits == {"yaw": 30.0, "mood": "happy"} and last.identity == "M0002"
    assert len(bu3dfe_views(root, limit=2)) == 2


def test_polygons_become_triangles(root: Path) -> None:
    scan = read_scan(root / "M0002" / "M0002_HA03AE_F3D.wrl")
    assert scan.triangles.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 4], [3, 4, 5]]
    assert np.array_equal(scan.triangles, scan.uv_triangles)


def test_the_frontal_view_shows_colors_and_depth_where_the_scan_has_them(root: Path) -> None:
    view = open_views(str(root)).loaders[0]()
    middle = SIZE // 2
    right = middle + round(30 / MM_PER_PX)  # half way down the roof's right side
    left = middle - round(30 / MM_PER_PX)
    assert view.mm_per_px == pytest.approx(MM_PER_PX)
    assert view.photo[middle, right].tolist() == [0, 0, 200]
    assert view.photo[middle - 60, left].tolist() == [200, 0, 0]  # v grows upward
    assert view.photo[middle + 60, left].tolist() == [90, 0, 0]
    assert view.photo[5, 5].tolist() == [127, 127, 127] and not view.mask[5, 5]
    fall = view.depth_mm[middle, middle] - view.depth_mm[middle, right]
    assert fall == pytest.approx(20, abs=0.5)
    assert view.mask.sum() == pytest.approx(120 * 200 / MM_PER_PX**2, rel=0.02)


def test_a_turn_to_the_right_brings_the_left_side_forward(root: Path) -> None:
    view = open_views(str(root)).loaders[2]()
    drawn = np.flatnonzero(view.mask[SIZE // 2])
    left, right = (view.depth_mm[SIZE // 2, drawn[end]] for end in (1, -2))
    assert left - right == pytest.approx(120 * np.sin(np.radians(30)), abs=2)
    # The ridge stands 20 mm before the middle of the scan, about which it is turned.
    ridge = SIZE // 2 + round(20 * np.sin(np.radians(30)) / MM_PER_PX)
    assert view.photo[SIZE // 2, [ridge - 5, ridge + 5], 2].tolist() == [0, 200]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("coord Coordinate", "coord Corodinate", "Coordinate .* got 0 numbers"),
        ("60 100 0 ]", "60 100 ]", "3 numbers a point, got 17 numbers"),
        ("0, 1, 2, 3, -1,\n", "0, 1, 2, 9, -1,\n", "points 0 to 5, .* points up to 9"),
        ("texCoordIndex [ 0, 1, 2, 3, -1,", "texCoordIndex [", "4 triangles, texCoordIndex 2"),
        ("-60 100 0,", "-60 nan0 0,", "no number"),
    ],
)
def test_a_damaged_scan_says_what_is_wrong(root: Path, old: str, new: str, message: str) -> None:
    path = root / "M0002" / "M0002_HA03AE_F3D.wrl"
    assert old in ROOF
    path.write_text(ROOF.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_scan(path)


def test_a_missing_texture_is_named(root: Path) -> None:
    (root / "M0002" / "M0002_HA03AE_F3D.bmp").unlink()
    with pytest.raises(FileNotFoundError, match="M0002_HA03AE_F3D.bmp is missing"):
        open_views(str(root))
