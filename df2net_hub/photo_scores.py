"""How rich in detail and how sharp a photo of a face is: what makes it worth training on."""

import cv2
import numpy as np

from df2net_hub.geometry import CROP_SIZE
from df2net_hub.srgb import GAMMA

# All lengths in pixels of a 512 crop.
BAND_PX = (1.5, 5.0)  # Gaussians whose difference keeps creases of about 3 to 15 px
NOISE_PX = 0.8  # what this Gaussian removes is taken for noise of the camera
FEATURE_PX = (6.0, 28.0)  # brows, eyes, nostrils are dark at this scale, creases are too thin
RED_PX = 4.0
DARK, BRIGHT, RED = -0.35, 0.4, 0.18  # log contrasts from which on it is a feature
MARGIN_PX = 10  # from the mask's edge and from features
LEAST_SKIN = 0.05  # share of the mask that must be left
KEPT = 0.95  # of the skin: the strongest contrasts are moles, strands of hair and glints
# Added to linear light: without it gloss on dark skin counts for far more than on light skin.
FLOOR = 0.2
BLUR_PX = 9  # of the blur effect


def detail_score(crop: np.ndarray, mask: np.ndarray) -> float:
    """How much fine relief the skin shows [% of the local brightness].

    Root mean square of the log luminance between two Gaussians of 1.5 and 5 px of a 512 crop, over
    the skin: the mask without its edge and without brows, eyes, nostrils, lips and hair, which are
    dark, bright or red at a coarser scale. What white noise of the strength seen at the finest
    scale would give is subtracted.

    Args:
        crop: (S,S,3) uint8 sRGB.
        mask: (S,S) bool, the face.

    Returns:
        0 and more; 0 if features leave hardly any skin.
    """
    unit = crop.shape[0] / CROP_SIZE
    linear = (crop.astype(np.float32) / 255) ** GAMMA + FLOOR
    light = np.log(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32))
    skin = _skin(linear, light, mask, unit)
    if skin.sum() < LEAST_SKIN * mask.sum() or not skin.any():
        return 0.0

    def band(values: np.ndarray) -> np.ndarray:
        return _gauss(values, BAND_PX[0] * unit) - _gauss(values, BAND_PX[1] * unit)

    def finest(values: np.ndarray) -> np.ndarray:
        return values - _gauss(values, NOISE_PX * unit)

    power = np.sort(band(light)[skin] ** 2)
    impulse = np.zeros((129, 129), np.float32)
    impulse[64, 64] = 1
    gain = float((band(impulse) ** 2).sum() / (finest(impulse) ** 2).sum())
    noise = float(np.median(np.abs(finest(light)[skin])) * 1.4826) ** 2 * gain
    kept = power[: max(int(KEPT * len(power)), 1)]
    return float(100 * np.sqrt(max(kept.mean() - noise, 0)))


def sharpness_score(crop: np.ndarray, mask: np.ndarray) -> float:
    """1 minus the blur effect of Crete et al. (SPIE 2007) within the mask: about 0.3 to 0.8.

    A blurred photo hardly changes when it is blurred again: the share of its steps between
    neighbors that survives is the blur. Noise counts as sharp.

    Args:
        crop: (S,S,3) uint8 sRGB.
        mask: (S,S) bool, the face.
    """
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    length = max(round(BLUR_PX * crop.shape[0] / CROP_SIZE), 2)
    blurs = []
    for axis in (0, 1):
        kernel = (1, length) if axis == 0 else (length, 1)  # width, height
        steps = np.abs(np.diff(gray, axis=axis))
        after = np.abs(np.diff(cv2.blur(gray, kernel), axis=axis))
        inside = mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1]
        total = steps[inside].sum()
        lost = np.maximum(steps - after, 0)[inside].sum()
        blurs.append(1.0 if total == 0 else 1 - lost / total)
    return float(1 - max(blurs))


def _skin(linear: np.ndarray, light: np.ndarray, mask: np.ndarray, unit: float) -> np.ndarray:
    """(S,S) bool, the mask without its edge and without features."""
    contrast = _within(light, mask, FEATURE_PX[0] * unit) - _within(
        light, mask, FEATURE_PX[1] * unit
    )
    redness = _within(np.log(linear[..., 0] / linear[..., 1]), mask, RED_PX * unit)
    middle = np.median(redness[mask]) if mask.any() else 0
    feature = (contrast < DARK) | (contrast > BRIGHT) | (redness > middle + RED)
    side = 2 * max(round(MARGIN_PX * unit), 1) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate((feature | ~mask).astype(np.uint8), kernel) == 0


def _gauss(values: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(values, (0, 0), sigma)


def _within(values: np.ndarray, mask: np.ndarray, sigma: float) -> np.ndarray:
    """Blurred over the mask's pixels alone."""
    weight = mask.astype(np.float32)
    return _gauss(values * weight, sigma) / np.maximum(_gauss(weight, sigma), 1e-3)
