"""From linear light to a photograph: lens, exposure, tone curve, sensor noise, JPEG.

What varies: focus (background, and at times whatever lies behind the face's plane), vignetting,
exposure from under to over, white balance, gamma and contrast, softness, small pictures brought up,
grayscale, noise that depends on brightness, and JPEG.
"""

import cv2
import numpy as np
from numba import njit

from df2net_hub.synthesis.render import Render

# Tone curves are tables over the square root of linear light: even steps to the eye.
CURVE_STEPS = 4096
BRIGHTEST = 4.0  # linear light above this is white whatever the curve
# In compiled code a plain number makes its whole expression double precision.
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
GAUSSIANS = np.random.default_rng(0).standard_normal(16384).astype(np.float32)
SRGB_CURVE = np.rint(
    255 * np.minimum(BRIGHTEST * np.linspace(0, 1, CURVE_STEPS) ** 2, 1) ** (1 / 2.2)
).astype(np.uint8)


def photograph(rng: np.random.Generator, render: Render, behind: np.ndarray) -> np.ndarray:
    """(S,S,3) uint8 photo of a render over a linear background (S,S,3)."""
    size = len(behind)
    image, coverage = render.image, render.coverage
    if rng.random() < 0.15:
        image, coverage = defocused(render, size / 256 * rng.uniform(0.5, 2.0))
    gain = _exposure(rng, render) * (1 + rng.normal(0, 0.045, 3) * (rng.random() < 0.6))
    vignette = rng.uniform(0, 0.35) if rng.random() < 0.3 else 0.0
    curve = _tone_curve(rng)
    picture = np.empty((size, size, 3), np.uint8)
    _develop(image, coverage, behind, gain.astype(np.float32), vignette, curve, picture)
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), size / 256 * rng.uniform(0.3, 1.3))
    if rng.random() < 0.2:  # a small picture, brought up
        small = int(size / rng.uniform(1.2, 3))
        picture = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.06:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    _add_noise(picture, noise_levels(rng.uniform(0, 0.025)), int(rng.integers(2**31)), GAUSSIANS)
    if rng.random() < 0.5:
        quality = int(rng.integers(35, 95))
        _, buffer = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(buffer, cv2.IMREAD_COLOR))
    return picture


def _exposure(rng: np.random.Generator, render: Render) -> float:
    """Gain that exposes the face to a drawn brightness; sometimes a stop or more off."""
    key = np.exp(rng.normal(-1.25, 0.42))
    if rng.random() < 0.08:
        key *= 2 ** rng.choice([-1.5, 1.3])
    mask = render.mask if render.mask.any() else render.coverage > 0
    face = np.mean(cv2.mean(render.image, mask.astype(np.uint8))[:3])
    # Skin tones must stay apart: only part of the way is corrected to the same brightness.
    return float((key / max(face, 1e-3)) ** 0.75)


def _tone_curve(rng: np.random.Generator) -> np.ndarray:
    """(CURVE_STEPS,) uint8: a film-like shoulder instead of hard clipping, gamma, contrast."""
    linear = BRIGHTEST * np.linspace(0, 1, CURVE_STEPS) ** 2
    encoded = np.where(linear < 0.7, linear, 1 - 0.3 * np.exp(-(linear - 0.7) / 0.3))
    encoded = encoded ** (1 / rng.normal(2.2, 0.15))
    if rng.random() < 0.3:
        encoded = 0.5 + (encoded - 0.5) * rng.uniform(0.8, 1.3)
    return np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8)


def noise_levels(strength: float) -> np.ndarray:
    """(256,) float32 standard deviation of the noise at each 8-bit value, in 8-bit steps.

    Light arrives in grains: in linear light the variance grows with brightness from that of the
    read-out. The tone curve spreads the darks. `strength` is the deviation at middle gray over 255.
    """
    encoded = (np.arange(256) + 0.5) / 256
    linear = encoded**2.2
    deviation = np.sqrt(linear + 0.01) * encoded / np.maximum(linear, 0.004)
    return (255 * strength * deviation / deviation[128]).astype(np.float32)


