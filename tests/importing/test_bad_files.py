"""Files that are broken, of another kind, or of another photo are refused with what is wrong."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from df2net_hub.importing.depth_maps import DepthStatement, read_depth_map
from df2net_hub.importing.extreme3d import read_extreme3d
from df2net_hub.importing.mesh_files import keep_vertices, read_mesh, read_vertex_list
from df2net_hub.importing.prnet import read_position_map, read_prnet_mesh
from df2net_hub.importing.reconstructed import read_mask, read_reference
from df2net_hub.importing.surface import Rejected
from df2net_hub.importing.tddfa import read_tddfa_mesh

CENTER = (130.0, 110.0)
PX = DepthStatement("px", 1.0, "larger")
GRAY = np.full((64, 64, 3), 128, np.uint8)


def write_obj(path: Path, vertices: np.ndarray, triangles: np.ndarray) -> Path:
    lines = [f"v {' '.join(f'{value:.3f}' for value in row)}" for row in vertices]
    lines += [f"f {a} {b} {c}" for a, b, c in triangles + 1]
    path.write_text("\n".join(lines) + "\n")
    return path


def prnet_obj(ellipsoid, path: Path, photo: np.ndarray, points: np.ndarray) -> Path:
    """The file as demo.py writes it for `points` in `photo`, but with that photo's colors."""
    x, y = np.rint(points[:, :2]).astype(int).T
    colors = photo[y.clip(0, len(photo) - 1), x.clip(0, photo.shape[1] - 1)] / 255
    flipped = points * [1, -1, 1] + [0, len(photo) - 1, 0]
    return write_obj(path, np.column_stack([flipped, colors]), ellipsoid.triangles)


def test_an_obj_without_colors_is_refused_where_they_say_where_it_lies(
    ellipsoid, tmp_path: Path
) -> None:
    photo = ellipsoid.photo(260, 220, CENTER, np.eye(3))
    path = write_obj(tmp_path / "a.obj", ellipsoid.vertices, ellipsoid.triangles)
    for read in (read_prnet_mesh, read_tddfa_mesh):
        with pytest.raises(Rejected, match="without vertex colors"):
            read(path, photo)


def test_a_mesh_of_another_photo_is_told_by_its_colors(ellipsoid, tmp_path: Path) -> None:
    photo = ellipsoid.photo(260, 220, CENTER, np.eye(3))
    points = ellipsoid.in_photo(CENTER, np.eye(3))
    path = prnet_obj(ellipsoid, tmp_path / "a.obj", photo, points)
    read_prnet_mesh(path, photo)
    with pytest.raises(Rejected, match="not the photo's"):
        read_prnet_mesh(path, np.ascontiguousarray(photo[::-1, ::-1, ::-1]))


def test_a_mesh_that_prnet_turned_to_the_front_is_told_by_its_colors(
    ellipsoid, tmp_path: Path
) -> None:
    turn = ellipsoid.turn(30)
    photo = ellipsoid.photo(260, 220, CENTER, turn)
    points, front = ellipsoid.in_photo(CENTER, turn), ellipsoid.in_photo((150, 90), np.eye(3))
    x, y = np.rint(points[:, :2]).astype(int).T
    rows = np.column_stack([front * [1, -1, 1] + [0, 219, 0], photo[y, x] / 255])
    path = write_obj(tmp_path / "a.obj", rows, ellipsoid.triangles)
    with pytest.raises(Rejected, match="not the photo's"):
        read_prnet_mesh(path, photo)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 9\n", ".ply file"),
        ("a.ply", b"", ".ply file"),
        ("a.glb", b"glTF\x02\x00\x00\x00 cut off", ".glb file"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", ".obj file"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", ".obj file"),
        ("a.obj", b"\x00\xff\x00 noise", ".obj file"),
    ],
)
def test_damaged_meshes_are_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Rejected, match=said):
        read_mesh(tmp_path / name)


def test_a_mesh_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no mesh"):
        read_mesh(tmp_path / "a.obj")


def test_position_maps_that_are_cut_off_pickled_or_of_another_shape(tmp_path: Path) -> None:
    path, every = tmp_path / "a.npy", np.arange(64)
    np.save(path, np.zeros((8, 8, 3), np.float32))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Rejected, match="cut off"):
        read_position_map(path, every)
    np.save(path, np.array([{"run": "me"}]), allow_pickle=True)
    with pytest.raises(Rejected, match=r"no \.npy"):
        read_position_map(path, every)
    np.save(path, np.zeros((8, 8, 2), np.float32))
    with pytest.raises(Rejected, match=r"\(R,R,3\)"):
        read_position_map(path, every)
    np.save(path, np.zeros((8, 8, 3), np.float32))
    with pytest.raises(Rejected, match="face_ind"):
        read_position_map(path, None)
    with pytest.raises(Rejected, match="fewer vertices"):
        read_position_map(path, np.arange(65))


