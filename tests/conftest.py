"""What tests of the pipeline, the command line and the web demo share: a tiny untrained cascade."""

from pathlib import Path

import pytest
import torch

from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig
from df2net_hub.modeling.frnet import FrNet, FrNetConfig


@pytest.fixture(scope="session")
def tiny_cascade() -> DF2Net:
    """Random weights; its mask head says "face" nearly everywhere."""
    torch.manual_seed(0)
    dense = DNet(DNetConfig(width=4, levels=3, working_size=64, dropout=0.0, mask_head=True))
    with torch.no_grad():
        dense.tail[-1].weight[:, 1] = 1.0  # times features after a ReLU: logits of 0 or more
    fine, finer = FNet(FNetConfig(width=1)), FrNet(FrNetConfig(width=1))
    return DF2Net(dense=dense, fine=fine, finer=finer).eval()


@pytest.fixture(scope="session")
def tiny_folder(tiny_cascade: DF2Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That cascade as a pipeline folder."""
    folder = tmp_path_factory.mktemp("tiny") / "df2net-tiny"
    tiny_cascade.to_folder(folder)
    return folder
