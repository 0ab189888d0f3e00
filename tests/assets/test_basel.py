"""Basel Face Models: small files of the same layout, made here, come out in cm and linear RGB."""

import json

import numpy as np
import pytest

from df2net_hub.assets.basel import EXPRESSION_MODES, read_basel_2009, read_basel_h5
from df2net_hub.assets.convert_head import convert_head, detect_kind
from df2net_hub.synthesis.morphable import load_morphable, save_morphable

pytest.importorskip("scipy", reason="scipy reads MATLAB files and warps heads")
DEVIATIONS = np.array([3.0, 2.0, 0.5])


def unit_modes(modes_cm, unit_per_cm):
    """Basis (3N,K) of which DEVIATIONS * basis is `modes_cm`."""
    return (modes_cm * unit_per_cm / DEVIATIONS[:, None, None]).reshape(len(DEVIATIONS), -1).T


def write_2009(path, head, **changes):
    from scipy.io import savemat

    tone = np.tile([200.0, 150.0, 120.0], len(head.vertices))
    fields = {
        "shapeMU": (head.vertices * 1e4).reshape(-1, 1),
        "shapePC": unit_modes(head.modes, 1e4),
        "shapeEV": DEVIATIONS[:, None],
        "texMU": tone[:, None],
        "texPC": np.ones((len(tone), 1)),
        "texEV": np.array([[10.0]]),
        "tl": head.triangles[:, ::-1] + 1,  # wound the other way, from 1
        "segbin": np.zeros((len(head.vertices), 4)),
    }
    savemat(path, {**fields, **changes}, do_compression=True)
    return path


def same_points(model, head):
    """Index of each of the model's vertices in the source."""
    from scipy.spatial import cKDTree

    distance, index = cKDTree(head.vertices).query(model.vertices)
    assert distance.max() < 1e-4
    return index


def test_2009_comes_out_in_cm_and_linear_color(tmp_path, plain_head, landmarks_csv):
    path = write_2009(tmp_path / "01_MorphableModel.mat", plain_head)
    assert detect_kind(path) == "bfm2009"
    model = convert_head("bfm2009", path, landmarks_csv)
    order = same_points(model, plain_head)
    assert len(np.unique(np.round(plain_head.vertices, 6), axis=0)) < len(order)  # seam, poles
    moved = model.shape(np.array([0, 1.0, 0]), np.zeros(0)) - model.vertices
    size = np.linalg.norm(moved, axis=1)
    expected = np.linalg.norm(plain_head.modes[1][order], axis=1)
    np.testing.assert_allclose(size, expected, atol=1e-4)
    np.testing.assert_allclose(model.colors[0], (np.array([200, 150, 120]) / 255) ** 2.2, rtol=1e-5)
    brighter = (np.array([210, 160, 130]) / 255) ** 2.2 - (np.array([200, 150, 120]) / 255) ** 2.2
    np.testing.assert_allclose(model.color_modes[0, 0], brighter, rtol=0.06)
    assert len(model.expression) == 0 and "eyeball_left" not in model.parts


def test_the_converted_head_faces_out_and_has_texture_coordinates_in_its_tiles(
    tmp_path, plain_head, landmarks_csv
):
    path = write_2009(tmp_path / "m.mat", plain_head)
    save_morphable(read_basel_2009(path, landmarks_csv), tmp_path / "head.npz")
    model = load_morphable(tmp_path / "head.npz")
    a, b, c = model.vertices[model.triangles].transpose(1, 0, 2)
    volume = np.einsum("nx,nx->n", a, np.cross(b, c)).sum() / 6
    assert volume > 0
    uv = model.uv[model.uv_triangles]
    face = model.vertex_flags(("face_narrow",))[model.triangles].all(1)
    assert face.sum() > 1000
    assert uv[face].min() >= 0 and uv[face].max() <= 1
    assert uv[~face, :, 0].min() >= 1 and uv[~face, :, 0].max() <= 2
    below_crown = ~face & (model.vertices[model.triangles, 1].max(1) < 7)
    assert below_crown.sum() > 1000  # of these none runs back around the head
    assert np.ptp(uv[below_crown, :, 0], axis=1).max() < 0.1
    nose, eye = model.landmarks68[30], model.landmarks68[36]
    assert model.parts["face_narrow"].start <= nose < model.parts["face_narrow"].stop
    assert model.vertices[eye, 0] < 0 < model.vertices[model.landmarks68[45], 0]


def test_2009_without_landmarks_says_what_to_do(tmp_path, plain_head):
    path = write_2009(tmp_path / "m.mat", plain_head)
    with pytest.raises(ValueError, match="holds no landmarks: name a table with --landmarks"):
        convert_head("bfm2009", path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shapeEV": np.ones((4, 1))}, "a basis has shape"),
        ({"texMU": np.full((30, 1), np.nan)}, "'texMU' is not all finite"),
        ({"shapeMU": np.ones((20736, 1))}, "left eye lies at smaller x"),
        ({"tl": np.full((9, 3), 10**6)}, "points outside"),
    ],
)
def test_2009_with_damaged_fields_is_refused(tmp_path, plain_head, landmarks_csv, changes, message):
    path = write_2009(tmp_path / "m.mat", plain_head, **changes)
    with pytest.raises(ValueError, match=message):
        read_basel_2009(path, landmarks_csv)


