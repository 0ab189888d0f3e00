"""The authors' shading: normals of a known surface, and a loss that vanishes where it should."""

import pytest
import torch
from torch import Tensor

from df2net_hub.losses import network_normals, shading_loss
from df2net_hub.released_shading import FOCAL_PX, released_normals, released_shading_loss
from df2net_hub.shading import shade

EVERYWHERE = torch.ones(1, 1, 64, 64, dtype=torch.bool)


def bumpy(size: int = 64) -> Tensor:
    axis = torch.linspace(-1, 1, size)
    return (0.2 * (1 - axis[:, None] ** 2 - axis**2) + 0.01 * torch.sin(25 * axis))[None, None]


def test_a_plane_across_the_view_faces_the_camera():
    normals = released_normals(torch.full((1, 1, 32, 32), 0.3))
    expected = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    torch.testing.assert_close(normals, expected, atol=1e-5, rtol=0)


def test_normals_are_those_of_a_plane_in_the_cameras_space():
    """The plane z = 0.5 + 0.4 x + 0.2 y along rays x = u z, y = v z (y down, larger z = nearer)."""
    size = 128
    offset = (torch.arange(size) - size / 2) / (FOCAL_PX * size / 512)
    z = 0.5 / (1 - 0.4 * offset - 0.2 * offset[:, None])
    normals = released_normals((2 * z - 1)[None, None])
    expected = torch.nn.functional.normalize(torch.tensor([-0.4, 0.2, 1.0]), dim=0)
    expected = expected.view(1, 3, 1, 1).expand(1, 3, size, size)
    torch.testing.assert_close(normals, expected, atol=1e-3, rtol=0)


def test_in_the_middle_relief_is_steepened_by_focal_length_over_distance():
    """At 127.5 px: 608.365 / 127.5 times. Ours is the true slope."""
    ramp = (0.002 * (torch.arange(64.0) - 32)).expand(1, 1, 64, 64)
    ours, theirs = (
        -normals[0, 0, 32, 32] / normals[0, 2, 32, 32]
        for normals in (network_normals(ramp), released_normals(ramp))
    )
    torch.testing.assert_close(theirs / ours, torch.tensor(FOCAL_PX / 127.5), atol=1e-2, rtol=0)


def test_normals_do_not_depend_on_the_resolution():
    wide, narrow = (released_normals(bumpy(size)) for size in (256, 512))
    torch.testing.assert_close(wide[..., 96, 96], narrow[..., 192, 192], atol=2e-2, rtol=0)


def test_the_loss_vanishes_on_the_surface_that_made_the_photo():
    albedo = 0.3 + 0.5 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    light = torch.tensor([0.8, 0.1, 0.3, 0, 0, 0, 0, 0, 0]).expand(1, 3, 9)
    photo = shade(albedo, released_normals(bumpy()), light)
    assert released_shading_loss(photo, albedo, bumpy(), bumpy(), EVERYWHERE) < 1e-3
    flat = torch.zeros_like(bumpy())
    assert released_shading_loss(photo, albedo, flat, bumpy(), EVERYWHERE) > 0.02


def test_black_pixels_do_not_count_and_photos_are_not_made_linear():
    albedo = torch.full((1, 3, 64, 64), 0.6)
    photo = 0.2 + 0.5 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    photo[..., :20, :] = 0
    seen = EVERYWHERE.clone()
    seen[..., :20, :] = False
    normals, target = released_normals(0.5 * bumpy()), released_normals(bumpy())
    expected = shading_loss(photo, albedo, normals, target, seen, ridge=0.0)
    loss = released_shading_loss(photo, albedo, 0.5 * bumpy(), bumpy(), EVERYWHERE)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("pixels", [0, 1])
def test_tiny_masks_and_depth_behind_the_camera_have_finite_gradients(pixels):
    mask = torch.zeros_like(EVERYWHERE)
    mask[..., 30, 30 : 30 + pixels] = True
    for depth in (torch.zeros_like(bumpy()), torch.full_like(bumpy(), -3.0), 3 * bumpy() - 1.2):
        depth = depth.requires_grad_(True)
        photo, albedo = torch.full((1, 3, 64, 64), 0.4), torch.full((1, 3, 64, 64), 0.5)
        loss = released_shading_loss(photo, albedo, depth, torch.zeros_like(bumpy()), mask)
        (gradient,) = torch.autograd.grad(loss, depth)
        assert torch.isfinite(loss) and torch.isfinite(gradient).all()
