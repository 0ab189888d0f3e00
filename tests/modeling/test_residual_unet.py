"""The residual U-Net: its blocks, the sizes of its levels, bad configs."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.residual_unet import Block, ResidualUNet, require_levels


@dataclass(frozen=True)
class Sizes:
    widths: tuple[int, ...] = (4, 8, 8)
    blocks: tuple[int, ...] = (0, 1, 1)
    working_size: int = 0

    def __post_init__(self) -> None:
        require_levels(self)


class Net(ResidualUNet):
    config_class = Sizes


def features(channels: int, *size: int) -> Tensor:
    return torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def seeded(inputs: int = 5, outputs: int = 3) -> Net:
    torch.manual_seed(0)
    return Net(Sizes(), inputs, outputs).eval()


@torch.no_grad()
def test_an_untrained_block_passes_what_is_positive_on() -> None:
    given = features(3, 8, 8)
    assert torch.equal(Block(3).eval()(given), given.clamp(min=0))


@torch.no_grad()
def test_each_level_halves_the_size_and_each_join_doubles_it() -> None:
    model = seeded()
    shapes: list[tuple[int, ...]] = []
    for module in (*model.downs, *model.joins):
        module.register_forward_hook(lambda _, given, out: shapes.append(tuple(out.shape)))
    assert model.maps(features(5, 32, 16)).shape == (2, 3, 32, 16)
    assert shapes[:3] == [(2, 4, 16, 8), (2, 8, 8, 4), (2, 8, 4, 2)]
    assert shapes[3:] == [(2, 8, 8, 4), (2, 4, 16, 8)]


def test_every_weight_learns() -> None:
    model = seeded().train()
    for block in model.modules():  # away from the start, at which the first convolution is unheard
        if isinstance(block, Block):
            torch.nn.init.ones_(block.norm2.weight)
    model.maps(features(5, 16, 16)).square().mean().backward()
    still = [name for name, weight in model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert not still


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widths": (4,)}, "Sizes.widths must be two or more positive numbers, got"),
        ({"widths": (4, 0)}, "Sizes.widths must be two or more positive numbers, got"),
        ({"blocks": (1, 1)}, "as many numbers of 0 or more as widths, 3, got"),
        ({"blocks": (1, 1, -1)}, "as many numbers of 0 or more as widths, 3, got"),
        ({"working_size": 100}, "multiple of 2\\*\\*levels = 8, got 100"),
    ],
)
def test_a_wrong_config_is_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sizes(**values)
