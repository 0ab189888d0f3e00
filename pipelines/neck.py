"""A face's mask without the neck that D-Net's masks reach down to."""

import math

import cv2
import numpy as np

from df2net_hub.pipelines.face_mask import largest_component

UNDER_CHIN = math.tan(math.radians(58))  # px of depth to the px: where faces fall back under chins
STEEP = math.tan(math.radians(79))  # as steep as may be drawn
# On 68 portraits folds below jaws take 0.41 of the face's width and more, those below noses 0.27
# and less. Necks lie 28 px and more behind jaws, lower lips 2 px and less behind upper ones.
JAW_SHARE = 0.33
BEHIND_JAW = 12.0
LAST_STRETCH = 40  # px of a jaw's fold that tell which way it goes on


def without_neck(mask: np.ndarray, depth_px: np.ndarray) -> np.ndarray:
    """`mask` (512,512) without the neck: it ends where a jaw falls back the steepest.

    Heads are cut across the neck, so the network ends the face there wherever it thinks fit; and of
    the fold between chin and neck the camera sees too little to draw it. Tongues narrower than
    48 px, between strands of hair as well as beside the chin, are left out.

    Args:
        mask: (512,512) bool, the face.
        depth_px: (512,512) height toward the camera [px].
    """
    if not mask.any():
        return mask
    face = mask.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(face, (0, 0), 2), 1e-3)
    smooth = cv2.GaussianBlur((face * depth_px).astype(np.float32), (0, 0), 2) / share
    downward = -np.gradient(smooth, axis=0)
    jaw = _folds_of_jaws(mask, smooth, downward)
    below_jaw = np.where(jaw, np.minimum(downward, STEEP), 0)
    row = np.arange(len(mask))[:, None]
    ends = np.where(below_jaw.any(axis=0), below_jaw.argmax(axis=0), 0)
    front = mask & (row < _carried_on(ends))
    return largest_component(front & _grown(~_grown(~front, 24), 24))  # opened


def _folds_of_jaws(mask: np.ndarray, height: np.ndarray, downward: np.ndarray) -> np.ndarray:
    """(H,W) bool: where the surface falls back under a chin.

    Nostrils and lips are folds too, and the lowest ones where a photo ends above the chin. The
    jaw's reaches into the lowest quarter of the face, is a good part as wide as the face and has
    nothing but neck below.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    falls = (mask & (downward > UNDER_CHIN)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(falls, connectivity=8)
    lowest = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
    wide = stats[:, cv2.CC_STAT_WIDTH] > JAW_SHARE * np.ptp(columns)
    is_jaw = wide & (lowest > int(np.quantile(rows, 0.75)))
    is_jaw[0] = False  # what does not fall
    on_face = np.where(mask, height, -np.inf)
    highest_below = np.maximum.accumulate(on_face[::-1])[::-1]
    for label in np.flatnonzero(is_jaw):
        is_jaw[label] = not _comes_back(labels == label, height, highest_below)
    return is_jaw[labels]


def _comes_back(fold: np.ndarray, height: np.ndarray, highest_below: np.ndarray) -> bool:
    """Whether the surface below most columns of `fold` (H,W) rises to nearly where it fell."""
    columns = np.flatnonzero(fold.any(axis=0))
    begins = fold[:, columns].argmax(axis=0)
    past = np.minimum(len(fold) - fold[::-1, columns].argmax(axis=0), len(fold) - 1)
    drop = height[begins, columns] - highest_below[past, columns]
    return bool(np.median(drop) < BEHIND_JAW)


def _carried_on(ends: np.ndarray) -> np.ndarray:
    """Rows below which no face lies, where a jaw's fold has the rows `ends` (W,), 0 outside of it.

    Jaws are convex: beside the fold the face stays above the straight line that leads on from its
    last stretch, and nowhere does it reach lower than the chin.
    """
    found = np.flatnonzero(ends)
    if len(found) == 0:
        return np.full(len(ends), len(ends))
    limits = np.interp(np.arange(len(ends)), found, ends[found])
    for beyond, last in (
        (np.arange(found[0]), found[:LAST_STRETCH]),
        (np.arange(found[-1] + 1, len(ends)), found[-LAST_STRETCH:]),
    ):
        slope, start = np.polyfit(last, ends[last], 1) if len(last) > 1 else (0.0, ends[last[0]])
        limits[beyond] = start + slope * beyond
    return np.minimum(limits, ends.max())


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """All pixels within `radius` [px] of `mask`: by distances, as fast for large disks as small."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away <= radius
