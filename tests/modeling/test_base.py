"""Saving and loading of a stage: each trap of the hub mixin, closed."""

import json
import resource
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, staged_folder
from df2net_hub.modeling.dnet import DNet, DNetConfig
from df2net_hub.modeling.fnet import FNet, FNetConfig


@dataclass(frozen=True)
class PyramidConfig:
    channels: tuple[int, ...] = (1, 2)
    gain: float = 1.0


class Pyramid(StageModel):
    """A stage with a tuple in its config and a submodule of the name that the mixin mistakes."""

    config_class = PyramidConfig

    def __init__(self, config: PyramidConfig = PyramidConfig()) -> None:
        super().__init__(config)
        self.module = nn.Conv2d(*config.channels, 1)
        self.outside = nn.Parameter(torch.zeros(3))

    def forward(self, photo: Tensor) -> Tensor:
        return self.config.gain * self.module(photo)


@pytest.fixture
def fnet() -> FNet:
    torch.manual_seed(0)
    return FNet(FNetConfig(width=1)).eval()


@pytest.fixture
def folder(fnet: FNet, tmp_path: Path) -> Path:
    fnet.save_pretrained(tmp_path / "fnet")
    return tmp_path / "fnet"


def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    photo = torch.rand(1, 3, 16, 16, generator=generator) * 2 - 1
    return photo, torch.rand(1, 1, 16, 16, generator=generator)


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def test_a_saved_stage_comes_back_bit_equal_in_evaluation_mode(fnet: FNet, folder: Path) -> None:
    again = FNet.from_pretrained(folder)
    assert again.config == fnet.config and not again.training
    assert torch.equal(again(*inputs()), fnet(*inputs()))
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]


def test_a_stage_of_a_pipeline_is_loaded_by_its_subfolder(fnet: FNet, folder: Path) -> None:
    again = FNet.from_pretrained(folder.parent, subfolder="fnet")
    assert torch.equal(again(*inputs()), fnet(*inputs()))


def test_channels_last_weights_are_saved(tmp_path: Path) -> None:
    dnet = DNet(DNetConfig(width=2, levels=2)).to(memory_format=torch.channels_last)
    dnet.save_pretrained(tmp_path)
    for key, value in DNet.from_pretrained(tmp_path).state_dict().items():
        assert torch.equal(value, dnet.state_dict()[key]), key


def test_half_precision_on_disk_is_float32_again_once_loaded(tmp_path: Path) -> None:
    dnet = DNet(DNetConfig(width=4, levels=3))
    dnet.save_pretrained(tmp_path / "half", dtype=torch.float16)
    dnet.save_pretrained(tmp_path / "full")
    sizes = [(tmp_path / kind / "model.safetensors").stat().st_size for kind in ("half", "full")]
    assert sizes[0] < 0.7 * sizes[1]

    stored = load_file(tmp_path / "half" / "model.safetensors")
    assert stored["encoder.1.conv.weight"].dtype == torch.float16
    assert stored["encoder.1.norm.running_var"].dtype == torch.float32
    again = DNet.from_pretrained(tmp_path / "half")
    for key, value in again.state_dict().items():
        own = dnet.state_dict()[key]
        assert value.dtype == own.dtype
        assert torch.equal(value, own.half().float() if own.dim() > 1 else own), key


def test_a_tuple_of_the_config_comes_back_as_a_tuple(tmp_path: Path) -> None:
    pyramid = Pyramid(PyramidConfig(channels=(3, 5), gain=2.0))
    pyramid.save_weights(tmp_path)
    assert Pyramid.from_pretrained(tmp_path).config == PyramidConfig(channels=(3, 5), gain=2.0)


def test_a_submodule_named_module_does_not_hide_the_rest(tmp_path: Path) -> None:
    Pyramid().save_weights(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    assert set(stored) == {"module.weight", "module.bias", "outside"}


def test_a_whole_number_in_json_is_a_float_where_the_config_wants_one(folder: Path) -> None:
    change_config(folder, depth_range=1)
    assert FNet.from_pretrained(folder).config == FNetConfig(width=1, depth_range=1.0)


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {"widht": 1},
            "unknown config key 'widht'; known: width, residual, depth_range, working_size",
        ),
        (
            {"residual": None},
            "config key 'residual' is missing; it has width, depth_range, working_size",
        ),
        ({"width": "8"}, "config key 'width' takes int, got '8'"),
        ({"width": True}, "config key 'width' takes int, got True"),
        ({"width": 8.0}, "config key 'width' takes int, got 8.0"),
        ({"width": 0}, "FNetConfig.width must be positive, got 0"),
    ],
)
def test_a_config_key_that_does_not_fit_is_named(
    changes: dict[str, object], words: str, folder: Path
) -> None:
    change_config(folder, **changes)
    with pytest.raises(ValueError) as error:
        FNet.from_pretrained(folder)
    assert str(error.value) == f"{folder / 'config.json'}: {words}"


