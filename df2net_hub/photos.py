"""Reading photographs: whatever cameras, scanners and editors write, as upright 8-bit RGB."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SMALLEST_SIDE = 32  # px; no detector finds a face in less


class PhotoError(ValueError):
    """A photograph that cannot be used; the message names it and says what to do."""


def load_photo(photo: str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """A photograph as (H,W,3) uint8 sRGB, turned upright as its EXIF orientation says.

    Gray, palette, CMYK and 16-bit pictures are converted; transparency is laid over white.

    Args:
        photo: a path, a PIL image, or an array, which must be (H,W,3) uint8 RGB already.

    Raises:
        PhotoError: no such file, no picture, a damaged or a tiny one, or an array of another kind.
    """
    if isinstance(photo, np.ndarray):
        name, pixels = "the array", photo
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
            given = f"{photo.dtype} of shape {photo.shape}"
            raise PhotoError(f"a photo as an array must be uint8 of shape (H,W,3), got {given}")
    elif isinstance(photo, Image.Image):
        name, pixels = "the image", _pixels(photo)
    else:
        name, pixels = str(photo), _read(Path(photo))
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise PhotoError(
            f"{name} is {width} x {height} pixels; a face needs {SMALLEST_SIDE} x {SMALLEST_SIDE} "
            "and more"
        )
    return np.ascontiguousarray(pixels)


def _read(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return _pixels(image)
    except FileNotFoundError as error:
        raise PhotoError(f"{path} does not exist") from error
    except IsADirectoryError as error:
        raise PhotoError(f"{path} is a folder; give a photograph") from error
    except PermissionError as error:
        raise PhotoError(f"{path} may not be read; check its permissions") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{path} is no picture, or of a format that Pillow does not read; convert it to JPEG "
            "or PNG"
        ) from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{path} has too many pixels; make it smaller") from error
    except PhotoError as error:
        raise PhotoError(f"{path}: {error}") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for damaged files
        raise PhotoError(f"{path} is damaged ({error}); copy or export it again") from error


def _pixels(image: Image.Image) -> np.ndarray:
    """Upright RGB of an opened image (H,W,3) uint8."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16-bit gray, as "I;16" or, from some files, as 32-bit "I"
        gray = np.asarray(image).astype(np.int64)
        if gray.min() < 0 or gray.max() > 65535:
            raise PhotoError("gray levels beyond 16 bits; convert it to 8 or 16 bits")
        return np.repeat((gray // 257).astype(np.uint8)[..., None], 3, axis=2)
    if image.mode == "F":
        raise PhotoError("floating-point gray, whose range is unknown; convert it to 8 or 16 bits")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))
