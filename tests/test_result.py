"""A face as the pipeline hands it over, at full size."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from df2net_hub.faces import FaceBox
from df2net_hub.geometry import depth_to_normals
from df2net_hub.outline import inside_outline
from df2net_hub.result import Face, Reconstruction

LARGEST_GLB = 8_000_000  # bytes; what a web page may be asked to load


@pytest.fixture(scope="module")
def face() -> Face:
    """An egg of the size of a face in its crop, with some skin."""
    rows, columns = np.mgrid[:512, :512].astype(np.float32)
    square = ((columns - 255.5) / 150) ** 2 + ((rows - 255.5) / 190) ** 2
    mask = square < 0.95
    depth = np.where(mask, 60 + 150 * np.sqrt(np.maximum(1 - square, 0)), 0).astype(np.float32)
    normals = depth_to_normals(torch.from_numpy(depth)[None, None])[0].permute(1, 2, 0).numpy()
    crop = np.random.default_rng(0).integers(120, 180, (512, 512, 3), dtype=np.uint8)
    return Face(
        depth=depth,
        mask=mask,
        normals=normals,
        box=FaceBox(10.0, 20.0, 300.0, 1.0, "given"),
        mm_per_px=0.45,
        stages={"dense": depth, "fine": depth, "finer": depth},
        crop=crop,
    )


def test_the_mesh_is_the_depth_map_in_millimeters(face: Face) -> None:
    mesh = face.to_mesh()
    shown = inside_outline(face.mask) > 2
    assert face.mask.sum() > len(mesh.vertices) > shown.sum()  # and the ends of what is cut
    relief_px = face.depth[shown].max() - face.depth[shown].min()
    assert np.ptp(mesh.vertices[:, 2]) == pytest.approx(0.45 * relief_px, rel=0.02)
    np.testing.assert_allclose(mesh.bounds[:, :2].sum(axis=0), 0, atol=1e-5)
    assert mesh.body_count == 1


def test_the_normals_of_the_mesh_are_those_of_the_map(face: Face) -> None:
    mesh = face.to_mesh()
    x, y = mesh.vertices[:, 0] / 0.45, mesh.vertices[:, 1] / 0.45
    from_map = face.normals[(255.5 - y).round().astype(int), (255.5 + x).round().astype(int)]
    inner = np.hypot(x / 150, y / 190) < 0.9
    cosine = (mesh.vertex_normals * from_map).sum(axis=1)[inner]
    assert np.degrees(np.arccos(cosine.clip(-1, 1))).max() < 2


def test_fewer_triangles_can_be_asked_for(face: Face) -> None:
    assert 5_000 < len(face.to_mesh(decimate_to=20_000).faces) <= 20_000


def test_save_makes_the_folder_and_writes_one_glb_by_default(face: Face, tmp_path: Path) -> None:
    written = face.save(str(tmp_path / "out"))
    assert written == [tmp_path / "out" / "face.glb"]
    assert written[0].stat().st_size < LARGEST_GLB
    mesh = trimesh.load(written[0], force="mesh", process=False)
    assert len(mesh.vertices) == len(face.to_mesh().vertices)


def test_save_passes_stem_and_formats_on(face: Face, tmp_path: Path) -> None:
    face.save(tmp_path, stem="portrait", formats=("npy", "png16"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "portrait.npy",
        "portrait_depth16.png",
    ]


def test_the_preview_is_a_picture_with_a_column_for_the_photo_and_each_stage(face: Face) -> None:
    picture = face.preview()
    assert picture.dtype == np.uint8
    assert picture.shape[1] == 4 * 288
    assert picture.std() > 10


def test_a_face_is_frozen_compares_by_identity_and_prints_short(face: Face) -> None:
    with pytest.raises(FrozenInstanceError):
        face.mm_per_px = 1.0
    assert face == face and hash(face) == hash(face)
    assert repr(face) == f"Face(box={face.box!r}, mm_per_px=0.45)"


def test_a_reconstruction_may_have_no_face() -> None:
    result = Reconstruction(None, (640, 480), ())
    assert result.faces == ()
    assert result != Reconstruction(None, (640, 480), ())
