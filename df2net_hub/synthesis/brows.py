"""Eyebrows as single hairs on the face tile: shapes from thin arches to bushy bars."""

import cv2
import numpy as np

from df2net_hub.synthesis.face_map import TILE, FaceMap

# Where brows lie on people: distance from the middle and height over the outer corners of the eyes,
# from nose to temple, in ninths of the distance of these corners. Medians of 453 official portraits
# by MediaPipe's points. Landmarks 17 to 26 of ICT-FaceKit lie about 0.9 higher, above the ridge.
LINE = np.array([[1.35, 1.46], [2.82, 1.77], [4.06, 1.86], [4.98, 1.63], [5.8, 1.44]])
HAIRS_RISE = 0.15  # of what is seen over the roots
HEIGHT_DEVIATION = 0.22
HAIRS = 420  # on each side
FINER = 2  # strokes are drawn at this many times the tile's resolution


def draw_brows(rng: np.random.Generator, face: FaceMap) -> tuple[np.ndarray, tuple[int, int]]:
    """Opacity (h,w) of both brows and the texel (row, column) of its corner."""
    arch, tilt = rng.normal(0.05, 0.12), rng.normal(0, 0.06)
    thick, rise = rng.uniform(0.2, 0.55), rng.normal(-HAIRS_RISE, HEIGHT_DEVIATION)
    reach, length, bushy = rng.uniform(0.82, 1.05), rng.uniform(0.4, 0.85), rng.uniform(0.45, 1)
    count = int(HAIRS * bushy)
    strokes = []
    eyes = face.landmarks[[36, 45], :2].mean(0) / face.unit
    for side in (-1, 1):
        line = eyes + LINE * [side, 1]
        t = np.sort(rng.random(count)) ** 0.9 * reach
        at = t * 4
        center = np.stack([np.interp(at, range(5), line[:, axis]) for axis in (0, 1)], -1)
        center[:, 1] += arch * np.sin(np.pi * t) + tilt * (t - 0.5) + rise + rng.normal(0, 0.03)
        width = thick * np.interp(t, [0, 0.12, 0.55, 1.0], [0.55, 1.0, 0.85, 0.18])
        across = np.clip(rng.normal(0, 0.42, count), -1, 1)
        root = center + np.stack([rng.normal(0, 0.05, count), across * width], -1)
        # Hairs rise at the nose and lie down along the brow; the upper ones point down.
        angle = np.interp(t, [0, 0.2, 0.6, 1], [1.25, 0.7, 0.2, -0.35]) - 0.45 * across
        angle += rng.normal(0, 0.18, count)
        step = np.stack([side * np.cos(angle), np.sin(angle)], -1)
        reach_hair = (
            length * rng.uniform(0.6, 1.1, count) * np.interp(t, [0, 0.3, 1], [0.6, 1, 0.7])
        )
        bend = np.stack([side * np.ones(count), -0.5 * np.ones(count)], -1) * 0.25
        middle = root + step * reach_hair[:, None] * 0.5
        end = middle + (step + bend) * reach_hair[:, None] * 0.45
        strokes.append(np.stack([root, middle, end], 1))
    paths = face.texels(np.concatenate(strokes).reshape(-1, 2) * face.unit).reshape(-1, 3, 2)
    low = np.floor(paths.min((0, 1))).astype(int) - 4
    high = np.ceil(paths.max((0, 1))).astype(int) + 4
    low, high = np.clip(low, 0, TILE - 1), np.clip(high, 1, TILE)
    drawn = np.zeros(tuple((high - low)[::-1] * FINER), np.uint8)
    fixed = np.rint((paths - low) * FINER * 16).astype(np.int32)
    for third, level in ((0, 170), (1, 215), (2, 255)):
        cv2.polylines(drawn, list(fixed[third::3]), False, level, 1, cv2.LINE_AA, 4)
    share = cv2.resize(drawn, None, fx=1 / FINER, fy=1 / FINER, interpolation=cv2.INTER_AREA)
    share = share.astype(np.float32) / 255
    soft = cv2.GaussianBlur(share, (0, 0), 2.5)
    return np.clip(1.3 * share + 0.45 * soft, 0, 0.97), (int(low[1]), int(low[0]))