def test_2009_in_another_unit_is_refused(tmp_path, plain_head, landmarks_csv):
    mm = (plain_head.vertices * 10).reshape(-1, 1)
    path = write_2009(tmp_path / "m.mat", plain_head, shapeMU=mm)
    with pytest.raises(ValueError, match=r"eye corners are 0\.0088 cm apart.*unit"):
        read_basel_2009(path, landmarks_csv)


def test_a_mat_file_that_is_cut_short_or_v73_is_refused(tmp_path, plain_head, landmarks_csv):
    path = write_2009(tmp_path / "m.mat", plain_head)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ValueError, match="no whole MATLAB v5 file"):
        read_basel_2009(path, landmarks_csv)
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    with pytest.raises(ValueError, match="v7.3 file"):
        read_basel_2009(path, landmarks_csv)


NAMED = {
    "center.chin.tip": 8, "center.nose.tip": 30, "right.eye.corner_outer": 36,
    "right.eye.corner_inner": 39, "left.eye.corner_inner": 42, "left.eye.corner_outer": 45,
    "right.lips.corner": 48, "center.lips.upper.outer": 51, "left.lips.corner": 54,
    "center.lips.lower.outer": 57,
}  # fmt: skip


def write_h5(path, head, left_out=(), landmarks="list"):
    h5py = pytest.importorskip("h5py", reason="h5py reads the .h5 models")
    points = {name: (head.vertices[head.landmarks68[k]] * 10).tolist() for name, k in NAMED.items()}
    text = json.dumps(points)
    if landmarks == "list":
        text = json.dumps([{"id": k, "coordinates": p} for k, p in points.items()])
    tone = np.tile([0.8, 0.5, 0.4], len(head.vertices))
    basis = unit_modes(head.modes, 10)
    stored = {
        "shape/model/mean": (head.vertices * 10).ravel(),
        "shape/model/pcaBasis": basis,
        "shape/model/pcaVariance": DEVIATIONS**2,
        "shape/representer/cells": head.triangles.T,
        "color/model/mean": tone,
        "color/model/pcaBasis": basis * 1e-3,
        "color/model/pcaVariance": DEVIATIONS**2,
        "expression/model/mean": np.zeros(tone.shape),
        "expression/model/pcaBasis": basis * 0.1,
        "expression/model/pcaVariance": DEVIATIONS**2,
        "metadata/landmarks/json": text,
    }
    with h5py.File(path, "w") as file:
        for name, value in stored.items():
            if name not in left_out:
                file[name] = value
    return path


@pytest.mark.parametrize("landmarks", ["list", "dict"])
def test_2017_brings_its_own_landmarks_expressions_and_colors(tmp_path, plain_head, landmarks):
    path = write_h5(tmp_path / "model2017.h5", plain_head, landmarks=landmarks)
    assert detect_kind(path) == "bfm2017"
    model = read_basel_h5(path)
    order = same_points(model, plain_head)
    for number in NAMED.values():
        truth = plain_head.vertices[plain_head.landmarks68[number]]
        np.testing.assert_allclose(model.vertices[model.landmarks68[number]], truth, atol=1e-4)
    assert model.expression_names[:2] == ("mode000plus", "mode000minus")
    assert len(model.expression) == 2 * min(3, EXPRESSION_MODES)
    size = np.linalg.norm(model.expression[0], axis=1)
    np.testing.assert_allclose(
        size, 0.2 * np.linalg.norm(plain_head.modes[0][order], axis=1), atol=1e-4
    )
    np.testing.assert_array_equal(model.expression[1], -model.expression[0])
    np.testing.assert_allclose(model.colors[5], np.array([0.8, 0.5, 0.4]) ** 2.2, rtol=1e-5)


def test_face12_without_expressions_and_colors_is_read(tmp_path, plain_head):
    left_out = [f"{m}/model/{a}" for m in ("color", "expression") for a in ("mean", "pcaBasis")]
    model = read_basel_h5(write_h5(tmp_path / "m.h5", plain_head, left_out))
    assert model.colors is None and model.expression.shape == (0, len(model.vertices), 3)


def test_2017_without_landmarks_wants_a_table(tmp_path, plain_head, landmarks_csv):
    path = write_h5(tmp_path / "m.h5", plain_head, ("metadata/landmarks/json",))
    with pytest.raises(ValueError, match="landmarks .* are not known.*landmarks file"):
        read_basel_h5(path)
    model = read_basel_h5(path, landmarks_csv)
    truth = plain_head.vertices[plain_head.landmarks68]
    np.testing.assert_allclose(model.vertices[model.landmarks68], truth, atol=1e-4)


def test_an_h5_file_that_is_cut_short_or_lacks_an_array_is_refused(tmp_path, plain_head):
    path = write_h5(tmp_path / "m.h5", plain_head, ("shape/model/pcaVariance",))
    with pytest.raises(ValueError, match="'shape/model/pcaVariance' is missing"):
        read_basel_h5(path)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(ValueError, match="no whole HDF5 file"):
        read_basel_h5(path)
