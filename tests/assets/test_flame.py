"""FLAME: plain arrays are converted, pickles are never opened."""

import pickle

import numpy as np
import pytest

from df2net_hub.assets.convert_head import convert_head, detect_kind
from df2net_hub.assets.flame import JAW_OPEN_RAD, jaw_open, read_flame

pytest.importorskip("scipy", reason="scipy warps heads")


@pytest.fixture(scope="module")
def flame(plain_head):
    """Arrays as FLAME has them: m, (V,3,K), and the jaw as the third joint."""
    num = len(plain_head.vertices)
    shapes = np.zeros((num, 3, 302))
    shapes[..., :3] = plain_head.modes.transpose(1, 2, 0) / 100
    shapes[..., 300:] = plain_head.modes[:2].transpose(1, 2, 0) / 1000
    jaw = (plain_head.vertices[:, 1] < -3) & (plain_head.vertices[:, 2] > 2)
    weights = np.zeros((num, 5))
    weights[:, 1], weights[jaw, 1], weights[jaw, 2] = 1, 0, 1
    regressor = np.zeros((5, num))
    regressor[:, 0] = 1
    return {
        "v_template": plain_head.vertices / 100,
        "f": plain_head.triangles.astype(np.uint32),
        "shapedirs": shapes,
        "weights": weights,
        "J_regressor": regressor,
    }


@pytest.fixture
def embedding(plain_head):
    """51 landmarks at corners of triangles, as FLAME's static embedding has them."""
    inner = plain_head.landmarks68[17:]
    index = [int(np.flatnonzero((plain_head.triangles == v).any(1))[0]) for v in inner]
    bary = (plain_head.triangles[index] == inner[:, None]).astype(float)
    return {"lmk_face_idx": np.array(index), "lmk_b_coords": bary / bary.sum(1, keepdims=True)}


def test_the_plain_file_comes_out_in_cm(tmp_path, flame, embedding, plain_head):
    np.savez(tmp_path / "flame.npz", **flame)
    np.savez(tmp_path / "embedding.npz", **embedding)
    assert detect_kind(tmp_path / "flame.npz") == "flame"
    model = convert_head("flame", tmp_path / "flame.npz", embedding=tmp_path / "embedding.npz")
    np.testing.assert_allclose(model.vertices.min(0), plain_head.vertices.min(0), atol=1e-4)
    truth = plain_head.vertices[plain_head.landmarks68]
    found = model.vertices[model.landmarks68]
    np.testing.assert_allclose(found[17:], truth[17:], atol=1e-4)
    chin = found[8]
    assert abs(chin[0]) < 0.5 and -10 < chin[1] < -5  # placed below the lips
    assert len(model.identity) == 300
    assert model.expression_names == ("mode000plus", "mode000minus", "mode001plus",
                                      "mode001minus", "jawOpen")  # fmt: skip


def test_the_jaw_turns_about_its_joint():
    points = np.array([[0.0, 0, 0], [0, 0, 5.0], [0, 0, 5.0]])
    weights = np.zeros((3, 5))
    weights[1, 2], weights[2, 2] = 1, 0.5
    regressor = np.zeros((5, 3))
    regressor[2, 0] = 1
    offsets = jaw_open(points, weights, regressor)
    down = [0, -5 * np.sin(JAW_OPEN_RAD), 5 * np.cos(JAW_OPEN_RAD) - 5]
    np.testing.assert_allclose(offsets[1], down, atol=1e-12)
    np.testing.assert_allclose(offsets[2], np.array(down) / 2, atol=1e-12)
    np.testing.assert_array_equal(offsets[0], 0)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


@pytest.mark.parametrize("name", ["generic_model.pkl", "flame2023.bin", "landmark_embedding.npy"])
def test_a_pickle_is_refused_and_not_run(tmp_path, name):
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, np.array({"a": Bomb()}, object), allow_pickle=True)
    else:
        path.write_bytes(pickle.dumps(Bomb()))
    for read in (detect_kind, read_flame):
        with pytest.raises(ValueError, match="is a pickle or may hold one.*script in docs/assets"):
            read(path)


def test_an_npz_of_pickled_objects_is_refused_and_not_run(tmp_path):
    np.savez(tmp_path / "flame.npz", v_template=np.array([Bomb()], object))
    with pytest.raises(ValueError, match="cannot be read as an .npz of plain arrays"):
        read_flame(tmp_path / "flame.npz")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shapedirs", np.zeros((5, 3, 400)), "'shapedirs' is"),
        ("v_template", None, "'v_template' is missing"),
        ("f", np.array([[0, 1, 10**6]]), "'f' points outside"),
    ],
)
def test_damaged_arrays_are_named(tmp_path, flame, name, value, message):
    arrays = {**flame, name: value}
    np.savez(tmp_path / "flame.npz", **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ValueError, match=message):
        read_flame(tmp_path / "flame.npz")


def test_without_landmarks_it_says_what_to_name(tmp_path, flame, embedding):
    np.savez(tmp_path / "flame.npz", **flame)
    with pytest.raises(ValueError, match="no landmarks of its own"):
        read_flame(tmp_path / "flame.npz")
    np.savez(tmp_path / "bad.npz", lmk_face_idx=embedding["lmk_face_idx"][:9],
             lmk_b_coords=embedding["lmk_b_coords"][:9])  # fmt: skip
    with pytest.raises(ValueError, match="expected 51"):
        read_flame(tmp_path / "flame.npz", tmp_path / "bad.npz")
