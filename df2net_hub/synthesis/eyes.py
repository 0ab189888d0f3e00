"""Lids that meet where eyes are shut, and eyeballs that lie behind their lids.

A model's blink is made for its mean face. On other people, sculpted ones above all, it leaves a
slit or shuts too far, and eyeballs of one size for all heads pierce the lids: without this module
more than half of the people with shut eyes show eyeball, and every seventh with open eyes shows
15 mm^2 of it and more where skin should be (docs/experiments.md).
"""

import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import rasterize

# Blink of each side, and of the 68 landmarks the middle ones of its upper and its lower lid.
LIDS = {"eyeBlink_R": ((37, 38), (41, 40)), "eyeBlink_L": ((43, 44), (47, 46))}
PRESSED_CM = 0.03  # how far shut lids would reach past each other: no slit stays at their ends
EYEBALLS = ("eyeball_left", "eyeball_right")
CELLS_PER_CM = 40
# Eyeballs touch their lids all along the edge, and a little of them may lie before it.
BEFORE_LIDS_CM2 = 0.02
CLEAR_CM = 0.03  # an eyeball that has to move does so by this much more: no dot of it stays before


def shut_lids(model: MorphableModel, shape: np.ndarray) -> np.ndarray | float:
    """(V,3) motion [cm] that makes the lids of `shape` (V,3) [cm] meet, by the model's blink.

    0 for models that cannot blink.
    """
    motion: np.ndarray | float = 0.0
    for name, lids in LIDS.items():
        if name in model.expression_names:
            blink = model.expression[model.expression_names.index(name)]
            upper, lower = (model.landmarks68[list(lid)] for lid in lids)
            apart, opens = (
                each[upper, 1].mean() - each[lower, 1].mean() for each in (shape, blink)
            )
            if opens < 0:
                motion = motion - np.float32((apart + PRESSED_CM) / opens) * blink
    return motion


def before_lids(model: MorphableModel, shape: np.ndarray) -> np.ndarray:
    """(2,) how far [cm] each of EYEBALLS of `shape` (V,3) [cm] lies before the skin, seen from +z.

    But for the BEFORE_LIDS_CM2 that lie the farthest before it; below 0 behind it. -inf where there
    is no such eyeball, or less of it with skin before or behind.
    """
    skin = model.triangles[model.triangle_flags(("face_narrow",))]
    found = np.full(len(EYEBALLS), -np.inf)
    for k, name in enumerate(EYEBALLS):
        if name not in model.parts:
            continue
        ball = shape[model.parts[name]]
        middle = ball.mean(0)
        cells = int(2 * CELLS_PER_CM * np.abs(ball - middle)[:, :2].max())
        points = (shape - middle) * np.array([1, -1, 1], np.float32) * CELLS_PER_CM
        points[:, :2] += cells / 2
        lids, eye = (
            rasterize(points, triangles, cells, cull=True)[0]
            for triangles in (skin, model.triangles[model.triangle_flags((name,))])
        )
        both = np.isfinite(lids) & np.isfinite(eye)
        before = np.sort(eye[both] - lids[both])
        allowed = int(BEFORE_LIDS_CM2 * CELLS_PER_CM**2)
        if len(before) > allowed:
            found[k] = before[-1 - allowed] / CELLS_PER_CM
    return found


def behind_lids(model: MorphableModel, shape: np.ndarray, at_rest: np.ndarray) -> np.ndarray:
    """`shape` (V,3) [cm] with eyeballs that are before the skin moved back behind it.

    As far before it as `at_rest` (2,) [cm], what `before_lids` finds in the model's mean face, they
    may stay: simple heads have eyes on their skin and no opening.
    """
    placed = shape.copy()
    for name, astray in zip(
        EYEBALLS, before_lids(model, shape) - np.maximum(at_rest, 0), strict=True
    ):
        if astray > 0:
            placed[model.parts[name], 2] -= np.float32(astray + CLEAR_CM)
    return placed
