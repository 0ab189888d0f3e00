"""The residual Fr-Net: no relief at first, its unit, what begins it, its place in a cascade."""

import pytest
import torch
from torch import Tensor

from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.fnet_residual import ResidualFNet, ResidualFNetConfig
from df2net_hub.modeling.frnet_residual import ResidualFrNet, ResidualFrNetConfig
from df2net_hub.registry import create_model

SIZES = {"widths": (4, 8), "blocks": (0, 1)}
TINY = ResidualFrNetConfig(**SIZES, working_size=16)


def inputs(*size: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    photo = torch.rand(2, 3, *size, generator=generator) * 2 - 1
    return photo, torch.rand(2, 1, *size, generator=generator) * 2 - 1


def trained_fnet() -> ResidualFNet:
    torch.manual_seed(1)
    fine = ResidualFNet(ResidualFNetConfig(**SIZES, working_size=8)).eval()
    torch.nn.init.normal_(fine.last.weight)
    return fine


@torch.no_grad()
def test_it_starts_as_no_relief_and_counts_32nds_of_a_unit() -> None:
    model = ResidualFrNet(TINY).eval()
    photo, depth = inputs(8, 12)
    assert not model(photo, depth).any()
    model.last.bias.fill_(8)
    torch.testing.assert_close(model(photo, depth), torch.full_like(depth, 0.25))


@torch.no_grad()
def test_it_begins_with_what_an_fnet_knows_of_photo_and_depth() -> None:
    fine, model = trained_fnet(), ResidualFrNet(TINY).eval()
    model.begin_with(fine)
    photo, depth = inputs(8, 8)
    assert not model(photo, depth).any()
    model.last.load_state_dict(fine.last.state_dict())
    # The last layer aside they differ in their units and in the pixels that slopes are taken over.
    flat = torch.zeros_like(depth)
    torch.testing.assert_close(model(photo, flat), fine(photo, flat) / 2)


@torch.no_grad()
def test_it_begins_with_a_dnet_as_an_fnet_does() -> None:
    dense = ResidualDNet(ResidualDNetConfig(**SIZES, working_size=0))
    fine, model = ResidualFNet(ResidualFNetConfig(**SIZES)), ResidualFrNet(TINY)
    model.load_state_dict(fine.state_dict())
    fine.begin_with(dense)
    model.begin_with(dense)
    for name, values in fine.state_dict().items():
        assert torch.equal(model.state_dict()[name], values)


@torch.no_grad()
def test_a_cascade_adds_its_relief_to_the_fine_depth(tmp_path) -> None:
    config = DF2NetConfig("dnet_residual", "fnet_residual", "frnet_residual")
    finer = ResidualFrNet(TINY)
    torch.nn.init.normal_(finer.last.weight)
    dense = ResidualDNet(ResidualDNetConfig(**SIZES, working_size=8))
    DF2Net(config, dense, trained_fnet(), finer).to_folder(tmp_path / "cascade")
    again = DF2Net.from_folder(tmp_path / "cascade")
    stages = again(inputs(16, 16)[0])
    assert stages.residual.abs().max() > 1e-3
    torch.testing.assert_close(stages.finer, stages.fine + stages.residual)


def test_a_wrong_config_is_named() -> None:
    with pytest.raises(ValueError, match="ResidualFrNetConfig.working_size must be positive"):
        ResidualFrNetConfig(working_size=0)


def test_the_default_works_at_the_size_of_a_crop() -> None:
    model = create_model("frnet_residual")
    assert isinstance(model, ResidualFrNet) and model.config.working_size == 512
