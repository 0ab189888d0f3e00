"""Folder of .hdr panoramas -> `environments.npz` and tone-mapped backgrounds.

Panoramas are latitude-longitude (equirectangular), twice as wide as high, row 0 up, linear RGB; so
are Poly Haven's.
"""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from df2net_hub.set_manifest import replace_file

HEIGHT = 64
BACKGROUND_HEIGHT = 512
LARGEST = 60000.0  # radiance; float16 ends at 65504
KEY = 0.18  # where the geometric mean of the luminance goes, of Reinhard's tone curve
GAMMA = 2.2
JPEG_QUALITY = 92


def panorama_paths(folder: str | Path) -> list[Path]:
    """The panoramas of `folder`, by name; .exr files are among them, so that they are refused.

    Raises:
        FileNotFoundError: no such folder, or none in it.
    """
    folder = Path(folder)
    paths = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".hdr", ".exr"))
    if not paths:
        raise FileNotFoundError(f"{folder} holds no .hdr panorama; see docs/assets.md")
    return paths


def read_panorama(path: str | Path) -> np.ndarray:
    """(h,2h,3) float32 linear RGB.

    Raises:
        ValueError: the file cannot be read, holds NaN, is all black, or is not twice as wide as
            high.
    """
    if Path(path).suffix.lower() == ".exr":  # OpenCV 5 has no EXR, 4 has it off by default
        raise ValueError(
            f"{path} is OpenEXR, which is not read: download the .hdr instead, or save it as "
            "Radiance .hdr (Blender does)"
        )
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if picture is None:
        raise ValueError(f"{path} is no whole .hdr picture that can be read")
    height, width = picture.shape[:2]
    if width != 2 * height:
        raise ValueError(
            f"{path} is {width} x {height} px; an equirectangular panorama is twice as wide as high"
        )
    radiance = picture[..., ::-1].astype(np.float32)
    if picture.dtype != np.float32 or not np.isfinite(radiance).all() or radiance.max() <= 0:
        raise ValueError(f"{path} holds no finite linear radiance, or is all black")
    return np.ascontiguousarray(np.maximum(radiance, 0))


def small_panorama(radiance: np.ndarray) -> np.ndarray:
    """(HEIGHT,2*HEIGHT,3) float16: means over areas in linear light, so that energy is kept."""
    small = cv2.resize(radiance, (2 * HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.minimum(small, LARGEST).astype(np.float16)


def tone_mapped(radiance: np.ndarray) -> np.ndarray:
    """(BACKGROUND_HEIGHT,2*BACKGROUND_HEIGHT,3) uint8 sRGB: Reinhard's global curve."""
    size = (2 * BACKGROUND_HEIGHT, BACKGROUND_HEIGHT)
    picture = cv2.resize(radiance, size, interpolation=cv2.INTER_AREA)
    luminance = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    exposed = luminance * KEY / np.exp(np.log(luminance + 1e-4).mean())
    scale = exposed / (1 + exposed) / np.maximum(luminance, 1e-6)
    encoded = np.clip(picture * scale[..., None], 0, 1) ** (1 / GAMMA)
    return (encoded * 255 + 0.5).astype(np.uint8)


def convert_panoramas(
    paths: list[Path], folder: Path, on_done: Callable[[], object] = lambda: None
) -> tuple[int, dict[str, str]]:
    """Write `folder/environments.npz` and `folder/backgrounds/NAME.jpg`.

    Returns how many panoramas went in, and path -> reason for those that did not. Each file is
    replaced whole or not at all.

    Raises:
        ValueError: not one panorama could be used; then nothing is written.
    """
    radiance, names, refused = [], [], {}
    for path in paths:
        try:
            panorama = read_panorama(path)
        except ValueError as error:
            refused[str(path)] = str(error)
        else:
            radiance.append(small_panorama(panorama))
            names.append(path.stem)
            _write_picture(folder / "backgrounds" / f"{path.stem}.jpg", tone_mapped(panorama))
        on_done()
    if not radiance:
        why = next(iter(refused.values()))
        raise ValueError(f"none of {len(paths)} panoramas could be used: {why}")
    stored = BytesIO()
    np.savez_compressed(stored, radiance=np.stack(radiance), names=np.array(names))
    replace_file(folder / "environments.npz", stored.getvalue(), "assets")
    return len(radiance), refused


def _write_picture(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    encoded = cv2.imencode(".jpg", picture[..., ::-1], quality)[1]
    replace_file(path, encoded.tobytes(), "assets")
