"""Morphable heads: what a file must hold, and what the procedural head is."""

import numpy as np
import pytest

from df2net_hub.synthesis.morphable import load_morphable
from df2net_hub.synthesis.procedural import procedural_head


def stored_arrays() -> dict[str, np.ndarray]:
    head = procedural_head()
    ranges = [(part.start, part.stop) for part in head.parts.values()]
    return {
        "vertices": head.vertices,
        "triangles": head.triangles,
        "uv": head.uv,
        "uv_triangles": head.uv_triangles,
        "identity": head.identity,
        "expression": head.expression,
        "expression_names": np.array(head.expression_names),
        "landmarks68": head.landmarks68,
        "part_names": np.array(list(head.parts)),
        "part_ranges": np.array(ranges, np.int32),
    }


def test_a_saved_head_loads_as_it_was(tmp_path):
    np.savez(tmp_path / "head.npz", **stored_arrays())
    loaded, head = load_morphable(tmp_path / "head.npz"), procedural_head()
    np.testing.assert_array_equal(loaded.vertices, head.vertices)
    np.testing.assert_array_equal(loaded.triangles, head.triangles)
    assert loaded.parts == head.parts


def test_shells_around_the_eye_are_left_out(tmp_path):
    arrays = stored_arrays()
    arrays["part_names"] = np.array(["face_narrow", "eyelashes", "eyeball_left", "eyeball_right"])
    np.savez(tmp_path / "head.npz", **arrays)
    loaded = load_morphable(tmp_path / "head.npz")
    assert "eyelashes" not in loaded.parts
    assert len(loaded.triangles) < len(arrays["triangles"])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("uv", None, "'uv' is missing"),
        ("identity", lambda a: a[:, :-1], "'identity' has shape"),
        ("vertices", lambda a: np.where(a > 5, np.nan, a), "holds NaN"),
        ("triangles", lambda a: a + 10**6, "points outside"),
        ("part_names", lambda a: np.array(["skull", *a[1:]]), "'face_narrow' is missing"),
    ],
)
def test_a_bad_file_is_an_error_that_names_the_array(tmp_path, name, change, message):
    arrays = stored_arrays()
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    np.savez(tmp_path / "head.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load_morphable(tmp_path / "head.npz")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no morphable model"):
        load_morphable(tmp_path / "none.npz")


def test_weights_of_zero_give_the_mean_head_and_jaw_open_lowers_the_chin():
    head = procedural_head()
    neutral = head.shape(np.zeros(8), np.zeros(3))
    np.testing.assert_array_equal(neutral, head.vertices)
    opened = head.shape(np.zeros(8), np.array([1.0, 0, 0]))
    chin = head.landmarks68[8]
    assert opened[chin, 1] < neutral[chin, 1] - 1
