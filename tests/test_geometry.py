"""The geometry against surfaces whose normals, areas and sizes are known."""

import math

import numpy as np
import pytest
import torch

from df2net_hub.geometry import (
    EYE_DISTANCE_MM,
    EYE_DISTANCE_PER_ROOT_AREA,
    depth_to_normals,
    mm_per_px_from_face,
    network_depth_to_px,
    rotation,
    surface_area_px2,
)


def grid(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Right and up [px] of every pixel, the origin at the center."""
    axis = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    return axis[None, :].expand(size, size), -axis[:, None].expand(size, size)


def test_normals_of_a_plane_toward_the_camera_point_to_it() -> None:
    normals = depth_to_normals(torch.full((2, 1, 5, 7), 42.0))
    assert normals.shape == (2, 3, 5, 7)
    assert torch.equal(normals, torch.tensor([0.0, 0, 1])[:, None, None].expand(2, 3, 5, 7))


def test_normals_of_a_tilted_plane_are_exact_inside() -> None:
    x, y = grid(9)
    normals = depth_to_normals((0.5 * x - 2 * y)[None, None])[0, :, 1:-1, 1:-1]
    expected = torch.tensor([-0.5, 2, 1], dtype=torch.float64) / math.sqrt(0.25 + 4 + 1)
    torch.testing.assert_close(normals, expected[:, None, None].expand_as(normals))


def test_normals_of_a_sphere_point_outwards_within_one_degree() -> None:
    x, y = grid(201)
    radius = 100.0
    square = x**2 + y**2
    inside = square < (0.9 * radius) ** 2
    z = (radius**2 - square).clamp(min=0).sqrt()
    normals = depth_to_normals(z[None, None])[0]
    cosine = (normals * torch.stack([x, y, z]) / radius).sum(0)
    assert torch.rad2deg(cosine[inside].clamp(max=1).acos()).max() < 1


@pytest.mark.parametrize(("network", "px"), [(-1.0, 0.0), (0.0, 127.5), (1.0, 255.0)])
def test_a_unit_of_network_depth_is_half_the_authors_range(network: float, px: float) -> None:
    assert network_depth_to_px(np.float32(network)) == px


def test_the_area_of_a_tilted_plane_is_its_shadow_over_the_cosine() -> None:
    x, _ = grid(40)
    mask = np.ones((40, 40), dtype=bool)
    tilted = surface_area_px2((0.75 * x).numpy(), mask)
    rim = 40 * 40 - 38 * 38  # counts as flat: its neighbors may lie off the face
    assert tilted == pytest.approx(38 * 38 * 1.25 + rim)
    assert surface_area_px2(np.zeros((40, 40)), mask) == pytest.approx(1600)


def test_the_cliff_at_the_masks_edge_adds_no_area() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:15] = True
    assert surface_area_px2(np.where(mask, 100.0, 0.0), mask) == pytest.approx(100)


def test_a_face_twice_as_large_in_pixels_has_pixels_half_as_long() -> None:
    lengths = []
    for size in (100, 200):
        x, y = (axis.numpy() / size for axis in grid(size))
        mask = (x / 0.35) ** 2 + (y / 0.45) ** 2 < 1
        depth = np.where(mask, size * (0.4 - x**2 - y**2), 0)
        lengths.append(mm_per_px_from_face(depth, mask))
    assert lengths[0] / lengths[1] == pytest.approx(2, rel=0.02)


def test_the_scale_of_a_flat_face_follows_from_its_area() -> None:
    mask = np.ones((30, 30), dtype=bool)
    expected = EYE_DISTANCE_MM / (EYE_DISTANCE_PER_ROOT_AREA * 30)
    assert mm_per_px_from_face(np.zeros((30, 30)), mask) == pytest.approx(expected)


def test_an_empty_mask_has_no_scale() -> None:
    nothing = np.zeros((8, 8), dtype=bool)
    assert math.isnan(mm_per_px_from_face(np.zeros((8, 8)), nothing))


def test_turning_the_head_by_yaw_moves_the_nose_to_the_right_of_the_picture() -> None:
    nose = rotation(np.radians(30), 0, 0) @ np.array([0, 0, 1.0])
    np.testing.assert_allclose(nose, [0.5, 0, 3**0.5 / 2], atol=1e-12)
    raised = rotation(0, np.radians(30), 0) @ np.array([0, 0, 1.0])
    np.testing.assert_allclose(raised, [0, 0.5, 3**0.5 / 2], atol=1e-12)
