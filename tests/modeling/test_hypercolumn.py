"""The shared trunk and head: shapes, order of the channels, and values worked out by hand."""

import math

import pytest
import torch
from torch import nn

from df2net_hub.modeling.hypercolumn import Fuse, Head, Trunk, activated, upsample


def cleared(module: nn.Module) -> nn.Module:
    """`module` with all parameters zero: a test then sets the few that matter."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


@torch.no_grad()
def test_the_columns_have_the_shapes_that_their_comments_tell() -> None:
    width = 2
    columns = Trunk(width)(torch.rand(3, 1, 8, 16), torch.rand(3, 3, 8, 16))
    assert {name: tuple(column.shape) for name, column in columns._asdict().items()} == {
        "fused": (3, 2 * width, 8, 16),
        "conv2": (3, 2 * width, 8, 16),
        "conv3": (3, 4 * width, 4, 8),
        "conv4": (3, 4 * width, 4, 8),
        "conv7": (3, 8 * width, 2, 4),
    }


@torch.no_grad()
def test_fuse_puts_the_depth_before_the_photo() -> None:
    fuse = cleared(Fuse(1))
    fuse.depth.weight[0, 0, 1, 1] = 2.0
    fuse.photo.weight[0, 2, 1, 1] = 3.0  # blue
    depth, photo = torch.full((1, 1, 4, 4), -0.5), torch.zeros(1, 3, 4, 4)
    photo[:, 2] = 0.25
    fused = fuse(depth, photo)
    assert torch.allclose(fused[0, 0], torch.tensor(-0.01))  # LeakyReLU(0.01) of 2 x -0.5
    assert torch.allclose(fused[0, 1], torch.tensor(0.75))


@torch.no_grad()
def test_the_trunk_joins_each_layer_before_the_one_after_it_and_pools_the_largest() -> None:
    trunk = cleared(Trunk(1))
    trunk.fuse.depth.weight[0, 0, 1, 1] = 1.0
    trunk.conv2.weight[1, 0, 1, 1] = 2.0
    trunk.conv3.weight[0, 3, 1, 1] = 3.0  # [fused (2), conv2 (2)]: conv2's second
    trunk.conv4.weight[3, 0, 1, 1] = 5.0
    trunk.conv5.weight[0, 7, 1, 1] = 7.0  # [conv3 (4), conv4 (4)]: conv4's last
    trunk.conv6.weight[0, 0, 1, 1] = 1.0
    trunk.conv7.weight[4, 0, 1, 1] = 1.0
    depth = torch.arange(16.0).reshape(1, 1, 4, 4)
    columns = trunk(depth, torch.rand(1, 3, 4, 4))
    assert torch.equal(columns.fused[0, 0], depth[0, 0])
    assert torch.equal(columns.conv2[0, 1], 2 * depth[0, 0])
    assert torch.equal(columns.conv3[0, 0], 6 * torch.tensor([[5.0, 7.0], [13.0, 15.0]]))
    assert torch.equal(columns.conv4[0, 3], 30 * torch.tensor([[5.0, 7.0], [13.0, 15.0]]))
    assert columns.conv7[0, :, 0, 0].tolist() == [0, 0, 0, 0, 210 * 15.0, 0, 0, 0]


@torch.no_grad()
def test_the_head_is_the_tanh_of_three_layers() -> None:
    head = cleared(Head(5, 2))
    assert [layer.weight.shape[:2] for layer in head.layers] == [(4, 5), (4, 4), (1, 4)]
    first, second, last = head.layers
    first.weight[3, 4] = -1.0
    second.weight[2, 3] = 50.0
    last.weight[0, 2] = 2.0
    last.bias[0] = 0.125
    features = torch.zeros(1, 5, 1, 2)
    features[0, 4] = torch.tensor([0.5, -0.01])
    # 0.5: -0.5 is -0.005 after LeakyReLU, -0.25 after the second layer, -0.0025 after LeakyReLU.
    expected = [math.tanh(2 * -0.0025 + 0.125), math.tanh(2 * 0.5 + 0.125)]
    assert head(features).flatten().tolist() == pytest.approx(expected)


@torch.no_grad()
def test_a_head_that_starts_at_zero_answers_zero() -> None:
    head = Head(5, 2)
    assert head(torch.rand(1, 5, 2, 2)).abs().max() > 0
    head.start_at_zero()
    assert torch.equal(head(torch.rand(1, 5, 2, 2)), torch.zeros(1, 1, 2, 2))


def test_a_head_that_starts_at_zero_can_learn() -> None:
    head = Head(5, 2)
    head.start_at_zero()
    head(torch.rand(1, 5, 2, 2)).sum().backward()
    assert head.layers[-1].weight.grad.abs().max() > 0


def test_upsampling_aligns_the_areas_of_pixels() -> None:
    ramp = torch.tensor([0.0, 4.0]).reshape(1, 1, 1, 2)
    assert upsample(ramp, 2)[0, 0].tolist() == 2 * [[0.0, 1.0, 3.0, 4.0]]


def test_activation_is_a_leaky_relu_of_one_hundredth() -> None:
    values = torch.tensor([-2.0, 0.0, 3.0])
    assert activated(nn.Identity(), values).tolist() == pytest.approx([-0.02, 0.0, 3.0])


@pytest.mark.parametrize(
    "depth_size, photo_size, told",
    [
        ((8, 8), (8, 12), "photo 8 x 12, depth 8 x 8"),
        ((8, 6), (8, 6), "photo 8 x 6, depth 8 x 6"),
        ((10, 8), (10, 8), "photo 10 x 8, depth 10 x 8"),
    ],
)
def test_sizes_that_do_not_fit_are_an_error(
    depth_size: tuple[int, int], photo_size: tuple[int, int], told: str
) -> None:
    with pytest.raises(ValueError) as error:
        Trunk(1)(torch.zeros(1, 1, *depth_size), torch.zeros(1, 3, *photo_size))
    assert str(error.value) == (
        f"photo and depth must be of one size, height and width multiples of 4, got {told}"
    )
