"""Losses on maps whose loss can be written down."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from df2net_hub.losses import (
    cosine_loss,
    depth_loss,
    edge_aware_loss,
    erode,
    gradient_loss,
    mask_loss,
    masked_mean,
    network_normals,
    normal_loss,
    scale_shift_invariant_loss,
    shading_loss,
)
from df2net_hub.shading import shade

MASK = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
MASK[..., 4:12, 4:12] = True


def smooth(size: int = 64) -> Tensor:
    """A face without detail, (1,1,S,S)."""
    axis = torch.linspace(-1, 1, size)
    return (0.3 * (1 - axis[:, None] ** 2 - axis**2))[None, None]


def bumpy(size: int = 64) -> Tensor:
    """The same with waves of 1.3 px, 16 px long on the 512 crop: as steep as 27 degrees."""
    return smooth(size) + 0.01 * torch.sin(25 * torch.linspace(-1, 1, size))


def of_normals(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda depth, target, mask: loss(network_normals(depth), network_normals(target), mask)


def of_shading(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """L_sh under one light, albedo and photo per pixel made of the target."""
    albedo = (0.5 + 0.3 * target.sin()).expand(-1, 3, -1, -1)
    light = torch.zeros(1, 3, 9)
    light[..., 0], light[..., 2] = 0.8, 0.3
    normals = network_normals(target)
    photo = shade(albedo, normals, light.expand(len(target), -1, -1))
    return shading_loss(photo, albedo, network_normals(depth), normals, mask)


def of_smoothness(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return edge_aware_loss(depth, target.sigmoid().expand(-1, 3, -1, -1), mask)


LOSSES = {
    "depth": depth_loss,
    "normal": of_normals(normal_loss),
    "cosine": of_normals(cosine_loss),
    "shading": of_shading,
    "gradient": gradient_loss,
    "scale_shift_invariant": scale_shift_invariant_loss,
    "edge_aware": of_smoothness,
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Prediction, target and masks of 640, 4 and no pixels of 32 x 32."""
    generator = torch.Generator().manual_seed(0)
    depth, target = (0.1 * torch.randn(3, 1, 32, 32, generator=generator) for _ in "ab")
    mask = torch.zeros(3, 1, 32, 32, dtype=torch.bool)
    mask[0, :, :20], mask[1, :, 7:9, 7:9] = True, True
    return depth, target, mask


def test_every_photo_counts_alike_however_small_its_face():
    values = torch.tensor([1.0, 5.0, 7.0]).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    mask = torch.zeros(3, 1, 4, 4, dtype=torch.bool)
    mask[0], mask[1, 0, 0, 0] = True, True  # 16 pixels, 1, none
    torch.testing.assert_close(masked_mean(values, mask), torch.tensor((1.0 + 5 + 0) / 3))


@each_loss
def test_the_gradient_of_a_batch_is_the_mean_of_its_photos_gradients(loss, batch):
    depth, target, mask = batch
    depth.requires_grad_(True)
    (whole,) = torch.autograd.grad(loss(depth, target, mask), depth)
    parts = [loss(*(maps[n : n + 1] for maps in (depth, target, mask))) for n in range(3)]
    (mean,) = torch.autograd.grad(sum(parts) / 3, depth)
    torch.testing.assert_close(whole, mean, atol=1e-8, rtol=1e-4)


@each_loss
def test_empty_and_tiny_masks_and_flat_maps_have_finite_losses_and_gradients(loss, batch):
    _, target, mask = batch
    one = torch.zeros_like(mask)
    one[..., 5, 5] = True
    for inside in (mask, one, mask & False):
        depth = torch.zeros_like(target, requires_grad=True)
        value = loss(depth, target, inside)
        (gradient,) = torch.autograd.grad(value, depth)
        assert torch.isfinite(value) and torch.isfinite(gradient).all()
    assert value == 0 and not gradient.any()  # of the empty masks


@each_loss
def test_what_is_off_the_mask_does_not_count(loss, batch):
    depth, target, _ = batch
    mask = torch.zeros(3, 1, 32, 32, dtype=torch.bool)
    mask[..., 8:20, 8:24] = True
    inside = erode(mask)  # the normals' neighbors, which do count, are in the larger mask
    changed = torch.where(mask, depth, torch.tensor(9.0))
    torch.testing.assert_close(loss(changed, target, inside), loss(depth, target, inside))


@each_loss
@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_inside_autocast_is_computed_in_float32(loss, kind, batch):
    depth, target, mask = batch
    depth, target = depth.to(kind), target.to(kind).float()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(depth, target, mask)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(depth.float(), target, mask))


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


