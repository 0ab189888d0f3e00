"""Nearest points on a mesh, by hand and against a sphere."""

import numpy as np
import pytest

from df2net_hub.assets.surface import Surface, closest_weights

pytest.importorskip("scipy", reason="scipy looks up neighbors")


@pytest.mark.parametrize(
    ("point", "weights"),
    [
        ([0.25, 0.25, 3.0], [0.5, 0.25, 0.25]),  # above the inside
        ([-1, -1, 0], [1, 0, 0]),  # beyond a corner
        ([0.5, -2, 1], [0.5, 0.5, 0]),  # beyond an edge
        ([1, 1, 0], [0, 0.5, 0.5]),  # beyond the long edge
    ],
)
def test_the_closest_point_of_a_triangle(point, weights):
    triangle = np.array([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]])
    np.testing.assert_allclose(closest_weights(triangle, np.array([point]))[0], weights, atol=1e-12)


def test_of_two_sheets_the_one_that_faces_the_same_way_is_taken():
    square = np.array([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0]])
    vertices = np.concatenate([square, square + [0, 0, 0.3]])
    up, down = [[0, 1, 2], [0, 2, 3]], [[4, 6, 5], [4, 7, 6]]
    surface = Surface(vertices, np.array(up + down))
    points = np.array([[1.0, 0.6, 0.29]])
    triangle, weights, distance = surface.nearest(points, np.array([[0.0, 0, 1]]))
    assert triangle[0] in (0, 1) and distance[0] == pytest.approx(0.29)
    np.testing.assert_allclose(weights[0] @ vertices[surface_corners(triangle[0], up)], [1, 0.6, 0])
    triangle, _, distance = surface.nearest(points, np.array([[0.0, 0, -1]]))
    assert triangle[0] in (2, 3) and distance[0] == pytest.approx(0.01)
    assert surface.nearest(points, np.array([[1.0, 0, 0]]))[2][0] == np.inf


def test_a_point_on_the_surface_is_found_whatever_its_normal_is_rounded_to():
    surface = Surface(np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))
    longer = np.array([[0.0, 0, 1 + 1e-9]])
    assert surface.nearest(np.array([[0.25, 0.25, 0]]), longer)[2][0] == 0


def surface_corners(index, triangles):
    return triangles[index]
