"""The converter, proven by what the authors' network computes, and on files that it must refuse."""

import io
import pickle
import re
import struct
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from df2net_hub import cli
from df2net_hub.model_card import TrainingRecord
from df2net_hub.modeling.cascade import DF2Net
from df2net_hub.modeling.convert import UNUSED, load_checkpoint, release_names
from df2net_hub.registry import create_model

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference"
needs_reference = pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="needs the shared reference folder beside the checkout"
)


def made_weights(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """The tensor `key` of the golden pass with `seed`, by the rule of released_network.md."""
    rng = np.random.default_rng([seed, zlib.crc32(key.encode())])
    if key.endswith("num_batches_tracked"):
        return torch.tensor(1)
    is_scale = key.endswith("bn.weight") or ("transpose_bn" in key and key.endswith("weight"))
    if key.endswith("running_var"):
        values = rng.uniform(0.5, 1.5, shape)
    elif key.endswith("running_mean"):
        values = rng.normal(0, 0.1, shape)
    elif len(shape) == 1:
        values = rng.uniform(0.5, 1.5, shape) if is_scale else rng.normal(0, 0.05, shape)
    else:
        values = rng.normal(0, np.sqrt(1.6 / np.prod(shape[1:])), shape)
    return torch.from_numpy(values.astype(np.float32))


def made_checkpoint(seed: int) -> dict[str, dict[str, Tensor]]:
    lines = (REFERENCE / "released_checkpoint_keys.tsv").read_text().splitlines()
    tensors = {}
    for line in lines:
        key, form, _ = line.split("\t")
        shape = () if form == "scalar" else tuple(map(int, form.split("x")))
        tensors[f"module.{key}"] = made_weights(key, shape, seed)
    return {"state_dict": tensors}


@pytest.fixture(scope="module")
def hollow() -> dict[str, Tensor]:
    """A checkpoint of the right keys and shapes whose tensors take no room: one zero each."""
    with torch.device("meta"):
        release = create_model("df2net_release")
    own = release.state_dict()
    keys = {theirs: own[ours].shape for theirs, ours in release_names(release).items()}
    keys |= {key: (1,) for key in UNUSED}
    return {f"module.{key}": torch.zeros(()).expand(shape) for key, shape in keys.items()}


def saved(folder: Path, content: object) -> Path:
    path = folder / "DF2Net.pth.tar"
    torch.save(content, path)
    return path


@needs_reference
def test_the_converted_network_computes_what_the_released_one_does(tmp_path: Path) -> None:
    golden = np.load(REFERENCE / "released_forward_golden.npz")
    path = saved(tmp_path, made_checkpoint(20190))
    cascade = load_checkpoint(path)
    assert cli.main(["convert", str(path), str(tmp_path / "out")]) == 0
    photo = np.random.default_rng(20190).uniform(-1, 1, (1, 3, 512, 512)).astype(np.float32)

    again = DF2Net.from_folder(tmp_path / "out")
    with torch.inference_mode():
        stages = again(torch.from_numpy(photo))

    computed = dict(zip(("dense", "fine", "residual", "final"), stages, strict=False))
    for name, depth in computed.items():
        np.testing.assert_allclose(depth[0, 0, 3::8, 5::8].numpy(), golden[name], atol=2e-4, rtol=0)
    assert stages.mask_logits is None
    for key, value in cascade.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_the_layers_that_the_release_never_uses_are_dropped_and_named(
    hollow: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cascade = load_checkpoint(saved(tmp_path, {"state_dict": hollow}))
    assert sum(parameter.numel() for parameter in cascade.parameters()) == 55_109_060
    (message,) = caplog.messages
    assert len(UNUSED) == 8 and all(key in message for key in UNUSED)


def test_the_converted_folder_says_whose_weights_these_are(
    hollow: dict[str, Tensor], tmp_path: Path
) -> None:
    path = saved(tmp_path, {"state_dict": hollow})
    assert cli.main(["convert", str(path), str(tmp_path / "out")]) == 0
    assert TrainingRecord.read(tmp_path / "out").origin == "authors"
    index = (tmp_path / "out" / "model_index.json").read_text()
    assert '"residual_on": "dense"' in index and '"residual_gain": 3.0' in index


def test_the_keys_of_the_release_are_those_of_its_table(hollow: dict[str, Tensor]) -> None:
    if not REFERENCE.is_dir():
        pytest.skip("needs the shared reference folder beside the checkout")
    lines = (REFERENCE / "released_checkpoint_keys.tsv").read_text().splitlines()
    assert {f"module.{line.split(chr(9))[0]}" for line in lines} == set(hollow)


def python_2_bytes(content: object) -> bytes:
    """`content` as torch.save of Python 2 wrote it: one old pickle, strings as byte strings."""

    class Pickler(pickle._Pickler):
        dispatch = dict(pickle._Pickler.dispatch)

        def save_str(self, text: str) -> None:
            raw = text.encode()
            self.write(pickle.SHORT_BINSTRING + struct.pack("<B", len(raw)) + raw)
            self.memoize(text)

        dispatch[str] = save_str

    def dump(value: object, file: io.BytesIO, protocol: int) -> None:
        Pickler(file, protocol).dump(value)

    module = types.SimpleNamespace(__name__="pickle", Pickler=Pickler, dump=dump)
    file = io.BytesIO()
    torch.save(content, file, pickle_module=module, _use_new_zipfile_serialization=False)
    return file.getvalue()


def test_a_checkpoint_of_python_2_is_read(hollow: dict[str, Tensor], tmp_path: Path) -> None:
    hollow = hollow | {"module.FNet.out.bias": torch.tensor([0.25])}
    path = tmp_path / "DF2Net.pth.tar"
    path.write_bytes(python_2_bytes({"epoch": 3, "state_dict": hollow}))
    assert load_checkpoint(path).fine.state_dict()["head.layers.2.bias"].item() == 0.25


def test_half_precision_tensors_become_float32(hollow: dict[str, Tensor], tmp_path: Path) -> None:
    hollow = hollow | {"module.FNet.out.bias": torch.tensor([0.25], dtype=torch.float16)}
    bias = load_checkpoint(saved(tmp_path, {"state_dict": hollow})).fine.head.layers[2].bias
    assert bias.dtype == torch.float32 and bias.item() == 0.25


def test_a_checkpoint_without_the_prefix_is_read_too(
    hollow: dict[str, Tensor], tmp_path: Path
) -> None:
    bare = {key.removeprefix("module."): value for key, value in hollow.items()}
    assert isinstance(load_checkpoint(saved(tmp_path, {"state_dict": bare})), DF2Net)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"module.FNet.conv3.weight": None}, ["'FNet.conv3.weight' is missing"]),
        (
            {"module.FrNet.conv5_stage2.weight": torch.zeros(64, 64, 3, 3)},
            ["'FrNet.conv5_stage2.weight'", "(64, 64, 3, 3)", "(64, 96, 3, 3)"],
        ),
        ({"module.FNet.conv10.weight": torch.zeros(1)}, ["unexpected", "'FNet.conv10.weight'"]),
        ({"module.FNet.out.bias": "zero"}, ["'FNet.out.bias' is a str"]),
    ],
    ids=["missing", "misshapen", "unexpected", "no tensor"],
)
def test_a_key_that_does_not_fit_is_named_and_nothing_is_written(
    change: dict[str, object],
    words: list[str],
    hollow: dict[str, Tensor],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = {key: value for key, value in (hollow | change).items() if value is not None}
    path = saved(tmp_path, {"state_dict": changed})
    assert cli.main(["convert", str(path), str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert all(word in said for word in (str(path), *words)), said
    assert not (tmp_path / "out").exists()


class Malice:
    """Unpickled by an ordinary loader, it makes the file named `ran`."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.ran,)


def test_a_pickle_that_wants_to_run_code_is_refused_unrun(tmp_path: Path) -> None:
    path = saved(tmp_path, {"state_dict": {"module.layer1": Malice(tmp_path / "ran")}})
    with pytest.raises(ValueError, match="wants to run .*, which is refused"):
        load_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_cut_anywhere_is_a_clear_error(tmp_path: Path) -> None:
    old = python_2_bytes({"state_dict": {"module.layer1": torch.zeros(3)}})
    torch.save({"state_dict": {"module.layer1": torch.zeros(3)}}, tmp_path / "new")
    new = (tmp_path / "new").read_bytes()
    path = tmp_path / "DF2Net.pth.tar"
    for content in (old, new):
        for size in range(0, len(content) - 1, 23):
            path.write_bytes(content[:size])
            with pytest.raises(ValueError, match="or was cut short|is refused"):
                load_checkpoint(path)


@pytest.mark.parametrize(
    "content, words",
    [
        ([1, 2], "has no dict 'state_dict'; found list"),
        ({"weights": {}, "epoch": 3}, "has no dict 'state_dict'; found weights, epoch"),
        ({"state_dict": [1]}, "has no dict 'state_dict'; found state_dict"),
        ({"state_dict": {}}, "'layer1.layer1.weight' is missing"),
    ],
    ids=["a list", "other keys", "a list as state_dict", "an empty state_dict"],
)
def test_another_checkpoint_is_a_clear_error(content: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        load_checkpoint(saved(tmp_path, content))


def test_a_missing_file_and_a_text_file_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file .*nowhere.pth"):
        load_checkpoint(tmp_path / "nowhere.pth")
    (tmp_path / "notes.txt").write_text("these are no weights\n")
    with pytest.raises(ValueError, match=r"notes\.txt is not a PyTorch checkpoint"):
        load_checkpoint(tmp_path / "notes.txt")