def test_a_missing_config_is_an_error(folder: Path) -> None:
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"config\.json is missing"):
        FNet.from_pretrained(folder)


@pytest.mark.parametrize(
    "text, words", [("{", "is not JSON"), ("[1]", "must hold a JSON object, got list")]
)
def test_a_damaged_config_is_named(text: str, words: str, folder: Path) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ValueError, match=rf"config\.json {words}"):
        FNet.from_pretrained(folder)


def test_weights_are_read_as_safetensors_only(fnet: FNet, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(fnet.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match="only safetensors weights are loaded"):
        FNet.from_pretrained(folder)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_weights_cut_short_are_an_error_of_one_line(share: float, folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match="is damaged .* download or copy it again") as error:
        FNet.from_pretrained(folder)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"trunk.conv2.bias": None}, "tensor 'trunk.conv2.bias' is missing for FNet"),
        ({"trunk.conv9.bias": torch.zeros(2)}, "unexpected tensor 'trunk.conv9.bias' for FNet"),
        (
            {"trunk.conv2.bias": torch.zeros(3)},
            "tensor 'trunk.conv2.bias' has shape (3,), FNet needs (2,)",
        ),
        (
            {"trunk.conv2.bias": torch.zeros(2, dtype=torch.int64)},
            "tensor 'trunk.conv2.bias' is torch.int64, FNet needs torch.float32",
        ),
    ],
    ids=["missing", "unexpected", "misshapen", "whole numbers"],
)
def test_a_tensor_that_does_not_fit_is_named(
    changes: dict[str, Tensor | None], words: str, folder: Path
) -> None:
    path = folder / "model.safetensors"
    changed = {**load_file(path), **changes}
    save_file({key: value for key, value in changed.items() if value is not None}, path)
    with pytest.raises(ValueError) as error:
        FNet.from_pretrained(folder)
    assert str(error.value) == f"{path}: {words}"


def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    for source in (tmp_path / "nowhere", "./nowhere", "nowhere", "a/b/c"):
        with pytest.raises(FileNotFoundError, match="it is no model id"):
            FNet.from_pretrained(source)


def test_a_stage_takes_only_its_own_config() -> None:
    with pytest.raises(ValueError, match="FNet takes a FNetConfig, got DNetConfig"):
        FNet(DNetConfig())
    with pytest.raises(ValueError, match="FNet takes a FNetConfig, got dict"):
        FNet({"width": 8})


def test_a_stage_is_saved_with_its_own_config_only(fnet: FNet, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="saved with its own config"):
        fnet.save_pretrained(tmp_path / "out", config=replace(fnet.config, width=2))
    with pytest.raises(TypeError, match="push_to_hub"):
        fnet.save_pretrained(tmp_path / "out", push_to_hub=True)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_whole_leaves_the_folder_as_it_was(fnet: FNet, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))  # as on a full disk
    try:
        with pytest.raises(OSError):
            FNet(FNetConfig(width=4)).save_pretrained(folder)
        with pytest.raises(OSError):
            FNet(FNetConfig(width=4)).save_pretrained(folder.parent / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert not (folder.parent / "new").exists()


def test_saving_again_replaces_the_files_and_leaves_strangers_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine")
    FNet(FNetConfig(width=2)).save_pretrained(folder)
    assert FNet.from_pretrained(folder).config.width == 2
    assert (folder / "notes.txt").read_text() == "mine"
    assert len(list(folder.iterdir())) == 4


def test_what_a_killed_process_left_of_a_staged_folder_is_removed(tmp_path: Path) -> None:
    left = tmp_path / ".saving-abc"
    left.mkdir()
    (left / "model.safetensors").write_bytes(b"half")
    with staged_folder(tmp_path) as staged:
        (staged / "config.json").write_text("{}")
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_staged_folder_takes_subfolders_along(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "out") as staged:
        (staged / "a").mkdir()
        (staged / "a" / "b.txt").write_text("b")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == [
        "out",
        "out/a",
        "out/a/b.txt",
    ]