def defocused(render: Render, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Image and coverage of a render with the lens focused on the nearest part of the face.

    What lies further back blurs the more, up to a Gaussian of `sigma` [px] at half the picture's
    side behind it.
    """
    size = len(render.image)
    known = np.isfinite(render.front_px)
    if not render.mask.any():
        return render.image, render.coverage
    focus = np.percentile(render.front_px[render.mask], 80)
    far = np.clip((focus - np.where(known, render.front_px, focus)) / (0.4 * size) - 0.12, 0, 1)
    far = np.sqrt(far).astype(np.float32)
    # Beside the silhouette the blur is that of the surface at its edge.
    share = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma)
    blur = cv2.GaussianBlur(far * known, (0, 0), sigma) / np.maximum(share, 1e-3)
    soft = cv2.GaussianBlur(np.dstack([render.image, render.coverage]), (0, 0), sigma)
    image = render.image + blur[..., None] * (soft[..., :3] - render.image)
    return image, render.coverage + blur * (soft[..., 3] - render.coverage)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """(H,W,3) float32 linear -> uint8 of gamma 2.2, the inverse of `to_linear`."""
    out = np.empty(linear.shape, np.uint8)
    _look_up(np.ascontiguousarray(linear).reshape(-1), SRGB_CURVE, out.reshape(-1))
    return out


@njit(cache=True, nogil=True)
def _look_up(linear: np.ndarray, curve: np.ndarray, out: np.ndarray) -> None:
    per_root, last = np.float32((len(curve) - 1) / np.sqrt(BRIGHTEST)), np.float32(len(curve) - 1)
    for n in range(len(out)):
        out[n] = curve[_step(linear[n], per_root, last)]


@njit(inline="always")
def _step(light: float, per_root: float, last: float) -> int:
    """Where a tone curve holds the value of linear `light`."""
    return np.uint32(min(np.sqrt(max(light, ZERO)) * per_root + HALF, last))


@njit(cache=True, nogil=True)
def _develop(
    image: np.ndarray,
    coverage: np.ndarray,
    behind: np.ndarray,
    gain: np.ndarray,
    vignette: float,
    curve: np.ndarray,
    out: np.ndarray,
) -> None:
    """Lay `image` over `behind`, darken the corners, expose, and look up the tone curve."""
    height, width = coverage.shape
    per_root, last = np.float32((len(curve) - 1) / np.sqrt(BRIGHTEST)), np.float32(len(curve) - 1)
    darker = np.float32(vignette)
    for row in range(height):
        dy = np.float32(2 * row / height - 1)
        for column in range(width):
            open_share = ONE - coverage[row, column]
            dx = np.float32(column) * np.float32(2 / width) - ONE
            lens = ONE - darker * (dx * dx + dy * dy)
            for k in range(3):
                light = image[row, column, k]
                if open_share > ZERO:
                    light += open_share * behind[row, column, k]
                out[row, column, k] = curve[_step(light * lens * gain[k], per_root, last)]


@njit(cache=True, nogil=True)
def _add_noise(picture: np.ndarray, levels: np.ndarray, seed: int, gaussians: np.ndarray) -> None:
    """Add noise of `levels` (256,) at each value in place; Gaussians come from a table by hash."""
    values = picture.reshape(-1)
    last = np.uint64(len(gaussians) - 1)
    state = np.uint64(seed)
    for n in range(len(values)):
        # SplitMix64: one multiplication round is enough to pick from the table.
        state += np.uint64(0x9E3779B97F4A7C15)
        bits = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        draw = gaussians[(bits >> np.uint64(40)) & last]
        noisy = values[n] + levels[values[n]] * draw + np.float32(0.5)
        values[n] = np.uint8(min(max(noisy, np.float32(0)), np.float32(255)))
