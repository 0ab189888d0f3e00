"""Depth maps whose meshes can be counted and measured by hand."""

import numpy as np
import pytest

from df2net_hub.mesh import DEPTH_JUMP_PX, depth_to_mesh


def gray(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, dtype=np.uint8)


def full(height: int, width: int) -> np.ndarray:
    return np.ones((height, width), dtype=bool)


def flat(height: int, width: int) -> np.ndarray:
    return np.full((height, width), 100, dtype=np.float32)


def test_a_plane_of_nine_pixels_has_nine_vertices_around_the_origin_and_eight_triangles() -> None:
    mesh = depth_to_mesh(flat(3, 3), full(3, 3), gray(3, 3), 0.5)
    expected = [[x, y, 0] for y in (0.5, 0, -0.5) for x in (-0.5, 0, 0.5)]
    np.testing.assert_array_equal(mesh.vertices, expected)
    assert len(mesh.faces) == 8
    assert mesh.area == pytest.approx(1.0)
    np.testing.assert_array_equal(mesh.face_normals, [[0, 0, 1]] * 8)


def test_x_is_right_y_is_up_and_z_is_toward_the_camera() -> None:
    depth = flat(5, 5)
    depth[0, 4] += 5  # the upper right pixel comes nearer
    mesh = depth_to_mesh(depth, full(5, 5), gray(5, 5), 2.0)
    nearest = mesh.vertices[np.argmax(mesh.vertices[:, 2])]
    np.testing.assert_allclose(nearest, [4, 4, 2 * (5 - 5 / 25)], rtol=1e-6)
    assert mesh.vertices[:, 2].mean() == pytest.approx(0, abs=1e-5)


def test_normals_of_a_tilted_plane_are_exact() -> None:
    depth = np.arange(6, dtype=np.float32)[None, :].repeat(4, axis=0) * 2
    mesh = depth_to_mesh(depth, full(4, 6), gray(4, 6), 1.0)
    expected = np.array([-2, 0, 1]) / np.sqrt(5)
    np.testing.assert_allclose(mesh.face_normals, np.tile(expected, (30, 1)), atol=1e-7)
    np.testing.assert_allclose(mesh.vertex_normals, np.tile(expected, (24, 1)), atol=1e-7)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_three_pixels_of_a_block_make_one_triangle_toward_the_camera(corner) -> None:
    mask = full(2, 2)
    mask[corner] = False
    mesh = depth_to_mesh(flat(2, 2), mask, gray(2, 2), 1.0)
    assert (len(mesh.vertices), len(mesh.faces)) == (3, 1)
    np.testing.assert_array_equal(mesh.face_normals, [[0, 0, 1]])


def test_pixels_that_no_triangle_uses_leave_no_vertex() -> None:
    mask = np.zeros((6, 6), dtype=bool)
    mask[1:3, 1:3] = True
    mask[5, :] = True  # a line has no area
    mesh = depth_to_mesh(flat(6, 6), mask, gray(6, 6), 1.0)
    assert (len(mesh.vertices), len(mesh.faces)) == (4, 2)


def test_a_depth_jump_splits_the_mesh_and_a_steep_slope_does_not() -> None:
    depth = flat(4, 6)
    depth[:, 3:] += DEPTH_JUMP_PX + 1
    mesh = depth_to_mesh(depth, full(4, 6), gray(4, 6), 1.0)
    assert mesh.body_count == 2
    assert len(mesh.faces) == 2 * 2 * 3 * 2
    assert np.abs(mesh.face_normals[:, 2]).min() == pytest.approx(1)
    depth[:, 3:] -= 1
    mesh = depth_to_mesh(depth, full(4, 6), gray(4, 6), 1.0)
    assert mesh.body_count == 1
    assert len(mesh.faces) == 2 * 3 * 5


def test_one_pixel_before_the_others_is_cut_out() -> None:
    depth = flat(5, 5)
    depth[2, 2] += DEPTH_JUMP_PX + 1
    mesh = depth_to_mesh(depth, full(5, 5), gray(5, 5), 1.0)
    # Of the 16 blocks, 4 touch the pixel and keep the triangle at the opposite corner.
    assert (len(mesh.vertices), len(mesh.faces)) == (24, 12 * 2 + 4)
    np.testing.assert_allclose(np.ptp(mesh.vertices[:, 2]), 0, atol=1e-6)


