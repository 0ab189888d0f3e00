"""The face's mask in a crop, from what the networks give, and the box that such a mask asks for."""

import math

import cv2
import numpy as np

from df2net_hub.faces import FaceBox

FLAT_DEPTH = -0.97  # network units; a network without a mask head draws the background at -1
# With the bundled weights 102 real and rendered portraits have a doubt of 0.12 at most, 98 % of 152
# crops without a face have more than 0.13.
MOST_DOUBT = 0.12
SEARCHED_SHARES = (1.0, 0.6, 0.36)  # sides of the crops tried over the photo's longer side
UNDER_CHIN = math.tan(math.radians(58))  # px of depth to the px: where faces fall back under chins
STEEP = math.tan(math.radians(79))  # as steep as may be drawn
# On 68 portraits folds below jaws take 0.41 of the face's width and more, those below noses 0.27
# and less. Necks lie 28 px and more behind jaws, lower lips 2 px and less behind upper ones.
JAW_SHARE = 0.33
BEHIND_JAW = 12.0
LAST_STRETCH = 40  # px of a jaw's fold that tell which way it goes on
MASK_IN_CROP = 0.58  # root of the mask's area over the crop's side: the mean over training pairs


def face_mask(dense: np.ndarray, mask_logits: np.ndarray | None) -> np.ndarray:
    """One face without holes, (H,W) bool, from D-Net's depth (H,W) and mask logits (H,W) or None.

    All False where the network sees no face.
    """
    is_face = dense > FLAT_DEPTH if mask_logits is None else mask_logits > 0  # sigmoid > 0.5
    return _without_holes(largest_component(is_face))


def without_neck(mask: np.ndarray, depth_px: np.ndarray) -> np.ndarray:
    """`mask` (512,512) without the neck: it ends where a jaw falls back the steepest.

    Heads are cut across the neck, so the network ends the face there wherever it thinks fit; and of
    the fold between chin and neck the camera sees too little to draw it. Only a fold that reaches
    into the lowest quarter of the face, is a good part as wide as the face and has nothing but neck
    below is the jaw's: nostrils and lips are folds too, and the lowest ones where a photo ends
    above the chin. Tongues narrower than 48 px, between strands of hair as well as
    beside the chin, are left out.

    Args:
        mask: (512,512) bool, the face.
        depth_px: (512,512) height toward the camera [px].
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return mask
    low = int(np.quantile(rows, 0.75))
    face = mask.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(face, (0, 0), 2), 1e-3)
    smooth = cv2.GaussianBlur((face * depth_px).astype(np.float32), (0, 0), 2) / share
    downward = -np.gradient(smooth, axis=0)
    falls = mask & (downward > UNDER_CHIN)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(falls.astype(np.uint8), connectivity=8)
    lowest = stats[:, cv2.CC_STAT_TOP] + stats[:, cv2.CC_STAT_HEIGHT]
    is_jaw = (stats[:, cv2.CC_STAT_WIDTH] > JAW_SHARE * np.ptp(columns)) & (lowest > low)
    is_jaw[0] = False  # what does not fall
    lower = np.where(mask, smooth, -np.inf)
    highest_below = np.maximum.accumulate(lower[::-1])[::-1]
    for label in np.flatnonzero(is_jaw):
        is_jaw[label] = not _comes_back(labels == label, smooth, highest_below)
    below_jaw = np.where(is_jaw[labels], np.minimum(downward, STEEP), 0)
    row = np.arange(len(mask))[:, None]
    ends = np.where(below_jaw.any(axis=0), below_jaw.argmax(axis=0), 0)
    front = mask & (row < _carried_on(ends))
    return largest_component(front & _grown(~_grown(~front, 24), 24))  # opened


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


def box_around_mask(mask: np.ndarray) -> tuple[float, float, float]:
    """The square (x, y, side) [px of the mask] that crops the face of `mask` as in training."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    side = float(np.sqrt(mask.sum())) / MASK_IN_CROP
    x, y = (float(found[0] + found[-1] + 1 - side) / 2 for found in (columns, rows))
    return x, y, side


def mask_doubt(logits: np.ndarray) -> float:
    """How unsure the network is of its mask (H,W): expected wrong pixels over expected face."""
    share = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return float(np.minimum(share, 1 - share).sum() / share.sum())


def search_boxes(width: int, height: int) -> list[FaceBox]:
    """Square crops of three sizes all over a photo, each overlapping the next by half."""
    boxes = []
    for share in SEARCHED_SHARES:
        side = share * max(width, height)
        columns, rows = (
            np.linspace(0, length - side, max(math.ceil(2 * length / side) - 1, 1))
            if length > side
            else [(length - side) / 2]
            for length in (width, height)
        )
        boxes += [FaceBox(float(x), float(y), side, 0.0, "mask") for y in rows for x in columns]
    return boxes


def is_well_placed(mask: np.ndarray) -> bool:
    """Whether the mask lies in its crop as a face lies in the crops of training."""
    crop_side = mask.shape[0]
    x, y, side = box_around_mask(mask)
    off_center = max(abs(x + side / 2 - crop_side / 2), abs(y + side / 2 - crop_side / 2))
    return 0.7 < side / crop_side < 1.4 and off_center < 0.15 * crop_side


def largest_component(mask: np.ndarray) -> np.ndarray:
    """The largest piece (pixels that share an edge) of a mask (H,W) bool; empty of an empty one."""
    pixels = mask.astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=4)
    if count == 1:  # background only
        return np.zeros_like(mask, dtype=bool)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return labels == largest


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    """All pixels within `radius` [px] of `mask`: by distances, as fast for large disks as small."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return away <= radius


def _without_holes(mask: np.ndarray) -> np.ndarray:
    """Fill what the outside cannot reach; the frame of one pixel lets it go round the mask."""
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    return labels[1:-1, 1:-1] != labels[0, 0]
