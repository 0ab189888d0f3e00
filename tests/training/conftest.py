"""Sets and networks small enough to train in a second."""

import pytest
import torch

from df2net_hub.modeling.albedonet import AlbedoNet, AlbedoNetConfig
from df2net_hub.modeling.cascade import DF2Net, DF2NetConfig
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig
from df2net_hub.synthesis.make_pairs import make_pairs


@pytest.fixture(autouse=True)
def one_thread():
    """As launched runs have it: sums of several threads round in another way on some processors."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pairs(tmp_path_factory) -> str:
    """24 rendered pairs of 32 px."""
    folder = tmp_path_factory.mktemp("pairs")
    make_pairs(folder, 24, size=32)
    return str(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> str:
    """A cascade's folder; dropout, because its random state must survive a restart."""
    torch.manual_seed(0)
    cascade = DF2Net(
        DF2NetConfig("dnet_small", "fnet_small", "frnet_small"),
        dense=DNet(DNetConfig(width=8, levels=3, dropout=0.3, mask_head=True)),
        fine=FNet(FNetConfig(width=2, residual=True)),
        finer=FrNet(FrNetConfig(width=2, zero_init=True)),
    )
    folder = tmp_path_factory.mktemp("tiny")
    cascade.to_folder(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_albedonet(tmp_path_factory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("albedonet")
    AlbedoNet(AlbedoNetConfig(width=4, levels=4, working_size=32)).save_pretrained(folder)
    return str(folder)
