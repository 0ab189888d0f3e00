"""Morphable heads: what a file must hold, and what the procedural head is."""

import dataclasses
import logging

import numpy as np
import pytest

from df2net_hub.synthesis.morphable import load_morphable, save_morphable
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


def with_area(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = vertices.astype(np.float64)[triangles].transpose(1, 0, 2)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 > 1e-9


def test_a_saved_head_loads_as_it_was_less_the_triangles_without_area(tmp_path, caplog):
    head = procedural_head()
    with caplog.at_level(logging.WARNING):
        save_morphable(head, tmp_path / "head.npz")
    loaded = load_morphable(tmp_path / "head.npz")
    np.testing.assert_array_equal(loaded.vertices, head.vertices)
    whole = with_area(head.vertices, head.triangles)
    assert 0 < (~whole).sum() < 100  # the poles of skull and eyeballs
    np.testing.assert_array_equal(loaded.triangles, head.triangles[whole])
    np.testing.assert_array_equal(loaded.uv_triangles, head.uv_triangles[whole])
    assert f"{(~whole).sum()} of {len(whole)} triangles have no area" in caplog.text
    for name in ("identity", "expression"):
        bound = np.abs(getattr(head, name)) / 2048 + 1e-7  # float16
        assert (np.abs(getattr(loaded, name) - getattr(head, name)) <= bound).all()
    assert loaded.parts == head.parts and loaded.expression_names == head.expression_names
    assert loaded.colors is None and loaded.color_modes is None


def test_colors_are_kept_and_eyeballs_and_expressions_may_be_absent(tmp_path):
    head = procedural_head()
    rng = np.random.default_rng(0)
    plain = dataclasses.replace(
        head,
        parts={name: part for name, part in head.parts.items() if "eyeball" not in name},
        expression=head.expression[:0],
        expression_names=(),
        colors=rng.random(head.vertices.shape).astype(np.float32),
        color_modes=rng.normal(0, 0.1, (2, *head.vertices.shape)).astype(np.float32),
    )
    save_morphable(plain, tmp_path / "head.npz")
    loaded = load_morphable(tmp_path / "head.npz")
    np.testing.assert_array_equal(loaded.colors, plain.colors)
    np.testing.assert_allclose(loaded.color_modes, plain.color_modes, atol=3e-4)
    assert set(loaded.parts) == {"face_narrow", "head_and_neck"}
    still = loaded.shape(np.zeros(8), np.zeros(0))
    np.testing.assert_array_equal(still, head.vertices)


def test_what_cannot_be_read_back_does_not_replace_what_can(tmp_path):
    head = procedural_head()
    save_morphable(head, tmp_path / "head.npz")
    before = (tmp_path / "head.npz").read_bytes()
    broken = dataclasses.replace(head, vertices=np.full_like(head.vertices, np.nan))
    with pytest.raises(ValueError, match="'vertices' holds NaN"):
        save_morphable(broken, tmp_path / "head.npz")
    assert (tmp_path / "head.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["head.npz"]


def test_shells_around_the_eye_are_left_out(tmp_path):
    arrays = stored_arrays()
    arrays["part_names"] = np.array(["face_narrow", "eyelashes", "eyeball_left", "eyeball_right"])
    np.savez(tmp_path / "head.npz", **arrays)
    loaded = load_morphable(tmp_path / "head.npz")
    assert "eyelashes" not in loaded.parts
    assert len(loaded.triangles) < len(arrays["triangles"])


def flattened(triangles: np.ndarray) -> np.ndarray:
    """A tenth of the triangles without area."""
    changed = triangles.copy()
    changed[::10, 1] = changed[::10, 0]
    return changed


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("uv", None, "'uv' is missing"),
        ("identity", lambda a: a[:, :-1], "'identity' has shape .*expected .any, 7296, 3"),
        ("identity", lambda a: a.astype(int), "'identity' is int64, expected floating"),
        ("vertices", lambda a: np.where(a > 5, np.nan, a), "'vertices' holds NaN"),
        ("expression", lambda a: a + np.inf, "'expression' holds NaN or infinity"),
        ("vertices", lambda a: a[0], "'vertices' has shape"),
        ("triangles", lambda a: a + 10**6, "'triangles' points outside"),
        ("triangles", flattened, "'triangles': .* have no area, at most 5%"),
        ("uv_triangles", lambda a: a - 10**6, "'uv_triangles' points outside"),
        ("landmarks68", lambda a: a + 7200, "'landmarks68' points outside"),
        ("landmarks68", lambda a: a[:67], r"'landmarks68' has shape \(67,\), expected \(68\)"),
        ("expression_names", lambda a: a[:2], "'expression_names' has shape"),
        ("part_names", lambda a: np.array(["skull", *a[1:]]), "'face_narrow' is missing"),
        ("part_names", lambda a: np.array([a[0], a[0], *a[2:]]), "'face_narrow' stands twice"),
        ("part_ranges", lambda a: a + 10, "'part_ranges' gives part 'eyeball_right'"),
        ("part_ranges", lambda a: a - [[0, 0], [5, 0], [0, 0], [0, 0]], "overlap at vertex"),
        ("part_ranges", lambda a: a[:, ::-1], "'part_ranges' gives part"),
    ],
)
def test_a_bad_file_is_an_error_that_names_the_array(tmp_path, name, change, message):
    arrays = stored_arrays()
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    np.savez(tmp_path / "head.npz", **arrays)
    with pytest.raises(ValueError, match=message) as raised:
        load_morphable(tmp_path / "head.npz")
    assert "head.npz" in str(raised.value)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ({"colors": np.full((7296, 3), 200.0)}, "'colors' spans 200 to 200"),
        ({"colors": np.full((7295, 3), 0.5)}, "'colors' has shape"),
        ({"color_modes": np.zeros((1, 7296, 3))}, "'color_modes' is there without 'colors'"),
    ],
)
def test_bad_colors_are_an_error(tmp_path, added, message):
    np.savez(tmp_path / "head.npz", **stored_arrays(), **added)
    with pytest.raises(ValueError, match=message):
        load_morphable(tmp_path / "head.npz")


def test_a_file_that_is_cut_short_is_an_error(tmp_path):
    save_morphable(procedural_head(), tmp_path / "head.npz")
    whole = (tmp_path / "head.npz").read_bytes()
    for length in (len(whole) // 2, len(whole) - 50, 10, 0):
        (tmp_path / "head.npz").write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cannot be read as an .npz.*cut short"):
            load_morphable(tmp_path / "head.npz")


def test_a_pickle_in_the_file_is_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    arrays = {**stored_arrays(), "uv": np.array([Bomb()], object)}
    np.savez(tmp_path / "head.npz", **arrays)
    with pytest.raises(ValueError, match="plain arrays"):
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


def test_a_shape_is_the_mean_plus_the_weighted_offsets():
    head = procedural_head()
    rng = np.random.default_rng(3)
    identity, expression = rng.standard_normal(8), np.array([0.3, 0.0, 0.9])
    expected = head.vertices.astype(np.float64)
    for weight, offset in zip(identity, head.identity, strict=True):
        expected = expected + weight * offset
    for weight, offset in zip(expression, head.expression, strict=True):
        expected = expected + weight * offset
    shape = head.shape(identity, expression)
    assert shape.dtype == np.float32
    np.testing.assert_allclose(shape, expected, atol=1e-5)
