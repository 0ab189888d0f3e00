"""The residual D-Net: shapes, the working size, bad configs; its U-Net has tests of its own."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.working_size import enlarged

TINY = ResidualDNetConfig(widths=(4, 8, 8), blocks=(0, 1, 1), working_size=0)


def photo(*size: int) -> Tensor:
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def seeded(config: ResidualDNetConfig = TINY) -> ResidualDNet:
    torch.manual_seed(0)
    return ResidualDNet(config).eval()


@torch.no_grad()
@pytest.mark.parametrize("size", [(8, 8), (16, 24)])
def test_depth_and_mask_have_the_size_of_the_photo(size: tuple[int, int]) -> None:
    assert seeded()(photo(*size)).shape == (2, 2, *size)
    without = ResidualDNetConfig((4, 8, 8), (0, 1, 1), working_size=0, mask_head=False)
    assert seeded(without)(photo(*size)).shape == (2, 1, *size)


@torch.no_grad()
def test_larger_photos_are_seen_at_the_working_size() -> None:
    works = seeded(ResidualDNetConfig((4, 8, 8), (0, 1, 1), working_size=16))
    whole = seeded()
    whole.load_state_dict(works.state_dict())
    large = photo(4, 4).repeat_interleave(8, -1).repeat_interleave(8, -2)  # (2,3,32,32)
    small = photo(4, 4).repeat_interleave(4, -1).repeat_interleave(4, -2)
    seen = works(large)
    assert seen.shape == (2, 2, 32, 32)
    again = enlarged(whole(small), (32, 32))
    torch.testing.assert_close(seen, again, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(12, 16), (16, 20)])
def test_a_size_that_does_not_halve_to_the_end_is_an_error(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"multiples of 8, got {size[0]} x {size[1]}"):
        seeded()(photo(*size))


def test_a_wrong_config_is_named() -> None:
    with pytest.raises(ValueError, match="ResidualDNetConfig.working_size must be 0 or a multiple"):
        ResidualDNetConfig(working_size=100)


def test_saved_weights_load_again(tmp_path) -> None:
    model = seeded()
    model.save_pretrained(tmp_path)
    again = ResidualDNet.from_pretrained(tmp_path)
    assert again.config == TINY
    with torch.no_grad():
        assert torch.equal(again(photo(16, 16)), model(photo(16, 16)))


def trained(config: ResidualDNetConfig = TINY) -> ResidualDNet:
    """A network whose blocks do something."""
    model = seeded(config)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


@torch.no_grad()
def test_one_of_more_blocks_begins_as_the_same_function() -> None:
    known = trained()
    torch.manual_seed(1)
    deeper = ResidualDNet(ResidualDNetConfig((4, 8, 8), (1, 1, 3), working_size=0)).eval()
    assert deeper.extends(known) and not known.extends(deeper)
    before = deeper(photo(16, 16))
    deeper.begin_with(known)
    torch.testing.assert_close(deeper(photo(16, 16)), known(photo(16, 16)))
    assert (before - known(photo(16, 16))).abs().max() > 0.1


@pytest.mark.parametrize(
    "sizes", [{"widths": (4, 8, 12)}, {"blocks": (1, 0, 1)}, {"mask_head": False}]
)
def test_a_network_that_it_does_not_contain_cannot_begin_it(sizes: dict) -> None:
    other = ResidualDNet(replace(TINY, **sizes))
    assert not other.extends(seeded())
    with pytest.raises(ValueError, match=r"\(.*\) cannot begin with ResidualDNetConfig\("):
        other.begin_with(seeded())