def test_cosine_loss_is_half_the_square_of_a_small_angle():
    def tilted(angle: float) -> Tensor:
        normal = torch.tensor([math.sin(angle), 0.0, math.cos(angle)])
        return normal.view(1, 3, 1, 1).expand(1, 3, 16, 16)

    for angle in (0.02, 0.1):
        cost = cosine_loss(tilted(0.3 + angle), tilted(0.3), MASK)
        torch.testing.assert_close(cost, torch.tensor(angle**2 / 2), rtol=2e-3, atol=1e-6)
    straight = cosine_loss(tilted(0.0), tilted(math.pi / 2), MASK)
    torch.testing.assert_close(straight, torch.tensor(1.0))


def test_of_a_wrinkle_that_is_there_in_one_photo_of_three_cosine_shows_a_third_and_normals_none():
    angles = torch.linspace(0, 0.4, 401)
    normals = torch.stack([angles.sin(), 0 * angles, angles.cos()], 1)[..., None, None]
    there, smooth_skin = normals[300], normals[0]  # 0.3 rad
    mask = torch.ones(1, 1, 1, 1, dtype=torch.bool)

    def best(loss: Callable[..., Tensor]) -> float:
        cost = [
            loss(one[None], there[None], mask) + 2 * loss(one[None], smooth_skin[None], mask)
            for one in normals
        ]
        return float(angles[torch.stack(cost).argmin()])

    assert abs(best(cosine_loss) - 0.1) < 0.003
    assert best(normal_loss) == 0


def test_normals_of_the_same_relief_do_not_depend_on_the_resolution():
    """A ramp of one network unit over the crop rises 127.5 px on 512 px, at any size of the map."""
    for size in (32, 128):
        ramp = (torch.arange(size) / size).expand(1, 1, size, size)
        normal = network_normals(ramp)[0, :, size // 2, size // 2]
        expected = torch.nn.functional.normalize(torch.tensor([-127.5 / 512, 0, 1.0]), dim=0)
        torch.testing.assert_close(normal, expected, atol=1e-5, rtol=0)


def test_erosion_removes_the_border_of_the_mask():
    expected = torch.zeros_like(MASK)
    expected[..., 5:11, 5:11] = True
    assert torch.equal(erode(MASK), expected)
    assert erode(torch.ones_like(MASK)).all()  # what lies beyond the crop is unknown, not off


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


def test_shading_loss_is_the_length_of_the_color_difference():
    """Constant normals and albedo: the light is fitted exactly, and a wrong normal costs its H."""
    facing = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16).double()
    photo = torch.full((1, 3, 16, 16), 0.5).double()
    opposite = -facing
    # Minimal light for I = 0.5 is 0.5 H / |H|^2; on -z the term in z, (2 pi/3)^2 3/(4 pi), flips.
    first, second, third = math.pi / 4, math.pi / 3, 5 * math.pi / 64
    flipped = 0.5 * (first - second + third) / (first + second + third)
    loss = shading_loss(photo, torch.ones_like(photo), opposite, facing, MASK, ridge=1e-5)
    assert loss.item() == pytest.approx(math.sqrt(3) * (0.5 - flipped), abs=1e-4)


def test_descending_the_shading_loss_brings_out_the_bumps_that_made_the_photo():
    """The light is fitted on the smooth surface, as in Sec. 3.5, so nothing tells of the bumps."""
    generator = torch.Generator().manual_seed(0)
    truth, start = network_normals(bumpy()), network_normals(smooth())
    mask = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    light = torch.tensor([0.8, 0.1, 0.3, 0.1, 0, 0.05, 0, 0, 0.05]).expand(1, 3, 9)
    albedo = 0.3 + 0.5 * torch.rand(1, 3, 64, 64, generator=generator)
    photo = shade(albedo, truth, light)
    depth = smooth().requires_grad_(True)
    optimizer = torch.optim.Adam([depth], 6e-4)
    for _ in range(40):
        optimizer.zero_grad()
        shading_loss(photo, albedo, network_normals(depth), start, mask).backward()
        optimizer.step()
    before, after = (
        normal_loss(normals, truth, mask) for normals in (start, network_normals(depth))
    )
    assert after < 0.25 * before


def test_the_gradient_of_the_shading_loss_is_that_of_finite_differences():
    """The light is held constant, so it comes from normals that do not change."""
    generator = torch.Generator().manual_seed(0)
    depth = (smooth(6) + 0.05 * torch.rand(1, 1, 6, 6, generator=generator)).double()
    albedo, photo = (torch.rand(1, 3, 6, 6, generator=generator).double() for _ in "ab")
    target, mask = network_normals(smooth(6).double()), torch.ones(1, 1, 6, 6, dtype=torch.bool)
    mask[..., :2] = False

    def loss(surface: Tensor) -> Tensor:
        return shading_loss(photo, albedo, network_normals(surface), target, mask)

    assert torch.autograd.gradcheck(loss, depth.requires_grad_(True))


