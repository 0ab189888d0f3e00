"""Files of a small known face, read again by others' readers."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from df2net_hub.export import FORMATS, save_face, save_picture
from df2net_hub.mesh import depth_to_mesh

MM_PER_PX = 0.5


@dataclass
class SmallFace:
    """What `save_face` asks of a face, at 48 x 40."""

    depth: np.ndarray
    mask: np.ndarray
    crop: np.ndarray
    mm_per_px: float = MM_PER_PX

    def to_mesh(self) -> trimesh.Trimesh:
        return depth_to_mesh(self.depth, self.mask, self.crop, self.mm_per_px)


@pytest.fixture
def face() -> SmallFace:
    rows, columns = np.mgrid[:48, :40].astype(np.float32)
    square = (columns - 19.5) ** 2 + (rows - 23.5) ** 2
    mask = square < 18**2
    depth = np.where(mask, 100 - square / 40, 0).astype(np.float32)
    crop = np.stack([rows * 5, columns * 6, rows + columns], axis=-1).astype(np.uint8)
    return SmallFace(depth, mask, crop)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def vertex_in_crop(vertex: np.ndarray) -> tuple[int, int]:
    """Row and column of the pixel that became the vertex [mm]."""
    x, y = vertex[:2] / MM_PER_PX
    return round(23.5 - y), round(19.5 + x)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("glb", ["me.glb"]),
        ("obj", ["me.mtl", "me.obj", "me_texture.png"]),
        ("ply", ["me.ply"]),
        ("stl", ["me.stl"]),
        ("npy", ["me.npy"]),
        ("png16", ["me_depth16.png"]),
    ],
)
def test_a_format_writes_these_files_and_tells_so(face, tmp_path, name, files) -> None:
    written = save_face(face, tmp_path / "new" / "folder", "me", [name])
    assert sorted(path.name for path in written) == names(tmp_path / "new" / "folder") == files


def test_the_table_above_covers_every_format() -> None:
    assert sorted(FORMATS) == ["glb", "npy", "obj", "ply", "png16", "stl"]


@pytest.mark.parametrize("suffix", ["glb", "obj", "ply", "stl"])
def test_a_mesh_comes_back_with_its_extent_and_its_triangles(face, tmp_path, suffix) -> None:
    save_face(face, tmp_path, "me", [suffix])
    mesh = trimesh.load(tmp_path / f"me.{suffix}", force="mesh", process=False)
    expected = face.to_mesh()
    assert len(mesh.faces) == len(expected.faces)
    np.testing.assert_allclose(mesh.bounds, expected.bounds, atol=1e-4)
    assert mesh.bounds[1, :2] == pytest.approx([8.75, 8.75])  # 17.5 px of 0.5 mm
    assert mesh.face_normals[:, 2].min() > 0


@pytest.mark.parametrize("suffix", ["glb", "obj", "ply"])
def test_colors_come_back_at_their_vertices(face, tmp_path, suffix) -> None:
    save_face(face, tmp_path, "me", [suffix])
    mesh = trimesh.load(tmp_path / f"me.{suffix}", force="mesh", process=False)
    assert len(mesh.vertices) == face.mask.sum()
    visual = mesh.visual if suffix == "ply" else mesh.visual.to_color()
    colors = np.asarray(visual.vertex_colors)[:, :3]
    for vertex, color in list(zip(mesh.vertices, colors, strict=True))[::50]:
        np.testing.assert_allclose(color, face.crop[vertex_in_crop(vertex)], atol=1)


def test_glb_carries_unit_normals_toward_the_camera(face, tmp_path) -> None:
    save_face(face, tmp_path, "me", ["glb"])
    content = (tmp_path / "me.glb").read_bytes()
    header = int.from_bytes(content[12:16], "little")
    tree, binary = json.loads(content[20 : 20 + header]), content[28 + header :]
    (primitive,) = tree["meshes"][0]["primitives"]
    accessor = tree["accessors"][primitive["attributes"]["NORMAL"]]
    view = tree["bufferViews"][accessor["bufferView"]]
    start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    normals = np.frombuffer(binary, "<f4", 3 * accessor["count"], start).reshape(-1, 3)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(normals, face.to_mesh().vertex_normals, atol=1e-5)
    assert normals[:, 2].min() > 0
    assert tree["materials"][0]["doubleSided"]


def test_two_obj_files_in_one_folder_keep_their_own_materials(face, tmp_path) -> None:
    save_face(face, tmp_path, "one", ["obj"])
    face.crop = 255 - face.crop
    save_face(face, tmp_path, "two", ["obj"])
    textures = []
    for stem in ("one", "two"):
        lines = (tmp_path / f"{stem}.obj").read_text().splitlines()
        (library,) = (line.split(" ", 1)[1] for line in lines if line.startswith("mtllib "))
        (used,) = (line.split(" ", 1)[1] for line in lines if line.startswith("usemtl "))
        material = (tmp_path / library).read_text()
        assert f"newmtl {used}\n" in material
        (texture,) = (line[7:] for line in material.splitlines() if line.startswith("map_Kd "))
        textures.append(np.asarray(Image.open(tmp_path / texture)))
    np.testing.assert_array_equal(textures[0], 255 - textures[1])


def test_a_photo_beside_the_output_is_not_overwritten(face, tmp_path) -> None:
    photo = tmp_path / "me.png"
    photo.write_bytes(b"the user's own")
    save_face(face, tmp_path, "me", sorted(FORMATS))
    assert photo.read_bytes() == b"the user's own"


def test_stl_is_binary(face, tmp_path) -> None:
    (path,) = save_face(face, tmp_path, "me", ["stl"])
    assert path.stat().st_size == 84 + 50 * len(face.to_mesh().faces)


def test_npy_is_the_depth_map_and_needs_no_pickle(face, tmp_path) -> None:
    (path,) = save_face(face, tmp_path, "me", ["npy"])
    depth = np.load(path, allow_pickle=False)
    assert depth.dtype == np.float32
    np.testing.assert_array_equal(depth, face.depth)


def test_png16_can_be_undone_to_a_step(face, tmp_path) -> None:
    (path,) = save_face(face, tmp_path, "me", ["png16"])
    with Image.open(path) as picture:
        values = np.asarray(picture).astype(np.int64)
        text = picture.text
    assert (values.min(), values.max()) == (0, 65535)
    np.testing.assert_array_equal(values > 0, face.mask)
    low, high = float(text["depth_min_px"]), float(text["depth_max_px"])
    depth = low + (values - 1) / 65534 * (high - low)
    step = (high - low) / 65534
    assert np.abs(depth - face.depth)[face.mask].max() <= step
    assert float(text["mm_per_px"]) == MM_PER_PX
    assert "65534" in text["Description"]


def test_png16_of_a_flat_face_has_one_value(face, tmp_path) -> None:
    face.depth = np.where(face.mask, 7, 0).astype(np.float32)
    (path,) = save_face(face, tmp_path, "me", ["png16"])
    np.testing.assert_array_equal(np.asarray(Image.open(path)), face.mask.astype(int))


def test_an_unknown_format_writes_nothing_and_names_the_known(face, tmp_path) -> None:
    with pytest.raises(ValueError, match="unknown format 'fbx'; known: glb, npy, obj, ply, png16"):
        save_face(face, tmp_path / "out", "me", ["glb", "fbx"])
    assert not (tmp_path / "out").exists()


def test_a_face_without_a_mask_writes_nothing(face, tmp_path) -> None:
    face.mask = np.zeros_like(face.mask)
    for name in ("glb", "png16"):
        with pytest.raises(ValueError, match="the mask is empty"):
            save_face(face, tmp_path / "out", "me", ["npy", name])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stem", ["", "a/b", "../me", "/me"])
def test_a_stem_that_leads_elsewhere_is_refused(face, tmp_path, stem) -> None:
    with pytest.raises(ValueError, match="`stem` is the start of a file name"):
        save_face(face, tmp_path, stem, ["npy"])
    assert names(tmp_path) == []


def test_a_file_in_the_way_of_the_folder_is_an_error_and_stays(face, tmp_path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(OSError, match="out"):
        save_face(face, tmp_path / "out", "me", ["glb"])
    assert (tmp_path / "out").read_text() == "in the way"


def test_a_folder_in_the_way_of_a_file_leaves_nothing_half_written(face, tmp_path) -> None:
    (tmp_path / "me.glb").mkdir()
    with pytest.raises(OSError, match="me.glb"):
        save_face(face, tmp_path, "me", ["glb"])
    assert names(tmp_path) == ["me.glb"]


def test_saving_again_replaces_and_leaves_no_temporary_file(face, tmp_path) -> None:
    save_face(face, tmp_path, "me", ["npy"])
    face.depth = face.depth * 2
    (path,) = save_face(face, tmp_path, "me", ["npy"])
    np.testing.assert_array_equal(np.load(path), face.depth)
    assert names(tmp_path) == ["me.npy"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_files_have_the_permissions_that_new_files_have(face, tmp_path) -> None:
    (tmp_path / "plain").touch()
    (path,) = save_face(face, tmp_path, "me", ["npy"])
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_picture_comes_back_as_it_was(face, tmp_path) -> None:
    path = save_picture(face.crop, tmp_path / "picture.png")
    assert path == tmp_path / "picture.png"
    np.testing.assert_array_equal(np.asarray(Image.open(path)), face.crop)


def test_a_picture_of_floats_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match="array of uint8, got float64"):
        save_picture(np.zeros((4, 4, 3)), tmp_path / "picture.png")
    assert names(tmp_path) == []