def test_an_extreme3d_picture_has_its_size(ellipsoid, tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="500 x 500"):
        read_extreme3d(tmp_path / "a_withBump_aligned.ply", GRAY)


def save_png(path: Path, values: np.ndarray) -> Path:
    cv2.imwrite(str(path), values)
    return path


def test_depth_maps_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    for values, said in (
        ((ramp % 256).astype(np.uint8), "8 bits"),
        (ramp[:, :32], "another size"),
        (np.zeros((64, 64), np.uint16), "without depth inside"),
        (np.repeat(ramp[..., None], 3, axis=2), "several channels"),
    ):
        with pytest.raises(Rejected, match=said):
            read_depth_map(save_png(tmp_path / "a.png", values), GRAY, PX, None)


def test_damaged_depth_maps_are_refused(tmp_path: Path) -> None:
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    np.savez(tmp_path / "a.npz", depth=ramp)
    np.save(tmp_path / "a.npy", ramp.astype(np.float32))
    save_png(tmp_path / "a.png", ramp)
    for suffix in (".npz", ".npy", ".png"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(Rejected, match="damaged or cut off"):
            read_depth_map(path, GRAY, PX, None)
    (tmp_path / "a.exr").write_bytes(b"\x76\x2f\x31\x01 whole or not: few builds of OpenCV read it")
    with pytest.raises(Rejected, match=r"EXR that this OpenCV does not read.*save it as \.npy"):
        read_depth_map(tmp_path / "a.exr", GRAY, PX, None)
    np.savez(tmp_path / "a.npz", height=ramp)
    with pytest.raises(Rejected, match="named depth"):
        read_depth_map(tmp_path / "a.npz", GRAY, PX, None)
    np.save(tmp_path / "a.npy", np.array([["deep"] * 64] * 64))
    with pytest.raises(Rejected, match="no numbers"):
        read_depth_map(tmp_path / "a.npy", GRAY, PX, None)
    with pytest.raises(Rejected, match="no depth map"):
        read_depth_map(tmp_path / "none.npy", GRAY, PX, None)


def test_a_map_without_gaps_needs_a_mask_and_nan_is_a_gap(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    path = tmp_path / "a.npy"
    np.save(path, values)
    with pytest.raises(Rejected, match="needs a mask|without a mask"):
        read_depth_map(path, GRAY, PX, None)
    mask = np.zeros((64, 64), bool)
    mask[20:40, 10:50] = True
    surface = read_depth_map(path, GRAY, PX, mask)
    assert len(surface.pixels) == mask.sum()
    values[30, 30], values[0, 0] = np.nan, np.inf
    np.save(path, values)
    assert len(read_depth_map(path, GRAY, PX, mask).pixels) == mask.sum() - 1
    with pytest.raises(Rejected, match="mask of another size"):
        read_depth_map(path, GRAY, PX, mask[:32])
    mask[:] = False
    mask[::2, ::2] = True
    with pytest.raises(Rejected, match="single pixels"):
        read_depth_map(path, GRAY, PX, mask)


def test_a_jump_in_depth_is_not_bridged(tmp_path: Path) -> None:
    values = np.full((64, 64), np.nan, np.float32)
    values[10:50, 10:30], values[10:50, 30:50] = 5, 55
    np.save(tmp_path / "a.npy", values)
    surface = read_depth_map(tmp_path / "a.npy", GRAY, PX, None)
    heights = surface.shape[surface.triangles][..., 2]
    assert (np.ptp(heights, axis=1) == 0).all()
    assert len(surface.triangles) == 2 * 2 * 39 * 19


def test_vertex_lists_and_references_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "face.txt"
    for text, said in (("1.5 2", "whole numbers"), ("-1", "whole numbers"), ("a b", "no list")):
        path.write_text(text)
        with pytest.raises(ValueError, match=said):
            read_vertex_list(path)
    path.write_text("3\n1\n")
    assert read_vertex_list(path).tolist() == [3, 1]
    with pytest.raises(Rejected, match="no triangle is left"):
        keep_vertices(np.array([[0, 1, 2]]), np.array([0, 1]), 3)
    np.save(tmp_path / "reference.npy", np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"\(V,3\)"):
        read_reference(tmp_path / "reference.npy")


def test_a_mask_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(b"no picture")
    with pytest.raises(Rejected, match="mask"):
        read_mask(tmp_path / "mask.png")
    Image.fromarray(np.array([[0, 127], [128, 255]], np.uint8)).save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png").tolist() == [[False, False], [True, True]]
