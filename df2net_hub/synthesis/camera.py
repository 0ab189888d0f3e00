"""From linear light to a photograph: background, exposure, white balance, blur, noise, JPEG."""

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import Assets, noise_at, to_linear
from df2net_hub.synthesis.render import Render


def background(rng: np.random.Generator, assets: Assets, size: int) -> np.ndarray:
    """(size,size,3) linear background: a blurred piece of a place, a gradient, or blotches."""
    kind = rng.random()
    if kind < 0.6 and assets.backgrounds:
        picture = assets.backgrounds[rng.integers(len(assets.backgrounds))]
        side = int(min(picture.shape[:2]) * rng.uniform(0.3, 0.95))
        y, x = (rng.integers(0, n - side + 1) for n in picture.shape[:2])
        piece = cv2.resize(
            picture[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA
        )
        piece = cv2.GaussianBlur(piece, (0, 0), size / 256 * rng.uniform(0.3, 6))
        return to_linear(piece / 255) * np.exp(rng.normal(0, 0.5))
    rows, columns = np.mgrid[0:size, 0:size] / size - 0.5
    ramp = np.cos(rng.uniform(0, 6.3)) * columns + np.sin(rng.uniform(0, 6.3)) * rows
    color = rng.random(3) ** 1.5
    if kind < 0.85:
        return (color * np.clip(1 + rng.uniform(0, 1.2) * ramp, 0, 3)[..., None]).astype(np.float32)
    layer = assets.noise[rng.integers(0, 3)]
    scale = 256 / size * rng.uniform(0.2, 1)
    blotch = noise_at(layer, columns.ravel() * size * scale, rows.ravel() * size * scale)
    mix = np.clip(0.5 + 0.4 * blotch.reshape(size, size, 1), 0, 1)
    return (color * mix + rng.random(3) ** 1.5 * (1 - mix)).astype(np.float32)


def photograph(rng: np.random.Generator, render: Render, behind: np.ndarray) -> np.ndarray:
    """(S,S,3) uint8 photo of a render over a linear background."""
    size = len(behind)
    alpha = render.coverage[..., None]
    linear = render.image + behind * (1 - alpha)
    face = linear[render.mask] if render.mask.any() else linear.reshape(-1, 3)
    key = np.exp(rng.normal(-1.25, 0.42))  # brightness that the face is exposed to
    # Skin tones must stay apart: only part of the way is corrected to the same brightness.
    linear = linear * (key / max(face.mean(), 1e-3)) ** 0.75
    if rng.random() < 0.6:
        linear = linear * (1 + rng.normal(0, 0.045, 3))
    # A film-like shoulder instead of hard clipping at white.
    linear = np.maximum(linear, 0)
    encoded = np.clip(np.where(linear < 0.7, linear, 1 - 0.3 * np.exp(-(linear - 0.7) / 0.3)), 0, 1)
    encoded = encoded ** (1 / rng.normal(2.2, 0.15))
    if rng.random() < 0.3:
        encoded = np.clip(0.5 + (encoded - 0.5) * rng.uniform(0.8, 1.3), 0, 1)
    if rng.random() < 0.5:
        encoded = cv2.GaussianBlur(encoded, (0, 0), size / 256 * rng.uniform(0.3, 1.3))
    if rng.random() < 0.2:  # a small picture, brought up
        small = int(size / rng.uniform(1.2, 3))
        encoded = cv2.resize(
            cv2.resize(encoded, (small, small), interpolation=cv2.INTER_AREA), (size, size)
        )
    if rng.random() < 0.06:
        encoded = np.repeat(encoded.mean(-1, keepdims=True), 3, -1)
    encoded = encoded + rng.normal(0, 1, encoded.shape) * rng.uniform(0, 0.025)
    picture = np.clip(encoded * 255 + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(35, 95))
        _, buffer = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    return picture
