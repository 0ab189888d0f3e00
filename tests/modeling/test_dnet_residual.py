"""The residual D-Net: shapes, a start that passes features on, the working size, bad configs."""

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.dnet_residual import Block, ResidualDNet, ResidualDNetConfig

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
def test_each_level_halves_the_size_and_each_join_doubles_it() -> None:
    model = seeded()
    shapes: list[tuple[int, ...]] = []
    for module in (*model.downs, *model.joins):
        module.register_forward_hook(lambda _, given, out: shapes.append(tuple(out.shape)))
    model(photo(32, 16))
    assert shapes[:3] == [(2, 4, 16, 8), (2, 8, 8, 4), (2, 8, 4, 2)]
    assert shapes[3:] == [(2, 8, 8, 4), (2, 4, 16, 8)]


@torch.no_grad()
def test_an_untrained_block_passes_what_is_positive_on() -> None:
    features = photo(8, 8)
    assert torch.equal(Block(3).eval()(features), features.clamp(min=0))


@torch.no_grad()
def test_larger_photos_are_seen_at_the_working_size() -> None:
    works = seeded(ResidualDNetConfig((4, 8, 8), (0, 1, 1), working_size=16))
    whole = seeded()
    whole.load_state_dict(works.state_dict())
    large = photo(4, 4).repeat_interleave(8, -1).repeat_interleave(8, -2)  # (2,3,32,32)
    small = photo(4, 4).repeat_interleave(4, -1).repeat_interleave(4, -2)
    seen = works(large)
    assert seen.shape == (2, 2, 32, 32)
    again = torch.nn.functional.interpolate(whole(small), (32, 32), mode="bicubic")
    torch.testing.assert_close(seen, again, atol=1e-5, rtol=0)


def test_every_weight_learns() -> None:
    model = seeded().train()
    for block in model.modules():  # away from the start, at which the first convolution is unheard
        if isinstance(block, Block):
            torch.nn.init.ones_(block.norm2.weight)
    model(photo(16, 16)).square().mean().backward()
    still = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert not still


@pytest.mark.parametrize("size", [(12, 16), (16, 20)])
def test_a_size_that_does_not_halve_to_the_end_is_an_error(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"multiples of 8, got {size[0]} x {size[1]}"):
        seeded()(photo(*size))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widths": (4,)}, "widths must be two or more positive numbers, got"),
        ({"widths": (4, 0)}, "widths must be two or more positive numbers, got"),
        ({"blocks": (1, 1)}, "as many numbers of 0 or more as widths, 5, got"),
        ({"working_size": 100}, "multiple of 2\\*\\*levels = 32, got 100"),
    ],
)
def test_a_wrong_config_is_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ResidualDNetConfig(**values)


def test_saved_weights_load_again(tmp_path) -> None:
    model = seeded()
    model.save_pretrained(tmp_path)
    again = ResidualDNet.from_pretrained(tmp_path)
    assert again.config == TINY
    with torch.no_grad():
        assert torch.equal(again(photo(16, 16)), model(photo(16, 16)))
