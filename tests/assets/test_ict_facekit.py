"""ICT-FaceKit's folder: a small one of its layout, with all its vertices and a few faces."""

import json
import shutil

import numpy as np
import pytest

from df2net_hub.assets.convert_head import detect_kind
from df2net_hub.assets.ict_facekit import KNOWN_LANDMARKS, NUM_VERTICES, PARTS, read_ict_facekit
from df2net_hub.synthesis.morphable import load_morphable, save_morphable


def write_obj(path, vertices, faces=""):
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}\n" for x, y, z in vertices]
    path.write_text("mtllib ICTFaceModelMaterial.mtl\n" + "".join(lines) + faces)


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    return {
        name: rng.normal(size=(NUM_VERTICES, 3)).round(4)
        for name in ("generic_neutral_mesh", "identity000", "identity001", "jawOpen", "browDown_L")
    }


@pytest.fixture(scope="module")
def whole_folder(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ict") / "FaceXModel"
    folder.mkdir()
    faces = "vt 0.5 0.25\nvt 0.75 0.25\nvt 0.5 0.5\nvt 1.5 0.5\nusemtl skin\n"
    faces += "f 1/1 2/2 3/3 4/4\nf 26717/1 26718/2 26719/3\n"
    for name, vertices in arrays.items():
        write_obj(folder / f"{name}.obj", vertices, faces)
    landmarks = list(range(68))
    for number, vertex in KNOWN_LANDMARKS.items():
        landmarks[number] = vertex
    found = {"expressions": ["browDown_L", "jawOpen"], "idx_to_landmark_verts": landmarks}
    (folder / "vertex_indices.json").write_text(json.dumps(found))
    return folder.parent


@pytest.fixture
def folder(whole_folder, tmp_path):
    return shutil.copytree(whole_folder, tmp_path / "copy")


def test_offsets_are_differences_from_the_neutral_mesh(whole_folder, arrays):
    model = read_ict_facekit(whole_folder)
    neutral = arrays["generic_neutral_mesh"]
    np.testing.assert_allclose(model.vertices, neutral, atol=1e-6)
    np.testing.assert_allclose(model.identity[1], arrays["identity001"] - neutral, atol=1e-5)
    assert model.expression_names == ("browDown_L", "jawOpen")
    np.testing.assert_allclose(model.expression[1], arrays["jawOpen"] - neutral, atol=1e-5)
    np.testing.assert_array_equal(model.triangles[:2], [[0, 1, 2], [0, 2, 3]])
    np.testing.assert_array_equal(model.uv[model.uv_triangles[1, 2]], [1.5, 0.5])
    assert model.landmarks68[30] == 4857 and model.parts == PARTS


def test_the_converted_model_is_stored_and_loaded_less_the_lashes(whole_folder, tmp_path):
    assert detect_kind(whole_folder) == detect_kind(whole_folder / "FaceXModel") == "ict"
    save_morphable(read_ict_facekit(whole_folder), tmp_path / "head.npz")
    loaded = load_morphable(tmp_path / "head.npz")
    assert len(loaded.triangles) == 2 and "eyelashes" not in loaded.parts


def test_a_missing_file_of_the_series_is_named(folder):
    (folder / "FaceXModel" / "identity000.obj").unlink()
    with pytest.raises(FileNotFoundError, match="lacks 1 of its OBJ files: identity000.obj"):
        read_ict_facekit(folder)


def test_a_missing_expression_is_named(folder):
    (folder / "FaceXModel" / "jawOpen.obj").unlink()
    with pytest.raises(FileNotFoundError, match="jawOpen.obj"):
        read_ict_facekit(folder)


def test_a_file_with_other_vertices_is_named(folder):
    path = folder / "FaceXModel" / "identity001.obj"
    path.write_text("\n".join(path.read_text().splitlines()[:20000]) + "\n")
    with pytest.raises(ValueError, match=r"identity001.obj has 19999 vertices.*has 26719"):
        read_ict_facekit(folder)


def test_the_older_vertex_order_is_refused(folder):
    path = folder / "FaceXModel" / "vertex_indices.json"
    found = json.loads(path.read_text())
    found["idx_to_landmark_verts"][0] = 2605
    path.write_text(json.dumps(found))
    with pytest.raises(ValueError, match="landmark 0 is vertex 2605"):
        read_ict_facekit(folder)


def test_an_index_file_that_is_cut_short_is_an_error(folder):
    path = folder / "FaceXModel" / "vertex_indices.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ValueError, match="no whole JSON file"):
        read_ict_facekit(folder)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no generic_neutral_mesh.obj"):
        read_ict_facekit(tmp_path)
    with pytest.raises(ValueError, match="no folder of ICT-FaceKit"):
        detect_kind(tmp_path)
