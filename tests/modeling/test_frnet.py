"""Fr-Net: shapes of every resolution, parameters, a value by hand, the form without blocks."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.registry import create_model

TINY = FrNetConfig(width=1)


def inputs(*size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    photo = torch.rand(2, 3, *size, generator=generator) * 2 - 1
    return photo, torch.rand(2, 1, *size, generator=generator) * 2 - 1


def parameters(name: str) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in create_model(name).parameters())


def test_the_base_net_has_the_papers_parameters_less_the_unused_layers() -> None:
    assert parameters("frnet_base") == 380_491 == 417_483 - 36_992


def test_the_plain_net_has_the_layers_of_fnet() -> None:
    assert parameters("frnet_plain") == parameters("fnet_base")
    plain, fnet = FrNet(replace(TINY, multi_resolution=False)), FNet(FNetConfig(width=1))
    plain.load_state_dict(fnet.state_dict())
    assert torch.equal(plain(*inputs(8, 8)), fnet(*inputs(8, 8)))


@torch.no_grad()
@pytest.mark.parametrize("multi_resolution", [True, False])
@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
def test_the_residual_has_the_shape_of_the_depth(
    size: tuple[int, int], multi_resolution: bool
) -> None:
    photo, depth = inputs(*size)
    model = FrNet(replace(TINY, multi_resolution=multi_resolution))
    assert model(photo, depth).shape == depth.shape == (2, 1, *size)


@torch.no_grad()
def test_the_blocks_see_the_sizes_that_the_comments_tell() -> None:
    width = 2
    model = FrNet(FrNetConfig(width=width))
    seen: dict[str, list[Tensor]] = {}
    for name in ("half_block", "full_block"):
        getattr(model, name).register_forward_hook(
            lambda _, given, out, name=name: seen.update({name: [*given, out]})
        )
    photo, depth = inputs(16, 8)
    model(photo, depth)
    assert [tuple(maps.shape) for maps in seen["half_block"]] == [
        (2, 1, 4, 2),
        (2, 3, 4, 2),
        (2, 8 * width, 8, 4),
        (2, 1, 8, 4),
    ]
    assert [tuple(maps.shape) for maps in seen["full_block"]] == [
        (2, 1, 8, 4),
        (2, 3, 8, 4),
        (2, 4 * width, 16, 8),
        (2, 1, 16, 8),
    ]
    assert torch.equal(seen["half_block"][1], F.avg_pool2d(photo, 4))
    assert torch.equal(seen["full_block"][0], seen["half_block"][-1])


@torch.no_grad()
def test_each_resolution_corrects_the_one_before() -> None:
    model = FrNet(replace(TINY, depth_range=0.5))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    trunk = model.trunk
    trunk.fuse.depth.weight[0, 0, 1, 1] = 1.0
    trunk.conv3.weight[1, 0, 1, 1] = 1.0  # hyper2 [conv3 (4), conv4 (4)]: its second channel
    trunk.conv5.weight[0, 1, 1, 1] = 1.0
    trunk.conv6.weight[0, 0, 1, 1] = trunk.conv7.weight[0, 0, 1, 1] = 1.0
    for block, trunk_channel, weight in ((model.half_block, 1, 10.0), (model.full_block, 0, 20.0)):
        block.fuse.depth.weight[0, 0, 1, 1] = 1.0
        block.conv.weight[0, 0, 1, 1] = 2.0
        block.joined[0].weight[0, 0, 1, 1] = 1.0  # [fused (2), conv (2), trunk]
        block.joined[0].weight[0, 2, 1, 1] = 1.0
        block.joined[0].weight[0, 4 + trunk_channel, 1, 1] = weight
        block.joined[1].weight[0, 0, 1, 1] = block.joined[2].weight[0, 0, 1, 1] = 1.0
    for head in (model.head, model.half_block.head, model.full_block.head):
        for layer in head.layers:
            layer.weight[0, 0] = 1.0

    photo, depth = torch.rand(1, 3, 8, 8), torch.full((1, 1, 8, 8), 0.01)
    quarter = math.tanh(0.01)
    half = math.tanh(quarter + 2 * quarter + 10 * 0.01)
    full = math.tanh(half + 2 * half + 20 * 0.01)
    assert torch.allclose(model(photo, depth), torch.tensor(0.5 * full))


@torch.no_grad()
@pytest.mark.parametrize("multi_resolution", [True, False])
def test_zero_init_starts_at_a_residual_of_zero(multi_resolution: bool) -> None:
    config = replace(TINY, multi_resolution=multi_resolution)
    photo, depth = inputs(8, 8)
    assert FrNet(config)(photo, depth).abs().max() > 0
    model = FrNet(replace(config, zero_init=True))
    assert torch.equal(model(photo, depth), torch.zeros_like(depth))


def test_the_small_net_starts_at_a_residual_of_zero() -> None:
    photo, depth = inputs(8, 8)
    assert torch.equal(create_model("frnet_small")(photo, depth), torch.zeros_like(depth))


@pytest.mark.parametrize("name, value", [("width", 0), ("width", -8), ("depth_range", -1.0)])
def test_a_config_value_that_makes_no_sense_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError) as error:
        replace(FrNetConfig(), **{name: value})
    assert str(error.value) == f"FrNetConfig.{name} must be positive, got {value}"


@pytest.mark.parametrize("multi_resolution", [True, False])
def test_a_size_that_two_poolings_do_not_divide_is_an_error(multi_resolution: bool) -> None:
    model = FrNet(replace(TINY, multi_resolution=multi_resolution))
    with pytest.raises(ValueError, match="multiples of 4, got photo 8 x 6, depth 8 x 6"):
        model(torch.zeros(1, 3, 8, 6), torch.zeros(1, 1, 8, 6))
