"""Creases of the skin as displacement of the surface, in texture space.

Forehead lines, frown lines, crow's feet, nasolabial folds, lines under the eyes, and grain: each a
height map over the face's texture tile, placed by the model's landmarks, mixed anew per picture.
"""

import numpy as np

from df2net_hub.synthesis.appearance import noise_at
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import interpolate, rasterize

TILE = 512  # texels along the face tile, u and v in [0,1]


def texel_positions(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean position (TILE,TILE,3) [cm] of each texel of the face tile, and which texels exist."""
    use = model.triangle_flags(("face_narrow", "face_outer"))
    uv_points = np.concatenate([model.uv, np.zeros((len(model.uv), 1), np.float32)], 1)
    uv_points = uv_points * [TILE, -TILE, 1] + [-0.5, TILE - 0.5, 0]
    _, triangle_id, weights = rasterize(uv_points, model.uv_triangles[use], TILE)
    inside = triangle_id >= 0
    corners = model.triangles[use][triangle_id[inside]]
    positions = np.zeros((TILE, TILE, 3), np.float32)
    positions[inside] = interpolate(model.vertices, corners, weights[inside])
    return positions, inside


def _ridges(phase: np.ndarray, sharpness: float = 3.0) -> np.ndarray:
    """Periodic furrows: 0 between them, down to -1 along phase = 0 mod 2 pi."""
    return -np.exp(sharpness * (np.cos(phase) - 1))


def wrinkle_maps(model: MorphableModel, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(6,TILE,TILE) heights, furrows down to about -1: one variant of each kind of crease."""
    positions, inside = texel_positions(model)
    x, y = positions[..., 0], positions[..., 1]
    points = model.vertices[model.landmarks68]
    unit = (points[45, 0] - points[36, 0]) / 9.0
    flat_x, flat_y = x.ravel(), y.ravel()
    warp, fine = (
        noise_at(layer, flat_x / unit * 8 + a, flat_y / unit * 8 + b).reshape(x.shape)
        for layer, (a, b) in zip(noise[[1, 2]], rng.uniform(0, 256, (2, 2)), strict=True)
    )

    def window(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((x - cx) / (rx * unit)) ** 4) - ((y - cy) / (ry * unit)) ** 4)

    brow_y = points[17:27, 1].mean()
    spacing = rng.uniform(0.7, 1.1) * unit
    forehead = _ridges(2 * np.pi * (y - brow_y) / spacing + 0.9 * warp) * window(
        0, brow_y + 3.0 * unit, 4.5, 2
    )
    frown_x = np.abs(x) - 0.6 * unit
    frown = _ridges(2 * np.pi * frown_x / (2.4 * unit) + 0.5 * warp, 8) * window(
        0, brow_y + 0.1, 1.3, 1.2
    )
    crow, under = np.zeros_like(x), np.zeros_like(x)
    for corner, inner, side in ((36, 39, -1), (45, 42, 1)):
        ex, ey = points[corner, :2]
        angle = np.arctan2(y - ey, side * (x - ex))
        reach = np.hypot(x - ex, y - ey) / unit
        fan = np.clip(1.2 - np.abs(angle), 0, 0.4) / 0.4 * np.clip((reach - 0.3) * 3, 0, 1)
        crow += _ridges(9 * angle + 0.8 * warp, 3) * fan * np.clip((2.4 - reach) / 1.2, 0, 1)
        bag_x = (ex + points[inner, 0]) / 2
        arc = (y - (ey - 1.2 * unit)) / unit - 0.08 * ((x - bag_x) / unit) ** 2
        under += _ridges(2 * np.pi * arc / 0.9 + 0.5 * warp, 4) * window(
            bag_x, ey - 1.3 * unit, 1.9, 0.8
        )
    fold = np.zeros_like(x)
    for wing, mouth, side in ((31, 48, -1), (35, 54, 1)):
        wx, wy = points[wing, 0] + side * 0.5 * unit, points[wing, 1] + 0.5 * unit
        mx, my = points[mouth, 0] + side * 0.9 * unit, points[mouth, 1] - 0.8 * unit
        along = np.clip((wy - y) / (wy - my), -0.2, 1.2)
        path = wx + (mx - wx) * along + side * 0.5 * unit * np.sin(np.pi * np.clip(along, 0, 1))
        fade = np.clip(along * 5 + 1, 0, 1) * np.clip((1.2 - along) * 3, 0, 1)
        fold -= np.exp(-(((x - path) / (0.32 * unit)) ** 2)) * fade
    grain = 0.5 * fine + noise_at(noise[3], flat_x / unit * 30, flat_y / unit * 30).reshape(x.shape)
    maps = np.stack([forehead, frown, crow, under, fold, 0.4 * grain])
    return (maps * inside).astype(np.float32)


def sample_wrinkle_weights(rng: np.random.Generator, age: float) -> np.ndarray:
    """(6,) depth of each kind of crease [cm]; `age` 0 young to 1 old."""
    deepest = np.array([0.09, 0.08, 0.08, 0.08, 0.22, 0.012])
    share = np.clip(rng.normal(age, 0.25, 6), 0, 1) * (rng.random(6) < 0.35 + 0.6 * age)
    share[5] = rng.uniform(0, 1)
    return (deepest * share).astype(np.float32)
