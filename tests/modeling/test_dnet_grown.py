"""The grown D-Net: it says what it grew from, then what its outer level adds; bad configs."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.dnet_grown import GrownDNet, GrownDNetConfig
from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.residual_unet import Block

INNER = ResidualDNetConfig(widths=(4, 8), blocks=(0, 1), working_size=8)
TINY = GrownDNetConfig(widths=(4, 8), blocks=(0, 1), outer=2, working_size=16)


def photo(*size: int) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def inner(config: ResidualDNetConfig = INNER) -> ResidualDNet:
    torch.manual_seed(1)
    return ResidualDNet(config).eval()


def seeded(config: GrownDNetConfig = TINY) -> GrownDNet:
    torch.manual_seed(0)
    return GrownDNet(config).eval()


@torch.no_grad()
@pytest.mark.parametrize("size", [(16, 16), (32, 32)])
@pytest.mark.parametrize("mask_head", [True, False])
def test_it_starts_as_what_it_grew_from(size: tuple[int, int], mask_head: bool) -> None:
    small, model = (
        inner(replace(INNER, mask_head=mask_head)),
        seeded(replace(TINY, mask_head=mask_head)),
    )
    before = small(photo(*size))
    assert not torch.allclose(model(photo(*size)), before, atol=1e-3)
    model.grow_from(small)
    after = model(photo(*size))
    assert after.shape == (2, 2 if mask_head else 1, *size)
    # At twice the working size both enlarge what they see, in one step of four or in two.
    tolerance = 1e-6 if size == (16, 16) else 0.05
    torch.testing.assert_close(after, before, atol=tolerance, rtol=0)


@torch.no_grad()
def test_the_outer_level_adds_pixels_of_height_and_logits() -> None:
    model = seeded()
    model.grow_from(inner())
    before = model(photo(16, 16))
    model.outer_last.bias[:4], model.outer_last.bias[4:] = 3.0, 0.5
    added = model(photo(16, 16)) - before
    torch.testing.assert_close(added[:, 0], torch.full((2, 16, 16), 3 * 4 / 127.5))
    torch.testing.assert_close(added[:, 1], torch.full((2, 16, 16), 0.5))


def test_every_weight_learns() -> None:
    model = seeded().train()
    for block in model.modules():  # away from the start, at which the first convolution is unheard
        if isinstance(block, Block):
            torch.nn.init.ones_(block.norm2.weight)
    torch.nn.init.normal_(model.outer_last.weight)
    model(photo(16, 16)).square().mean().backward()
    still = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert not still


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"widths": (4, 12)}, r"widths \(4, 12\) does not grow into one of widths \(4, 8\)"),
        ({"blocks": (1, 1)}, r"set GrownDNetConfig.blocks to \(1, 1\)"),
        ({"mask_head": False}, "mask_head False does not grow into one of mask_head True"),
    ],
)
def test_it_grows_only_from_a_network_of_its_own_sizes(other: dict, message: str) -> None:
    model = seeded()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        model.grow_from(inner(replace(INNER, **other)))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_size_that_does_not_halve_to_the_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="multiples of 8, got 12 x 16"):
        seeded()(photo(12, 16))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"outer": 0}, "GrownDNetConfig.outer must be positive, got 0"),
        ({"outer_blocks": -1}, "GrownDNetConfig.outer_blocks must be 0 or more, got -1"),
        ({"working_size": 96}, r"multiple of 2\*\*\(levels \+ 1\) = 64, got 96"),
        ({"widths": (4,)}, "GrownDNetConfig.widths must be two or more positive numbers"),
    ],
)
def test_a_wrong_config_is_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GrownDNetConfig(**values)


def test_saved_weights_load_again(tmp_path) -> None:
    model = seeded()
    model.save_pretrained(tmp_path)
    again = GrownDNet.from_pretrained(tmp_path)
    assert again.config == TINY
    with torch.no_grad():
        assert torch.equal(again(photo(16, 16)), model(photo(16, 16)))
