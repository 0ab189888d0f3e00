"""One picture of a face: the photo, and every stage in clay from the front and both sides.

A surface turned about the vertical axis stays in its rows of pixels, so each row is drawn by
itself: every step between neighboring pixels fills the pixels that it now spans, and no hole can
open. No sorting by depth is needed either: where two steps of a row meet in one pixel after a turn,
the one on the side that came forward is the nearer.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from df2net_hub.mesh import continuous_steps
from df2net_hub.outline import inside_outline

TILE = 288  # side of a view [px]
LABEL = 28  # height of the labels above [px]
MARGIN = 1.25  # a view's side over the face's longer side
TURNS_DEG = (0.0, 50.0, -50.0)  # a row of views each; positive shows the picture's left side
BACKGROUND = 234  # [0,255]
INK = 70

CLAY = np.array([0.80, 0.72, 0.64], dtype=np.float32)  # share of the light given back, linear RGB
# Direction to each light (x right, y up, z toward the camera) and its strength. Lights do not turn
# with the face, but change sides so that the key light always falls on its front.
LIGHTS = (((-0.62, 0.62, 0.48), 0.84), ((0.75, 0.05, 0.66), 0.14))  # key, fill
SOFTNESS = 0.3  # how far light reaches round an edge, as from a large lamp: cosine of the angle
AMBIENT = 0.04
GLOSS, GLOSS_SHARPNESS = 0.06, 24
OUTERMOST_PX = 2.0  # not shown, as in a mesh of all pixels
OVERSAMPLING = 2  # columns drawn per pixel, for smooth outlines


def preview_picture(
    crop: np.ndarray, mask: np.ndarray, stages: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Columns: photo, then each of `stages`; rows: front, turned to either side.

    Args:
        crop: (H,W,3) uint8, the photo.
        mask: (H,W) bool, the face.
        stages: name -> (H,W) height toward the camera [px]; the last one carries the photo.

    Returns:
        (3 TILE + LABEL, (1 + stages) TILE, 3) uint8, whatever the face.
    """
    window = _window(mask)
    inside = inside_outline(mask)[window] - OUTERMOST_PX
    mask, crop = mask[window], crop[window]
    columns = {"photo": [_tile(crop)]}
    for name, depth_px in stages.items():
        depth_px = depth_px[window]
        normals = _normals(depth_px, mask)
        columns[name] = [
            _tile(_turned(depth_px, mask, inside, _clay(normals, turn), turn)) for turn in TURNS_DEG
        ]
    columns["photo"] += [
        _tile(_turned(depth_px, mask, inside, crop, turn)) for turn in TURNS_DEG[1:]
    ]
    views = np.hstack([np.vstack(tiles) for tiles in columns.values()])
    return np.vstack([_labels(list(columns)), views])


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The square around the face that is shown; all where there is no face."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return slice(None), slice(None)
    side = round(MARGIN * (1 + max(np.ptp(rows), np.ptp(columns))))
    side = min(side, *mask.shape)
    top, left = (
        int(np.clip((inside[0] + inside[-1] + 1 - side) // 2, 0, length - side))
        for inside, length in zip((rows, columns), mask.shape, strict=True)
    )
    return slice(top, top + side), slice(left, left + side)


def _tile(view: np.ndarray) -> np.ndarray:
    shrinks = min(view.shape[:2]) > TILE
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(view), (TILE, TILE), interpolation=interpolation)


def _labels(names: list[str]) -> np.ndarray:
    strip = Image.new("RGB", (TILE * len(names), LABEL), (BACKGROUND,) * 3)
    draw = ImageDraw.Draw(strip)
    for number, name in enumerate(names):
        center = ((number + 0.5) * TILE, LABEL / 2)
        draw.text(center, name, (INK,) * 3, ImageFont.load_default(17), anchor="mm")
    return np.asarray(strip)


def _normals(depth_px: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Unit normals (H,W,3) float32 from steps that stay on the surface: no cliff at its edge."""
    slopes = []
    for axis, continuous in zip((1, 0), continuous_steps(depth_px, mask), strict=True):
        steps = np.where(continuous, np.diff(depth_px, axis=axis), 0).astype(np.float32)
        before, after = ([(0, 0), (0, 0)] for _ in range(2))
        before[axis], after[axis] = (1, 0), (0, 1)
        total = np.pad(steps, before) + np.pad(steps, after)
        count = np.pad(continuous.astype(np.float32), before) + np.pad(continuous, after)
        slopes.append(total / np.maximum(count, 1))
    slope_right, slope_down = slopes
    normals = np.stack([-slope_right, slope_down, np.ones_like(slope_down)], axis=-1)
    return normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def _clay(normals: np.ndarray, turn_deg: float) -> np.ndarray:
    """What clay with `normals` (H,W,3) looks like once turned: (H,W,3) uint8."""
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x, y, z = np.moveaxis(normals, -1, 0)
    x, z = x * np.float32(cos) + z * np.float32(sin), z * np.float32(cos) - x * np.float32(sin)
    front = np.where(z < 0, np.float32(-1), np.float32(1))  # the back of the sheet is clay too
    x, y, z = x * front, y * front, z * front

    def cosine(toward: np.ndarray) -> np.ndarray:
        return x * toward[0] + y * toward[1] + z * toward[2]

    sides = np.array([-1 if turn_deg > 0 else 1, 1, 1])
    light = np.full(x.shape, AMBIENT, dtype=np.float32)
    for direction, strength in LIGHTS:
        reach = (cosine(_unit(sides * direction)) + SOFTNESS) / (1 + SOFTNESS)
        light += np.float32(strength) * np.clip(reach, 0, None)
    halfway = _unit(_unit(sides * LIGHTS[0][0]) + [0, 0, 1])
    gloss = np.float32(GLOSS) * np.clip(cosine(halfway), 0, 1) ** GLOSS_SHARPNESS
    linear = np.clip(light[..., None] * CLAY + gloss[..., None], 0, 1)
    return _SRGB[(linear * 1023).astype(np.intp)]


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


_SRGB = (255 * np.linspace(0, 1, 1024) ** (1 / 2.2)).round().astype(np.uint8)


def _turned(
    depth_px: np.ndarray,
    mask: np.ndarray,
    inside: np.ndarray,
    colors: np.ndarray,
    turn_deg: float,
) -> np.ndarray:
    """The surface (H,W) with `colors` (H,W,3) uint8, turned: (H, W OVERSAMPLING, 3) uint8.

    It is shown where `inside` (H,W), linear between the pixels of a row, is positive.
    """
    height, width = mask.shape
    canvas = np.full((height, width * OVERSAMPLING, 3), BACKGROUND, dtype=np.uint8)
    shown = mask & (inside > 0)
    if not shown.any():
        return canvas
    cos, sin = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x = np.arange(width) * cos + depth_px * sin  # where each pixel goes in its row
    if turn_deg:
        x += (width - 1) / 2 - (x[shown].min() + x[shown].max()) / 2
    x = (x + 0.5) * OVERSAMPLING - 0.5

    seen = (inside[:, :-1] > 0) | (inside[:, 1:] > 0)
    rows, starts = np.nonzero(continuous_steps(depth_px, mask)[0] & seen)
    if turn_deg > 0:  # what stood at the left is in front now: draw it last
        rows, starts = rows[::-1], starts[::-1]
    a, b = x[rows, starts], x[rows, starts + 1]
    before, after = inside[rows, starts], inside[rows, starts + 1]
    cut = before / np.where(before == after, 1, before - after)
    begin, end = (
        a + (b - a) * np.where(before > 0, 0, cut),
        a + (b - a) * np.where(after > 0, 1, cut),
    )
    first = np.ceil(np.minimum(begin, end)).astype(int)
    past = np.ceil(np.maximum(begin, end)).astype(int)
    spans = past - first
    step = np.repeat(np.arange(len(rows)), spans)  # the step that paints each painted pixel
    column = first[step] + np.arange(len(step)) - np.repeat(np.cumsum(spans) - spans, spans)
    inside = (column >= 0) & (column < width * OVERSAMPLING)
    step, column = step[inside], column[inside]
    share = ((column - a[step]) / (b - a)[step]).astype(np.float32)[:, None]
    left, right = (colors[rows, starts + i].astype(np.float32) for i in (0, 1))
    painted = left[step] + (right - left)[step] * share
    canvas[rows[step], column] = (painted + 0.5).astype(np.uint8)  # of several, the last stays
    return canvas
