"""The photograph that `df2net demo` and the web demo show: it ships inside scikit-image.

Eileen Collins, NASA astronaut; the picture is in the public domain.
"""

from importlib.util import find_spec
from pathlib import Path


def demo_photo() -> Path:
    """Where the photograph lies on this machine; scikit-image is not imported for it."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise FileNotFoundError(
            "the demo photograph ships inside scikit-image, which is not installed: "
            "pip install scikit-image, or use a photograph of your own: df2net reconstruct FILE"
        )
    return Path(package.origin).parent / "data" / "astronaut.png"