def test_triangles_do_not_overlap_whatever_mask_and_depth_are() -> None:
    rng = np.random.default_rng(0)
    mask = rng.random((40, 40)) < 0.8
    heights = [0, DEPTH_JUMP_PX, 2 * DEPTH_JUMP_PX]
    depth = rng.choice(heights, size=(40, 40)).astype(np.float32)
    mesh = depth_to_mesh(depth, mask, gray(40, 40), 1.0)
    assert (mesh.face_normals[:, 2] > 0).all()
    shadow = mesh.vertices.copy()
    shadow[:, 2] = 0
    inside = shadow[mesh.faces].mean(axis=1)
    # A triangle over half a block has a center of its own; the two of a block are mirrored.
    assert len(np.unique(inside.round(3), axis=0)) == len(mesh.faces)
    blocks, triangles = np.unique(np.floor(inside[:, :2] + 0.5), axis=0, return_counts=True)
    assert triangles.max() == 2
    edges, uses = np.unique(np.sort(mesh.edges, axis=1), axis=0, return_counts=True)
    assert uses.max() == 2
    steps = np.abs(np.diff(mesh.vertices[edges], axis=1))[:, 0]
    straight = steps[:, :2].sum(axis=1) == 1
    assert steps[straight, 2].max() <= DEPTH_JUMP_PX


def test_the_texture_shows_each_vertex_its_own_pixel() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    mesh = depth_to_mesh(flat(8, 12), full(8, 12), crop, 1.0)
    np.testing.assert_allclose(mesh.visual.uv[0], [0.5 / 12, 1 - 0.5 / 8])
    np.testing.assert_array_equal(mesh.visual.to_color().vertex_colors[:, :3], crop.reshape(-1, 3))
    material = mesh.visual.material
    assert (material.metallicFactor, material.doubleSided) == (0.0, True)


@pytest.mark.parametrize("wanted", [70_000, 7_000, 300, 2])
def test_decimation_keeps_the_extent_and_stays_below_the_wanted_number(wanted: int) -> None:
    whole = depth_to_mesh(flat(256, 256), full(256, 256), gray(256, 256), 1.0)
    mesh = depth_to_mesh(flat(256, 256), full(256, 256), gray(256, 256), 1.0, decimate_to=wanted)
    assert wanted / 6 < len(mesh.faces) <= wanted
    stride = np.sqrt(2 * mesh.area / len(mesh.faces) / 1.0)
    assert np.abs(mesh.bounds - whole.bounds).max() <= 2 * stride
    assert mesh.face_normals[:, 2].min() == pytest.approx(1)


def test_decimation_keeps_depth_jumps_open() -> None:
    depth = flat(64, 64)
    depth[:, 32:] += DEPTH_JUMP_PX + 1
    mesh = depth_to_mesh(depth, full(64, 64), gray(64, 64), 1.0, decimate_to=1000)
    assert mesh.body_count == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"mask": np.zeros((4, 4), dtype=bool)}, "the mask is empty"),
        ({"mask": np.eye(4, dtype=bool)}, "no triangle fits"),
        ({"mask": np.ones((4, 4))}, r"`mask` must be a bool array .* got float64 \(4, 4\)"),
        ({"depth_px": np.zeros((4, 5))}, r"`depth_px` must be \(4, 4\) .* got \(4, 5\)"),
        ({"depth_px": np.full((4, 4), np.nan)}, "not finite"),
        ({"crop": gray(4, 5)}, r"`crop` must be uint8 \(4, 4, 3\), got uint8 \(4, 5, 3\)"),
        ({"mm_per_px": float("nan")}, "`mm_per_px` must be a positive length, got nan"),
        ({"decimate_to": 0}, "1 or more, got 0"),
        ({"decimate_to": 1}, "at most 1 triangles has none"),
    ],
)
def test_what_cannot_become_a_mesh_is_said(changed: dict, words: str) -> None:
    arguments = {"depth_px": flat(4, 4), "mask": full(4, 4), "crop": gray(4, 4), "mm_per_px": 1.0}
    with pytest.raises(ValueError, match=words):
        depth_to_mesh(**arguments | changed)
