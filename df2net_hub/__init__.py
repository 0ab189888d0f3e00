"""df2net_hub: a detailed 3D face from one photograph, after DF2Net (ICCV 2019)."""

from pathlib import Path as _Path

__version__ = "0.1.0"

# `modeling/` and `pipelines/` stand beside this folder in a checkout and inside it once installed.
# With the checkout's root on sys.path this folder hides an installed copy, so look beside it too.
_root = _Path(__file__).resolve().parent.parent
if (_root / "pyproject.toml").is_file() and (_root / "modeling").is_dir():
    __path__.append(str(_root))
