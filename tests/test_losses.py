"""Losses on maps whose loss can be written down."""

import torch

from df2net_hub.losses import (
    depth_loss,
    erode,
    mask_loss,
    network_normals,
    normal_loss,
    shading_loss,
)
from df2net_hub.shading import shade

MASK = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
MASK[..., 4:12, 4:12] = True


def bumpy(size: int = 64) -> torch.Tensor:
    axis = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return (0.3 * (1 - x * x - y * y) + 0.01 * torch.sin(25 * x))[None, None]


def test_depth_loss_is_the_mean_absolute_difference_inside_the_mask():
    target = torch.zeros(1, 1, 16, 16)
    depth = torch.where(MASK, torch.tensor(0.25), torch.tensor(99.0))
    torch.testing.assert_close(depth_loss(depth, target, MASK), torch.tensor(0.25))


def test_an_empty_mask_costs_nothing():
    nothing = torch.zeros_like(MASK)
    assert depth_loss(torch.ones(1, 1, 16, 16), torch.zeros(1, 1, 16, 16), nothing) == 0


def test_normal_loss_of_opposite_tilts_is_their_distance():
    a = torch.tensor([0.6, 0.0, 0.8]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    b = torch.tensor([-0.6, 0.0, 0.8]).view(1, 3, 1, 1).expand(1, 3, 16, 16)
    torch.testing.assert_close(normal_loss(a, b, MASK), torch.tensor(1.2))


def test_normals_of_the_same_relief_do_not_depend_on_the_resolution():
    """A ramp of one network unit over the crop rises 127.5 px on 512 px, at any size of the map."""
    for size in (32, 128):
        ramp = (torch.arange(size) / size).expand(1, 1, size, size)
        normal = network_normals(ramp)[0, :, size // 2, size // 2]
        expected = torch.nn.functional.normalize(torch.tensor([-127.5 / 512, 0, 1.0]), dim=0)
        torch.testing.assert_close(normal, expected, atol=1e-5, rtol=0)


def test_erosion_removes_the_border_of_the_mask():
    assert erode(MASK).sum() == 6 * 6


def test_shading_loss_vanishes_on_the_surface_that_made_the_photo():
    normals = network_normals(bumpy())
    mask = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    light = torch.zeros(1, 3, 9)
    light[..., 0], light[..., 2] = 0.8, 0.2
    albedo = torch.full((1, 3, 64, 64), 0.6)
    photo = shade(albedo, normals, light)
    assert shading_loss(photo, albedo, normals, normals, mask) < 2e-3
    flat = network_normals(torch.zeros(1, 1, 64, 64))
    assert shading_loss(photo, albedo, flat, normals, mask) > 0.02


def test_descending_the_shading_loss_moves_a_smooth_surface_toward_the_bumpy_one():
    bumps = bumpy()
    target = network_normals(bumps)
    mask = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    light = torch.zeros(1, 3, 9)
    light[..., 0], light[..., 2] = 0.8, 0.3
    albedo = torch.full((1, 3, 64, 64), 0.6)
    photo = shade(albedo, target, light)
    kernel = torch.ones(1, 1, 9, 9) / 81
    smooth = torch.nn.functional.conv2d(
        torch.nn.functional.pad(bumps, (4, 4, 4, 4), mode="replicate"), kernel
    )
    depth = smooth.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([depth], 2e-4)
    for _ in range(60):
        optimizer.zero_grad()
        shading_loss(photo, albedo, network_normals(depth), target, mask).backward()
        optimizer.step()
    before = normal_loss(network_normals(smooth), target, mask)
    after = normal_loss(network_normals(depth.detach()), target, mask)
    assert after < 0.7 * before


def test_mask_loss_is_the_binary_cross_entropy():
    torch.testing.assert_close(mask_loss(torch.zeros(1, 1, 16, 16), MASK), torch.tensor(2.0).log())
