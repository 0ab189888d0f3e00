"""Outlines of masks whose true outline is known, and meshes cut along them."""

import numpy as np
import pytest

from df2net_hub.mesh import depth_to_mesh
from df2net_hub.outline import cut_triangles, inside_outline


def disk(radius: float, size: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Mask of a disk, and how far each pixel lies inside of the circle."""
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    inside = radius - np.hypot(rows, columns)
    return inside > 0, inside


def cheek(slope: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth and mask of a plane that falls to the right, and ends there at a slanted line."""
    rows, columns = np.indices((160, 160))
    mask = (columns >= 20) & (columns < 110 + rows / 8) & (rows >= 10) & (rows < 150)
    return np.where(mask, 2000 - slope * columns, 0).astype(np.float32), mask


def test_the_outline_of_a_disk_is_its_circle_and_not_its_pixels() -> None:
    mask, true = disk(70)
    found = inside_outline(mask)
    assert found.dtype == np.float32
    ring = np.abs(true) < 3
    assert np.abs(found - true)[ring].max() < 0.6
    by_pixel = np.where(mask, 0.5, -0.5)
    assert np.abs(found - true)[ring].std() < 0.25 * (by_pixel - true)[ring].std()


def test_the_pictures_edge_is_an_edge_of_the_face() -> None:
    found = inside_outline(np.ones((90, 90), dtype=bool))
    np.testing.assert_allclose(found[40:50, 0], 0.5, atol=0.05)
    np.testing.assert_allclose(found[40:50, 12], 12.5, atol=0.1)
    assert not (inside_outline(np.zeros((40, 40), dtype=bool)) > 0).any()


@pytest.mark.parametrize(
    ("inside", "area", "count"),
    [
        ([1, 1, 1], 0.5, 1),
        ([-1, -1, -1], 0.0, 0),
        ([1, -1, -1], 0.5 / 4, 1),
        ([-1, 3, 3], 0.5 * (1 - 1 / 16), 2),
        ([3, -1, 3], 0.5 * (1 - 1 / 16), 2),
        ([-3, -3, 1], 0.5 / 16, 1),
    ],
)
def test_the_part_of_a_triangle_that_is_inside_stays(inside, area, count) -> None:
    corners = np.array([[0, 0, 7], [1, 0, 7], [0, 1, 9]], dtype=float)
    points, triangles = cut_triangles(corners, np.array([[0, 1, 2]]), np.array(inside, dtype=float))
    assert len(triangles) == count
    a, b, c = points[triangles].transpose(1, 0, 2)
    signed = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (signed > 0).all()  # as the whole one turns
    assert signed.sum() == pytest.approx(area)
    np.testing.assert_allclose(points[:, 2], 7 + 2 * points[:, 1])  # on the same plane
    assert len(np.unique(triangles)) == len(points)


def test_neighbors_share_the_points_of_the_cut() -> None:
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=float)
    points, triangles = cut_triangles(
        corners, np.array([[0, 1, 2], [1, 3, 2]]), np.array([1.0, 1, -1, -1])
    )
    assert (len(points), len(triangles)) == (5, 3)
    assert points[:, 1].max() == 0.5


def test_a_steep_cheek_ends_in_a_line_and_not_in_a_saw() -> None:
    depth, mask = cheek(10)
    crop = np.full((*mask.shape, 3), 128, dtype=np.uint8)

    def teeth(mesh) -> float:
        """Mean distance of the right end, without its corners, from a straight line."""
        edges = np.sort(mesh.edges, axis=1)
        pairs, uses = np.unique(edges, axis=0, return_counts=True)
        rim = mesh.vertices[np.unique(pairs[uses == 1])]
        rim = rim[(rim[:, 0] > 20) & (np.abs(rim[:, 1]) < 40)]
        fit = np.polyfit(rim[:, 1], rim[:, 2], 1)
        return float(np.abs(rim[:, 2] - np.polyval(fit, rim[:, 1])).mean())

    by_pixel = depth_to_mesh(depth, mask, crop, 1.0)
    smooth = depth_to_mesh(depth, mask, crop, 1.0, inside=inside_outline(mask))
    assert teeth(by_pixel) > 2
    assert teeth(smooth) < 0.3
    assert 0.92 * by_pixel.area < smooth.area < by_pixel.area
    np.testing.assert_allclose(np.abs(smooth.face_normals[:, 0]), 10 / np.sqrt(101), atol=1e-6)


def test_texture_and_size_follow_the_cut() -> None:
    mask, _ = disk(70)
    crop = np.full((*mask.shape, 3), 128, dtype=np.uint8)
    depth = np.full(mask.shape, 50, dtype=np.float32)
    mesh = depth_to_mesh(depth, mask, crop, 2.0, inside=inside_outline(mask))
    np.testing.assert_allclose(mesh.visual.uv[:, 0], (mesh.vertices[:, 0] / 2 + 100) / 200)
    np.testing.assert_allclose(mesh.visual.uv[:, 1], (mesh.vertices[:, 1] / 2 + 100) / 200)
    edge = np.hypot(*mesh.vertices[:, :2].T).max() / 2
    assert edge == pytest.approx(70 - 2, abs=0.6)


@pytest.mark.parametrize("wanted", [20_000, 3_000, 400])
def test_coarse_meshes_end_smoothly_too_and_stay_below_the_wanted_number(wanted: int) -> None:
    mask, _ = disk(90)
    crop = np.full((*mask.shape, 3), 128, dtype=np.uint8)
    depth = np.full(mask.shape, 50, dtype=np.float32)
    mesh = depth_to_mesh(depth, mask, crop, 1.0, decimate_to=wanted, inside=inside_outline(mask))
    assert wanted / 8 < len(mesh.faces) <= wanted
    edges, uses = np.unique(np.sort(mesh.edges, axis=1), axis=0, return_counts=True)
    rim = np.hypot(*mesh.vertices[np.unique(edges[uses == 1]), :2].T)
    assert np.ptp(rim) < 1


def test_an_outline_of_another_size_is_refused() -> None:
    mask, _ = disk(20, 60)
    crop = np.full((60, 60, 3), 128, dtype=np.uint8)
    with pytest.raises(
        ValueError, match=r"`inside` must be \(60, 60\) like `mask`, got \(60, 61\)"
    ):
        depth_to_mesh(np.ones((60, 60), np.float32), mask, crop, 1.0, inside=np.ones((60, 61)))
