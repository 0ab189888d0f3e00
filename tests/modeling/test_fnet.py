"""F-Net: shapes, parameters, a value by hand, the identity that its residual form starts from."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.working_size import enlarged
from df2net_hub.registry import create_model

TINY = FNetConfig(width=1)


def inputs(*size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    photo = torch.rand(2, 3, *size, generator=generator) * 2 - 1
    return photo, torch.rand(2, 1, *size, generator=generator) * 2 - 1


def test_the_base_net_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        model = create_model("fnet_base")
    assert sum(parameter.numel() for parameter in model.parameters()) == 133_785


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
def test_depth_keeps_its_shape(size: tuple[int, int]) -> None:
    photo, depth = inputs(*size)
    assert FNet(TINY)(photo, depth).shape == depth.shape == (2, 1, *size)


@torch.no_grad()
def test_depth_is_read_at_full_half_and_quarter_size_in_this_order() -> None:
    model = FNet(replace(TINY, depth_range=0.5))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    trunk, (first, second, last) = model.trunk, model.head.layers
    trunk.fuse.depth.weight[0, 0, 1, 1] = 1.0
    trunk.conv2.weight[0, 0, 1, 1] = 2.0
    trunk.conv3.weight[0, 2, 1, 1] = 2.0  # [fused (2), conv2 (2)]
    trunk.conv4.weight[0, 0, 1, 1] = 1.0
    trunk.conv5.weight[0, 4, 1, 1] = 2.0  # [conv3 (4), conv4 (4)]
    trunk.conv6.weight[0, 0, 1, 1] = trunk.conv7.weight[0, 0, 1, 1] = 1.0
    for channel, weight in ((0, 1.0), (2, 10.0), (6, 100.0)):  # conv2 (2), conv4 (4), conv7 (8)
        first.weight[0, channel] = weight
    second.weight[0, 0] = last.weight[0, 0] = 1.0

    photo, depth = torch.rand(1, 3, 8, 8), torch.full((1, 1, 8, 8), 0.001)
    expected = 0.5 * math.tanh(0.002 * 1 + 0.004 * 10 + 0.008 * 100)
    assert torch.allclose(model(photo, depth), torch.tensor(expected))


@torch.no_grad()
def test_the_residual_form_starts_as_the_identity_and_adds() -> None:
    photo, depth = inputs(8, 8)
    model = FNet(FNetConfig(width=1, residual=True, depth_range=0.5))
    assert torch.equal(model(photo, depth), depth)
    model.head.layers[-1].bias[0] = 0.3
    assert torch.allclose(model(photo, depth), depth + 0.5 * math.tanh(0.3))


@torch.no_grad()
def test_without_the_residual_form_depth_is_within_its_range() -> None:
    photo, depth = inputs(8, 8)
    model = FNet(replace(TINY, depth_range=2.0))
    model.head.layers[-1].bias[0] = 100.0
    assert torch.allclose(model(photo, depth), torch.tensor(2.0))


def test_the_small_net_is_a_residual_net() -> None:
    model = create_model("fnet_small")
    photo, depth = inputs(8, 8)
    assert torch.equal(model(photo, depth), depth)


@pytest.mark.parametrize("name, value", [("width", 0), ("width", -8), ("depth_range", 0.0)])
def test_a_config_value_that_makes_no_sense_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError) as error:
        replace(FNetConfig(), **{name: value})
    assert str(error.value) == f"FNetConfig.{name} must be positive, got {value}"


def test_a_photo_of_another_size_than_the_depth_is_an_error() -> None:
    with pytest.raises(ValueError, match="must be of one size.*got photo 8 x 8, depth 16 x 16"):
        FNet(TINY)(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 16, 16))


@torch.no_grad()
def test_larger_photos_are_refined_at_the_working_size() -> None:
    torch.manual_seed(0)
    whole = FNet(FNetConfig(width=1, residual=True))
    nn.init.normal_(whole.head.layers[-1].weight)
    works = FNet(FNetConfig(width=1, residual=True, working_size=8))
    works.load_state_dict(whole.state_dict())
    photo, depth = inputs(8, 8)
    assert torch.equal(works(photo, depth), whole(photo, depth))
    large = [maps.repeat_interleave(4, -1).repeat_interleave(4, -2) for maps in (photo, depth)]
    added = enlarged(whole(photo, depth) - depth, (32, 32))
    assert added.abs().max() > 0.01
    torch.testing.assert_close(works(*large) - large[1], added, atol=1e-5, rtol=0)


def test_a_working_size_that_cannot_be_halved_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="working_size must be 0 or a multiple of 4, got 30"):
        FNetConfig(working_size=30)
