"""df2net_hub: a detailed 3D face from one photograph, after DF2Net (ICCV 2019)."""

from pathlib import Path as _Path

__version__ = "0.1.0"

# `modeling/` and `pipelines/` stand beside this folder in a checkout and inside it once installed.
# With the checkout's root on sys.path this folder hides an installed copy, so look beside it too.
_root = _Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file() and (_root / "modeling").is_dir():
    __path__.append(str(_root))

from df2net_hub.faces import DlibDetector, FaceBox  # noqa: E402  the path above comes first
from df2net_hub.modeling.cascade import DF2Net  # noqa: E402
from df2net_hub.photos import PhotoError  # noqa: E402
from df2net_hub.pipelines.df2net import DF2NetPipeline  # noqa: E402
from df2net_hub.registry import create_model, list_models, register_model  # noqa: E402
from df2net_hub.result import Face, Reconstruction  # noqa: E402

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
