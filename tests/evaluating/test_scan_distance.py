"""Alignment and distances of surfaces whose place and distance are known."""

import numpy as np
import pytest
import trimesh

from df2net_hub.geometry import rotation
from df2net_hub.similarity import Similarity

pytest.importorskip("scipy", reason="scipy is not installed")
from df2net_hub.evaluating.scan_distance import (  # noqa: E402
    OrientedPoints,
    Surface,
    align,
)

MOVED = Similarity(1.7, rotation(0.4, -0.2, 0.1), np.array([20.0, -5.0, 300.0]))
STILL = Similarity(1.0, np.eye(3), np.zeros(3))


def landscape(rows: int = 61, columns: int = 61) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [mm] and triangles of a hilly square of 120 mm, its left part first if cut."""
    y, x = np.mgrid[-60 : 60 : rows * 1j, -60:60:61j]
    x, y = x[:, :columns], y[:, :columns]
    z = 25 * np.exp(-((x - 10) ** 2 + y**2) / 300) - (x**2 + 2 * y**2) / 120 + 8 * np.sin(x / 9)
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return vertices, np.concatenate([np.stack([a, b, c], -1), np.stack([b, d, c], -1)]).reshape(
        -1, 3
    )


def oriented(vertices: np.ndarray, triangles: np.ndarray) -> OrientedPoints:
    mesh = trimesh.Trimesh(vertices, triangles, process=False)
    return OrientedPoints(vertices, np.asarray(mesh.vertex_normals))


def guess(by_mm: float, by_rad: float) -> Similarity:
    """Near where MOVED puts things."""
    return Similarity(1.6, MOVED.rotation @ rotation(by_rad, -by_rad, 0), MOVED.shift + by_mm)


def test_the_nearest_point_lies_on_a_triangle_or_its_edge() -> None:
    triangle = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])
    surface = Surface(triangle, np.array([[0, 1, 2]]), is_part=False)
    feet, normals, counts = surface.nearest(np.array([[1.0, 1, 5], [-3, 1, 0], [4, 4, 0]]))
    np.testing.assert_allclose(feet, [[1, 1, 0], [0, 1, 0], [2, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 3, atol=1e-12)
    assert counts.all()


def test_off_the_brink_of_a_part_there_is_nothing_to_compare_with() -> None:
    vertices, triangles = landscape()
    beyond = np.array([[0.0, 0, 0], [90.0, 0, 0]])
    assert Surface(vertices, triangles, is_part=True).nearest(beyond)[2].tolist() == [True, False]
    assert Surface(vertices, triangles, is_part=False).nearest(beyond)[2].all()


def test_vertices_without_triangle_are_no_surface() -> None:
    vertices, triangles = landscape()
    stray = np.concatenate([vertices, [[0.0, 0.0, 100.0]]])
    feet, _, _ = Surface(stray, triangles, is_part=False).nearest(np.array([[0.0, 0.0, 99.0]]))
    assert feet[0, 2] < 40


def test_a_perfect_surface_is_brought_home_from_a_rough_guess() -> None:
    vertices, triangles = landscape()
    surface = Surface(vertices, triangles, is_part=False)
    found = align(
        oriented(MOVED(vertices), triangles), surface, [guess(-400.0, 1.5), guess(6.0, 0.1)]
    )
    assert found is not None
    place, distances = found
    assert distances.max() < 0.05
    assert place.scale == pytest.approx(1.7, rel=1e-3)
    np.testing.assert_allclose(place.rotation, MOVED.rotation, atol=1e-3)


def test_a_rough_surface_is_as_far_as_it_is_rough() -> None:
    vertices, triangles = landscape(121, 61)
    rough = vertices.copy()
    rough[:, 2] += np.where(np.arange(len(rough)) % 2, 1.0, -1.0)
    found = align(oriented(rough, triangles), Surface(vertices, triangles, is_part=False), [STILL])
    assert found is not None
    # One millimeter straight up is as much nearer to a slope as the slope is steep.
    down, across = np.gradient(vertices[:, 2].reshape(121, 61), 1.0, 2.0)
    expected = (1 / np.sqrt(1 + down**2 + across**2)).mean()
    assert found[1].mean() == pytest.approx(expected, rel=0.05)


def test_half_of_a_surface_is_compared_with_half_of_the_scan() -> None:
    whole = oriented(*landscape())
    half = Surface(*landscape(columns=31), is_part=True)
    found = align(whole, half, [STILL])
    assert found is not None
    distances = found[1].reshape(61, 61)
    assert np.nanmax(distances) < 0.05
    assert np.isnan(distances[:, 33:]).all() and np.isfinite(distances[2:-2, 2:28]).all()


def test_a_guess_that_leads_nowhere_gives_no_alignment() -> None:
    vertices, triangles = landscape()
    surface = Surface(vertices, triangles, is_part=True)
    far = Similarity(1.0, np.eye(3), np.array([500.0, 0, 0]))
    assert align(oriented(vertices, triangles), surface, [far]) is None
    assert align(oriented(vertices, triangles).some(10), surface, [STILL]) is None


def test_what_turns_away_from_the_camera_is_not_compared() -> None:
    vertices, triangles = landscape()
    half_turned = rotation(np.radians(40), 0.0, 0.0)
    part = Surface(vertices @ half_turned.T, triangles, is_part=True)
    scan = oriented(vertices, triangles)
    found = align(scan, part, [Similarity(1.0, half_turned.T, np.zeros(3))])
    assert found is not None and np.nanmax(found[1]) < 0.05
    hidden = scan.normals @ half_turned[2] < 0
    assert hidden.any() and np.isnan(found[1][hidden]).all()
