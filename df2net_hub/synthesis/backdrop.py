"""What lies behind a head: places out of focus, cloth of a studio, blotches."""

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import Assets, noise_at, to_linear

CLOTH_SIZE = 128


def backdrop(rng: np.random.Generator, assets: Assets, size: int) -> np.ndarray:
    """(size,size,3) linear background: a blurred place, a studio's cloth, or blotches."""
    kind = rng.random()
    if kind < 0.55 and assets.backgrounds:
        picture = assets.backgrounds[rng.integers(len(assets.backgrounds))]
        side = int(min(picture.shape[:2]) * rng.uniform(0.3, 0.95))
        y, x = (rng.integers(0, n - side + 1) for n in picture.shape[:2])
        sigma = size / 256 * rng.uniform(0.3, 6)
        small = int(size / max(1, sigma / 2))  # what is blurred needs no more pixels
        piece = cv2.resize(
            picture[y : y + side, x : x + side], (small, small), interpolation=cv2.INTER_AREA
        )
        piece = cv2.resize(cv2.GaussianBlur(piece, (0, 0), sigma * small / size), (size, size))
        table = to_linear(np.arange(256) / 255) * np.float32(np.exp(rng.normal(0, 0.4)))
        return cv2.LUT(piece, table)
    # Cloth has no detail: it is made small.
    axis = (np.arange(CLOTH_SIZE, dtype=np.float32) + 0.5) / CLOTH_SIZE - 0.5
    rows, columns = axis[:, None], axis[None]
    # Mostly gray, white, black or blue cloth; strong colors are rare behind a portrait.
    gray = rng.choice([0.02, 0.15, 0.4, 0.85], p=[0.2, 0.3, 0.3, 0.2]) * np.exp(rng.normal(0, 0.3))
    hue = rng.choice([rng.normal(0, 0.10), rng.normal(0, 0.6)], p=[0.75, 0.25])
    color = gray * np.exp(hue * np.array([-1, 0, 1]) + rng.normal(0, 0.05, 3))
    slope = rng.uniform(0, 1.0)
    ramp = slope * (np.cos(rng.uniform(0, 6.3)) * columns + np.sin(rng.uniform(0, 6.3)) * rows)
    middle = rng.uniform(-0.3, 0.3, 2)
    glow = np.exp(-((columns - middle[0]) ** 2 + (rows - middle[1]) ** 2) / rng.uniform(0.1, 0.6))
    shade = np.clip(1 + ramp + rng.choice([0, rng.uniform(0, 0.8)]) * glow, 0.05, 3)
    if kind > 0.85:
        layer = assets.noise[rng.integers(0, 2)]
        scale = 256 * rng.uniform(0.2, 1)
        x, y = (axis.ravel() * scale for axis in np.mgrid[0:1:64j, 0:1:64j])
        blotch = noise_at(layer, y, x).reshape(64, 64)
        blotch = cv2.resize(blotch, (CLOTH_SIZE, CLOTH_SIZE), interpolation=cv2.INTER_CUBIC)
        shade = shade * (1 + 0.3 * blotch)
    lit = cv2.resize(np.clip(shade, 0.02, 3).astype(np.float32), (size, size))
    return cv2.merge([lit * np.float32(level) for level in np.minimum(color, 1.0)])
