"""What the stage networks share: strict saving and loading through the Hugging Face Hub mixin.

The mixin alone loads weights non-strictly, drops unknown config keys, only warns of a missing
`config.json`, takes pickles, and writes in place. Here every mismatch is an error that names the
key, weights are safetensors only, and no file is seen half written.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_origin, get_type_hints

import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin, snapshot_download
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from df2net_hub.model_card import CardPart, stage_card
from df2net_hub.registry import model_entry, name_of

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
STAGED = ".saving-"  # begins the name of a folder that is being written

Stage = TypeVar("Stage", bound="StageModel")


class StageModel(nn.Module, PyTorchModelHubMixin):
    """A stage network: built as `cls(config)`, saved as config.json and model.safetensors.

    A subclass sets `config_class`, a frozen flat dataclass whose defaults are the paper's.
    """

    config_class: ClassVar[type]
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        if not isinstance(config, self.config_class):
            wanted, given = self.config_class.__name__, type(config).__name__
            raise ValueError(f"{type(self).__name__} takes a {wanted}, got {given}")
        self.config = config

    def save_weights(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors into `folder`.

        `dtype` torch.float16 halves the file: it applies to the kernels, not to biases and batch
        statistics. Whatever a file holds is loaded as float32.
        """
        tensors = {
            key: value.to(dtype if value.dim() > 1 else None).contiguous()
            for key, value in self.state_dict().items()
        }
        (folder / WEIGHTS_FILE).write_bytes(save(tensors, metadata={"format": "pt"}))
        config = json.dumps(asdict(self.config), indent=2)
        (folder / CONFIG_FILE).write_text(config + "\n", encoding="utf-8")

    def save_pretrained(  # type: ignore[override]  # no options that would be dropped in silence
        self,
        save_directory: str | Path,
        *,
        dtype: torch.dtype | None = None,
        config: None = None,
        model_card_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Write config, weights and model card; see `save_weights` for `dtype`.

        `config` is the mixin's and must stay None: a network is saved with its own.
        `model_card_kwargs` go to `generate_model_card`.
        """
        if config is not None:
            raise ValueError(
                f"{type(self).__name__} is saved with its own config; leave out config"
            )
        with staged_folder(Path(save_directory)) as staged:
            self.save_weights(staged, dtype)
            self.generate_model_card(**(model_card_kwargs or {})).save(staged / "README.md")

    @classmethod
    def from_pretrained(  # type: ignore[override]  # no options that would be dropped in silence
        cls: type[Stage], source: str | Path, *, subfolder: str = "", **download: Any
    ) -> Stage:
        """Load from a folder or from "owner/name" on the hub, in evaluation mode.

        `subfolder` is a stage of a pipeline: "dense", "fine" or "finer". `download` goes to
        `huggingface_hub.snapshot_download`: `revision`, `cache_dir`, `token`, `local_files_only`.

        Raises:
            FileNotFoundError: a file is missing, or the source is neither folder nor model id.
            ValueError: the config or the weights do not fit; names the key.
        """
        folder = Path(source)
        if not folder.is_dir():
            wanted = [str(Path(subfolder) / file) for file in (CONFIG_FILE, WEIGHTS_FILE)]
            folder = _download(str(source), wanted, **download)
        return cls.from_folder(folder / subfolder)

    @classmethod
    def from_folder(cls: type[Stage], folder: str | Path) -> Stage:
        """Load config.json and model.safetensors of `folder`; see `from_pretrained`."""
        config_path = Path(folder) / CONFIG_FILE
        model = cls(parse_config(cls.config_class, read_json(config_path), str(config_path)))
        load_strictly(model, Path(folder) / WEIGHTS_FILE)
        return model.eval()

    def generate_model_card(self, **facts: Any) -> ModelCard:
        """The card beside the weights; `facts` go to `df2net_hub.model_card.stage_card`."""
        name = name_of(self)
        parameters = sum(parameter.numel() for parameter in self.parameters())
        return stage_card(CardPart(model_entry(name).slot, name, parameters), **facts)


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder whose files move into `folder` once the block ends without an error.

    They move one by one. What a killed process left behind of such a folder is removed.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{STAGED}*"):
        shutil.rmtree(left)
    try:
        with tempfile.TemporaryDirectory(prefix=STAGED, dir=folder) as staged:
            yield Path(staged)
            for path in sorted(Path(staged).rglob("*")):
                target = folder / path.relative_to(staged)
                if path.is_dir():
                    target.mkdir(exist_ok=True)
                else:
                    path.replace(target)
    except BaseException:
        if is_new and not any(folder.iterdir()):
            folder.rmdir()
        raise


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a saved model needs it")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(value).__name__}")
    return value


def parse_config(config_class: type, values: dict[str, Any], where: str) -> Any:
    """Build a config dataclass from `values`; every field must be there and no other.

    Raises:
        ValueError: names the key that is unknown, missing or refused by the config, and `where`.
    """
    hints = get_type_hints(config_class)
    kinds = {field.name: hints[field.name] for field in fields(config_class)}
    for key in values:
        if key not in kinds:
            raise ValueError(f"{where}: unknown config key {key!r}; known: {', '.join(kinds)}")
    for key in kinds:
        if key not in values:
            found = ", ".join(values) or "none"
            raise ValueError(f"{where}: config key {key!r} is missing; it has {found}")
    try:
        return config_class(**{key: _decoded(key, values[key], kinds[key]) for key in kinds})
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _decoded(key: str, value: Any, wanted: Any) -> Any:
    """A JSON value as the type of its field: JSON has no tuples, and 1 and 1.0 are one number."""
    kind = get_origin(wanted) or wanted
    if kind is tuple and isinstance(value, list):
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if kind in (bool, int, float, str, tuple) and type(value) is not kind:
        raise ValueError(f"config key {key!r} takes {kind.__name__}, got {value!r}")
    return value


def load_strictly(model: nn.Module, path: Path) -> None:
    """Load a safetensors file into `model`; every tensor there, of its shape, no other.

    Half-precision tensors are converted to the model's own type.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or names the key that does not fit.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; only safetensors weights are loaded")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}); download or copy it again") from error
    own, kind = model.state_dict(), type(model).__name__
    for key in own:
        if key not in tensors:
            raise ValueError(f"{path}: tensor {key!r} is missing for {kind}")
    for key, tensor in tensors.items():
        if key not in own:
            raise ValueError(f"{path}: unexpected tensor {key!r} for {kind}")
        if tensor.shape != own[key].shape:
            given, needed = tuple(tensor.shape), tuple(own[key].shape)
            raise ValueError(f"{path}: tensor {key!r} has shape {given}, {kind} needs {needed}")
        if tensor.is_floating_point() != own[key].is_floating_point():
            raise ValueError(
                f"{path}: tensor {key!r} is {tensor.dtype}, {kind} needs {own[key].dtype}"
            )
    model.load_state_dict(tensors, strict=True)


def require(condition: bool, message: str) -> None:
    """Raise ValueError(message) unless `condition`; for the checks of configs."""
    if not condition:
        raise ValueError(message)


def _download(source: str, wanted: list[str], **download: Any) -> Path:
    if source.count("/") != 1 or source.startswith((".", "/", "~")):
        raise FileNotFoundError(
            f"no folder {source!r}, and it is no model id of the form owner/name either"
        )
    return Path(snapshot_download(source, allow_patterns=wanted, **download))
