"""What the stage networks share: strict saving and loading through the Hugging Face Hub mixin.

The mixin alone loads weights non-strictly, drops unknown config keys, only warns of a missing
`config.json`, takes pickles, and writes in place. Here every mismatch is an error that names the key,
weights are safetensors only, and a file is replaced whole or not at all.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar

import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin, snapshot_download
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from typing_extensions import Self

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place if the block succeeds."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
    known = [field.name for field in fields(config_class)]
    for key in values:
        if key not in known:
            raise ValueError(f"{where}: unknown config key {key!r}; known: {', '.join(known)}")
    for key in known:
        if key not in values:
            raise ValueError(f"{where}: config key {key!r} is missing; it has {', '.join(values) or 'none'}")
    try:
        return config_class(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def load_strictly(model: nn.Module, path: Path) -> None:
    """Load a safetensors file into `model`; every tensor must be there, of the right shape, no other.

    Half-precision tensors are converted to the model's own type.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or names the key that does not fit.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; only safetensors weights are loaded")
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged ({error}); download or copy it again") from error
    own = model.state_dict()
    for key in own:
        if key not in tensors:
            raise ValueError(f"{path}: tensor {key!r} is missing for {type(model).__name__}")
    for key, tensor in tensors.items():
        if key not in own:
            raise ValueError(f"{path}: unexpected tensor {key!r} for {type(model).__name__}")
        if tensor.shape != own[key].shape:
            raise ValueError(
                f"{path}: tensor {key!r} has shape {tuple(tensor.shape)}, "
                f"{type(model).__name__} needs {tuple(own[key].shape)}"
            )
    model.load_state_dict(tensors, strict=True)


class StageModel(nn.Module, PyTorchModelHubMixin):
    """A stage network: built as `cls(config)`, saved as config.json and model.safetensors.

    A subclass sets `config_class`, a frozen flat dataclass whose defaults are the paper's.
    """

    config_class: ClassVar[type]
    config: Any

    def __init__(self, config: Any) -> None:
        super().__init__()
        if not isinstance(config, self.config_class):
            raise ValueError(
                f"{type(self).__name__} takes a {self.config_class.__name__}, got {type(config).__name__}"
            )
        self.config = config

    def save_weights(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write config.json and model.safetensors into `folder`, floats as `dtype` if given."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            key: value.to(dtype if dtype and value.is_floating_point() else value.dtype).contiguous()
            for key, value in self.state_dict().items()
        }
        with written_whole(folder / WEIGHTS_FILE) as path:
            save_file(tensors, path, metadata={"format": "pt"})
        with written_whole(folder / CONFIG_FILE) as path:
            path.write_text(json.dumps(asdict(self.config), indent=2) + "\n", encoding="utf-8")

    def _save_pretrained(self, save_directory: Path) -> None:
        self.save_weights(save_directory)

    @classmethod
    def from_pretrained(cls, source: str | Path, **download: Any) -> Self:  # type: ignore[override]
        """Load from a folder or from "owner/name" on the hub.

        `download` goes to `huggingface_hub.snapshot_download`: `revision`, `cache_dir`, `token`,
        `local_files_only`.

        Raises:
            FileNotFoundError: a file is missing.
            ValueError: the config or the weights do not fit; names the key.
        """
        folder = Path(source)
        if not folder.is_dir():
            wanted = [CONFIG_FILE, WEIGHTS_FILE]
            folder = Path(snapshot_download(str(source), allow_patterns=wanted, **download))
        values = read_json(folder / CONFIG_FILE)
        model = cls(parse_config(cls.config_class, values, str(folder / CONFIG_FILE)))
        load_strictly(model, folder / WEIGHTS_FILE)
        return model.eval()

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The card that `save_pretrained` and `push_to_hub` write beside the weights."""
        from df2net_hub.model_card import CardPart, stage_card
        from df2net_hub.registry import model_entry, name_of

        name = name_of(self)
        parameters = sum(p.numel() for p in self.parameters())
        return stage_card(CardPart(model_entry(name).slot, name, parameters))


def require(condition: bool, message: str) -> None:
    """Raise ValueError(message) unless `condition`; for the checks of configs."""
    if not condition:
        raise ValueError(message)
