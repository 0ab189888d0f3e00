"""The authors' checkpoint (DF2Net.pth.tar) to a pipeline folder.

The checkpoint is a pickled dict with a `state_dict` whose keys begin with `module.`; D-Net's layers
lie at the root, then `FNet.*` and `FrNet.*`. Only tensors are unpickled (`weights_only=True`).
"""

import logging
import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.dnet import DNet, Down, Up
from df2net_hub.modeling.fnet import FNet
from df2net_hub.modeling.frnet import Block, FrNet
from df2net_hub.modeling.hypercolumn import Fuse, Head
from df2net_hub.registry import create_model

Add = Callable[[str, str, nn.Module], None]  # their name, ours, the layer that bears it

logger = logging.getLogger(__name__)

# Convolutions that Fr-Net's checkpoint carries and its forward pass never reaches.
UNUSED = tuple(
    f"FrNet.{conv}_stage{stage}.{kind}"
    for stage in (2, 3)
    for conv in ("conv3", "conv4")
    for kind in ("weight", "bias")
)


def load_checkpoint(checkpoint: str | Path) -> DF2Net:
    """The authors' checkpoint as a `df2net_release` cascade.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no PyTorch checkpoint of tensors, or not this network's; names the key.
    """
    checkpoint = Path(checkpoint)
    tensors = _read_tensors(checkpoint)
    cascade = create_model("df2net_release")
    assert isinstance(cascade, DF2Net)
    own = cascade.state_dict()
    names = release_names(cascade)
    renamed = {}
    for key, name in names.items():
        if key not in tensors:
            raise ValueError(
                f"{checkpoint}: tensor {key!r} is missing; is this DF2Net.pth.tar, complete?"
            )
        if tensors[key].shape != own[name].shape:
            raise ValueError(
                f"{checkpoint}: tensor {key!r} has shape {tuple(tensors[key].shape)}, "
                f"expected {tuple(own[name].shape)}"
            )
        renamed[name] = tensors[key]
    unknown = sorted(set(tensors) - set(names) - set(UNUSED))
    if unknown:
        raise ValueError(
            f"{checkpoint}: unexpected tensor {unknown[0]!r}; this is not DF2Net.pth.tar"
        )
    dropped = [key for key in UNUSED if key in tensors]
    if dropped:
        logger.warning(
            "left out %d tensors that the release never uses: %s", len(dropped), ", ".join(dropped)
        )
    cascade.load_state_dict(renamed, strict=True)
    return cascade.eval()


def _read_tensors(checkpoint: Path) -> dict[str, Tensor]:
    if not checkpoint.is_file():
        raise FileNotFoundError(f"no file {checkpoint}")
    try:
        stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:  # PyTorch lets through whatever a damaged file makes it stumble on
        code = re.search(r"GLOBAL (\S+) was not an allowed global", str(error))
        if code:
            raise ValueError(
                f"{checkpoint} wants to run {code[1]} when it is loaded, which is refused: a "
                "checkpoint of tensors need not. Get DF2Net.pth.tar from the authors' page"
            ) from error
        raise ValueError(
            f"{checkpoint} is not a PyTorch checkpoint, or was cut short; "
            "get DF2Net.pth.tar from the authors' page again"
        ) from error
    if not isinstance(stored, dict) or not isinstance(stored.get("state_dict"), dict):
        found = ", ".join(map(str, stored)) if isinstance(stored, dict) else type(stored).__name__
        raise ValueError(f"{checkpoint} has no dict 'state_dict'; found {found[:200] or 'nothing'}")
    tensors = {
        str(key).removeprefix("module."): value for key, value in stored["state_dict"].items()
    }
    for key, value in tensors.items():
        if not isinstance(value, Tensor):
            raise ValueError(f"{checkpoint}: {key!r} is a {type(value).__name__}, not a tensor")
    return tensors


def release_names(cascade: DF2Net) -> dict[str, str]:
    """The release's key of every tensor of `cascade`, both without `module.`: release -> ours."""
    pairs: dict[str, str] = {}

    def add(theirs: str, ours: str, layer: nn.Module) -> None:
        for name in layer.state_dict():
            pairs[f"{theirs}.{name}"] = f"{ours}.{name}"

    dense = cascade.dense
    assert isinstance(dense, DNet)
    for level, down in enumerate(dense.encoder, 1):
        assert isinstance(down, Down)
        conv = "layer1.layer1" if level == 1 else f"layer{level}.layer{level}conv"
        add(conv, f"dense.encoder.{level - 1}.conv", down.conv)
        add(f"layer{level}.layer{level}bn", f"dense.encoder.{level - 1}.norm", down.norm)
    for index, up in enumerate(dense.decoder):
        assert isinstance(up, Up)
        level = len(dense.decoder) - index
        add(f"dlayer{level}.dlayer{level}tconv", f"dense.decoder.{index}.conv", up.conv)
        add(f"dlayer{level}.dlayer{level}bn", f"dense.decoder.{index}.norm", up.norm)
    for index, name in ((1, "conv_1"), (2, "bn_1"), (4, "conv_2"), (5, "bn_2"), (7, "conv_3")):
        add(f"add_transpose_{name}", f"dense.tail.{index}", dense.tail[index])
    _add_columns(add, "FNet", "", "fine", cascade.fine)
    _add_columns(add, "FrNet", "_stage1", "finer", cascade.finer)
    for stage, name in ((2, "half_block"), (3, "full_block")):
        block, ours = cascade.finer.get_submodule(name), f"finer.{name}"
        assert isinstance(block, Block)
        _add_fuse_and_head(add, "FrNet", f"_stage{stage}", ours, ours, block.fuse, block.head)
        add(f"FrNet.conv2_stage{stage}", f"{ours}.conv", block.conv)
        for index, layer in enumerate(block.joined):
            add(f"FrNet.conv{5 + index}_stage{stage}", f"{ours}.joined.{index}", layer)
    return pairs


def _add_columns(add: Add, theirs: str, suffix: str, ours: str, network: nn.Module) -> None:
    assert isinstance(network, (FNet, FrNet))
    trunk = network.trunk
    _add_fuse_and_head(add, theirs, suffix, f"{ours}.trunk", ours, trunk.fuse, network.head)
    for number in range(2, 8):
        conv = trunk.get_submodule(f"conv{number}")
        add(f"{theirs}.conv{number}{suffix}", f"{ours}.trunk.conv{number}", conv)


def _add_fuse_and_head(
    add: Add, theirs: str, suffix: str, fuse_in: str, head_in: str, fuse: Fuse, head: Head
) -> None:
    add(f"{theirs}.conv1_d{suffix}", f"{fuse_in}.fuse.depth", fuse.depth)
    add(f"{theirs}.conv1_c{suffix}", f"{fuse_in}.fuse.photo", fuse.photo)
    for index, name in enumerate(("conv8", "conv9", "out")):
        add(f"{theirs}.{name}{suffix}", f"{head_in}.head.layers.{index}", head.layers[index])