def test_gradient_loss_of_a_ramp_is_the_mean_of_its_steps_at_each_scale():
    """A slope of 0.01 a pixel along x steps by 0.01, 0.02, 0.04 and 0.08."""
    ramp = (0.01 * torch.arange(16.0)).expand(1, 1, 16, 16)
    everywhere = torch.ones_like(MASK)
    loss = gradient_loss(ramp, torch.zeros_like(ramp), everywhere)
    torch.testing.assert_close(loss, torch.tensor((0.01 + 0.02 + 0.04 + 0.08) / 4))
    fine = gradient_loss(ramp, torch.zeros_like(ramp), everywhere, scales=1)
    torch.testing.assert_close(fine, torch.tensor(0.01))


def test_gradient_loss_knows_no_height_of_the_whole(batch):
    depth, target, mask = batch
    assert gradient_loss(target + 0.25, target, mask).item() == pytest.approx(0, abs=1e-7)
    expected = gradient_loss(depth, target, mask)
    torch.testing.assert_close(gradient_loss(depth - 0.7, target, mask), expected)


def test_gradient_loss_leaves_out_steps_across_the_masks_edge():
    """A cliff of 1 at column 8 costs nothing where the mask ends before it, at any scale."""
    cliff = (torch.arange(16) >= 8).float().expand(1, 1, 16, 16)
    mask = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    mask[..., :8] = True
    assert gradient_loss(cliff, torch.zeros_like(cliff), mask) == 0
    mask[..., 8] = True  # scale 1: 16 of 128 steps along x are the cliff
    fine = gradient_loss(cliff, torch.zeros_like(cliff), mask, scales=1)
    torch.testing.assert_close(fine, torch.tensor(16 / 128))


def test_scaled_and_shifted_depth_is_free_for_the_invariant_loss(batch):
    _, target, mask = batch
    for scale, shift in ((3.0, 0.5), (0.01, -0.2), (-1.0, 0.0)):
        loss = scale_shift_invariant_loss(scale * target + shift, target, mask)
        assert loss.item() == pytest.approx(0, abs=1e-5)
    assert scale_shift_invariant_loss(batch[0], target, mask) > 0.01


def test_the_invariant_loss_of_four_pixels_by_hand():
    """(0,1,2,3) fitted to (0,0,1,1): s = 0.4, t = -0.1, so it misses by 0.1, 0.3, 0.3 and 0.1."""
    depth = torch.tensor([0.0, 1, 2, 3, 50]).view(1, 1, 1, 5)
    target = torch.tensor([0.0, 0, 1, 1, -70]).view(1, 1, 1, 5)
    mask = torch.tensor([True, True, True, True, False]).view(1, 1, 1, 5)
    loss = scale_shift_invariant_loss(depth, target, mask)
    torch.testing.assert_close(loss, torch.tensor(0.2))


def test_each_photo_has_its_own_scale_and_shift(batch):
    _, target, mask = batch
    scale, shift = torch.tensor([2.0, 0.5, 1.0]), torch.tensor([0.0, 1.0, -1.0])
    depth = target * scale.view(3, 1, 1, 1) + shift.view(3, 1, 1, 1)
    assert scale_shift_invariant_loss(depth, target, mask).item() == pytest.approx(0, abs=1e-6)


def test_a_flat_prediction_costs_the_targets_deviation_from_its_mean():
    target = torch.tensor([1.0, 3.0]).repeat(8).expand(1, 1, 16, 16)
    loss = scale_shift_invariant_loss(torch.full_like(target, 0.3), target, MASK)
    torch.testing.assert_close(loss, torch.tensor(1.0))


def test_planes_are_smooth_and_a_kink_costs_its_bend():
    x = torch.arange(16.0).expand(1, 1, 16, 16)
    gray = torch.full((1, 3, 16, 16), 0.5)
    everywhere = torch.ones_like(MASK)
    assert edge_aware_loss(0.02 * x + 0.03 * x.mT, gray, everywhere) < 1e-6
    kink = 0.1 * (x - 8).clamp(min=0)  # bends by 0.1 at one of 14 columns
    torch.testing.assert_close(edge_aware_loss(kink, gray, everywhere), torch.tensor(0.1 / 14))


def test_a_kink_where_the_photo_has_an_edge_costs_less():
    x = torch.arange(16.0).expand(1, 1, 16, 16)
    kink, everywhere = 0.1 * (x - 8).clamp(min=0), torch.ones_like(MASK)
    photo = 0.2 + 0.6 * (x >= 8).float().expand(1, 3, 16, 16)  # an edge of 0.6 at the kink
    expected = torch.tensor(0.1 / 14 * math.exp(-0.6))
    torch.testing.assert_close(edge_aware_loss(kink, photo, everywhere), expected)


def test_mask_loss_is_the_binary_cross_entropy():
    torch.testing.assert_close(mask_loss(torch.zeros(1, 1, 16, 16), MASK), torch.tensor(2.0).log())
