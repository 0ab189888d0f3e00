"""df2net_hub: a detailed 3D face from one photograph, after DF2Net (ICCV 2019)."""

from importlib import import_module as _import_module
from pathlib import Path as _Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# `modeling/` and `pipelines/` stand beside this folder in a checkout and inside it once installed.
# With the checkout's root on sys.path this folder hides an installed copy, so look beside it too.
_root = _Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file() and (_root / "modeling").is_dir():
    __path__.append(str(_root))

# Names are loaded when they are first asked for: processes that render pairs need no torch.
_HOMES = {
    "DF2Net": "modeling.cascade",
    "DF2NetPipeline": "pipelines.df2net",
    "DlibDetector": "faces",
    "Face": "result",
    "FaceBox": "faces",
    "PhotoError": "photos",
    "Reconstruction": "result",
    "create_model": "registry",
    "list_models": "registry",
    "register_model": "registry",
}
__all__ = [
    "DF2Net",
    "DF2NetPipeline",
    "DlibDetector",
    "Face",
    "FaceBox",
    "PhotoError",
    "Reconstruction",
    "create_model",
    "list_models",
    "register_model",
]

if TYPE_CHECKING:
    from df2net_hub.faces import DlibDetector, FaceBox
    from df2net_hub.modeling.cascade import DF2Net
    from df2net_hub.photos import PhotoError
    from df2net_hub.pipelines.df2net import DF2NetPipeline
    from df2net_hub.registry import create_model, list_models, register_model
    from df2net_hub.result import Face, Reconstruction


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
