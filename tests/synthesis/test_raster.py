"""The z-buffer on triangles whose pixels can be counted by hand."""

import numpy as np

from df2net_hub.synthesis.raster import interpolate, rasterize, sample_texture, vertex_normals

SQUARE = np.array([[0, 0, 1], [7, 0, 1], [0, 7, 3], [7, 7, 3]], np.float32)
TWO = np.array([[0, 1, 2], [2, 1, 3]], np.int32)


def test_a_square_covers_every_pixel_with_its_plane():
    z, triangle_id, _ = rasterize(SQUARE, TWO, 8)
    assert (triangle_id >= 0).all()
    np.testing.assert_allclose(z, 1 + 2 * np.mgrid[0:8, 0:8][0] / 7, atol=1e-6)


def test_the_nearer_triangle_wins_whatever_the_order():
    near = SQUARE + [0, 0, 5]
    points = np.concatenate([SQUARE, near]).astype(np.float32)
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        triangles = np.concatenate([TWO, TWO + 4])[order]
        z, _, _ = rasterize(points, triangles, 8)
        assert z.min() >= 6


def test_zero_area_triangles_and_what_lies_outside_cover_nothing():
    line = np.array([[0, 0, 0], [4, 4, 0], [7, 7, 0]], np.float32)
    assert (rasterize(line, np.array([[0, 1, 2]], np.int32), 8)[1] == -1).all()
    assert (rasterize(SQUARE + [100, 0, 0], TWO, 8)[1] == -1).all()


def test_culling_leaves_out_triangles_that_face_away():
    seen = rasterize(SQUARE, TWO, 8, cull=True)[1]
    flipped = rasterize(SQUARE, TWO[:, ::-1], 8, cull=True)[1]
    assert ((seen >= 0).all(), (flipped >= 0).all()) in ((True, False), (False, True))


def test_a_cut_out_field_keeps_only_pixels_above_the_threshold():
    keep = np.array([0, 7, 0, 7], np.float32)
    _, triangle_id, _ = rasterize(SQUARE, TWO, 8, keep, np.full((8, 8), 3.5, np.float32))
    np.testing.assert_array_equal((triangle_id >= 0).all(0), np.arange(8) >= 4)


def test_interpolated_positions_are_the_pixels_own():
    _, triangle_id, weights = rasterize(SQUARE, TWO, 8)
    at = interpolate(SQUARE, TWO[triangle_id.ravel()], weights.reshape(-1, 3))
    rows, columns = np.mgrid[0:8, 0:8].reshape(2, -1)
    np.testing.assert_allclose(at[:, 0], columns, atol=1e-5)
    np.testing.assert_allclose(at[:, 1], rows, atol=1e-5)


def test_bilinear_lookup_between_texels_and_beyond_the_edge():
    texture = np.array([[[0.0], [1.0]], [[2.0], [3.0]]], np.float32)
    found = sample_texture(texture, np.array([0.5, -3.0, 9.0]), np.array([0.5, 0.0, 9.0]))
    np.testing.assert_allclose(found[:, 0], [1.5, 0, 3], atol=4e-3)


def test_normals_of_a_tilted_plane_are_its_own():
    normals = vertex_normals(
        np.array([[0, 0, 0], [1, 0, 1], [0, 1, 0]], np.float32), np.array([[0, 1, 2]])
    )
    np.testing.assert_allclose(normals, np.tile([-(0.5**0.5), 0, 0.5**0.5], (3, 1)), atol=1e-6)
