"""Which network a run opens: one of its own in the trained slot, begun with what is known."""

import json
from dataclasses import replace

import pytest
import torch

from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet_residual import ResidualDNet, ResidualDNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.training.config import TrainConfig
from df2net_hub.training.stage import open_network

SIZES = {"widths": (4, 8), "blocks": (0, 1)}


@pytest.fixture
def folder(tmp_path) -> str:
    torch.manual_seed(0)
    cascade = DF2Net(
        DF2NetConfig("dnet_residual", "fnet_small", "frnet_small"),
        dense=ResidualDNet(ResidualDNetConfig(**SIZES, working_size=16)),
        fine=FNet(FNetConfig(width=2, residual=True)),
        finer=FrNet(FrNetConfig(width=2, zero_init=True)),
    )
    cascade.to_folder(tmp_path / "cascade")
    return str(tmp_path / "cascade")


def opened(folder: str, stage: str, name: str, **sizes: object) -> DF2Net:
    torch.manual_seed(1)
    config = TrainConfig(
        dataset=("pairs",),
        out="runs/a",
        model=folder,
        stage=stage,
        network=name,
        network_config=json.dumps({"working_size": 16, **sizes}),
    )
    network = open_network(config.for_stage(stage))
    assert isinstance(network, DF2Net) and getattr(network.config, stage) == name
    return network


@torch.no_grad()
def test_a_deeper_residual_dnet_goes_on_from_the_one_before_it(folder: str) -> None:
    network = opened(folder, "dense", "dnet_residual", widths=(4, 8), blocks=(2, 1))
    known = DF2Net.from_folder(folder).dense
    assert sum(p.numel() for p in network.dense.parameters()) > sum(
        p.numel() for p in known.parameters()
    )
    photo = torch.rand(1, 3, 16, 16) * 2 - 1
    torch.testing.assert_close(network.dense(photo), known(photo))


def test_a_residual_dnet_without_the_mask_head_begins_on_its_own(folder: str) -> None:
    network = opened(folder, "dense", "dnet_residual", mask_head=False, **SIZES)
    assert not network.dense.config.mask_head
    before = DF2Net.from_folder(folder)
    lift, known = (one.dense.joins[0].lift.weight for one in (network, before))
    assert lift.shape == known.shape and not torch.equal(lift, known)


def test_a_residual_fnet_begins_with_the_features_of_a_dnet_of_its_sizes(folder: str) -> None:
    network = opened(folder, "fine", "fnet_residual", **SIZES)
    for name, values in network.dense.joins.state_dict().items():
        assert torch.equal(network.fine.joins.state_dict()[name], values)
    assert not network.fine.last.weight.any()


def test_a_residual_fnet_of_other_sizes_begins_on_its_own(folder: str) -> None:
    network = opened(folder, "fine", "fnet_residual", widths=(4, 8), blocks=(0, 0))
    lift, known = (one.joins[0].lift.weight for one in (network.fine, network.dense))
    assert lift.shape == known.shape and not torch.equal(lift, known)


@torch.no_grad()
def test_a_residual_frnet_begins_with_the_fnet_before_it(folder: str, tmp_path) -> None:
    cascade = opened(folder, "fine", "fnet_residual", **SIZES)
    torch.nn.init.normal_(cascade.fine.joins[0].lift.weight)
    cascade.to_folder(tmp_path / "refined")
    network = opened(str(tmp_path / "refined"), "finer", "frnet_residual", **SIZES)
    for name, values in network.fine.state_dict().items():
        if not name.startswith("last."):
            assert torch.equal(network.finer.state_dict()[name], values)
    assert not network.finer.last.weight.any()


@pytest.mark.parametrize(
    ("stage", "name"), [("fine", "fnet_residual"), ("finer", "frnet_residual")]
)
@pytest.mark.parametrize(("resolution", "window"), [(16, 0), (64, 16)])
def test_what_a_residual_stage_would_take_for_a_window_of_another_size_is_refused(
    folder: str, stage: str, name: str, resolution: int, window: int
) -> None:
    config = TrainConfig(
        dataset=("pairs",),
        model=folder,
        stage=stage,
        network=name,
        network_config=json.dumps({"working_size": 32, **SIZES}),
        resolution=resolution,
        window=window,
    )
    with pytest.raises(ValueError, match="works on photos of 32 px .* --resolution 32"):
        open_network(config.for_stage(stage))
    whole = replace(config, resolution=64, window=0)
    assert isinstance(open_network(whole.for_stage(stage)), DF2Net)
