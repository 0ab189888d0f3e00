"""A picture of where to trust a reconstruction: the photo, colored by the expected error."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

MOST_MM = 6.0  # where the colors end
TINT = 0.6  # of the color over the gray photo
BAR, LABEL, MARGIN = 14, 30, 16  # [px]
PAPER, INK = 250, 60


def uncertainty_picture(
    crop: np.ndarray, mask: np.ndarray, uncertainty_mm: np.ndarray
) -> np.ndarray:
    """(H+58,W,3) uint8: the photo in gray, its face in colors from blue, 0 mm, to red, 6 mm.

    Args:
        crop: (H,W,3) uint8 RGB.
        mask: (H,W) bool, the face.
        uncertainty_mm: (H,W) expected error of the depth [mm].
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None].repeat(3, axis=-1)
    tinted = (1 - TINT) * gray + TINT * _colors(uncertainty_mm)
    photo = np.where(mask[..., None], tinted.round().astype(np.uint8), gray)
    return np.vstack([photo, _scale(crop.shape[1])])


def _colors(error_mm: np.ndarray) -> np.ndarray:
    steps = np.clip(error_mm / MOST_MM * 255, 0, 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)


def _scale(width: int) -> np.ndarray:
    """What the colors say."""
    bar = _colors(np.linspace(0, MOST_MM, width - 2 * MARGIN)[None].repeat(BAR, 0))
    strip = Image.new("RGB", (width, BAR + LABEL + 14), (PAPER,) * 3)
    strip.paste(Image.fromarray(bar), (MARGIN, 8))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(15)
    ends = ((MARGIN, "0 mm", "la"), (width - MARGIN, f"{MOST_MM:.0f} mm and more", "ra"))
    for x, text, anchor in (*ends, (width / 2, "expected error", "ma")):
        draw.text((x, BAR + 14), text, (INK,) * 3, font, anchor)
    return np.asarray(strip)
