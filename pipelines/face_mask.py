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
MASK_IN_CROP = 0.58  # root of the mask's area over the crop's side: the mean over training pairs


def face_mask(dense: np.ndarray, mask_logits: np.ndarray | None) -> np.ndarray:
    """One face without holes, (H,W) bool, from D-Net's depth (H,W) and mask logits (H,W) or None.

    All False where the network sees no face.
    """
    is_face = dense > FLAT_DEPTH if mask_logits is None else mask_logits > 0  # sigmoid > 0.5
    return _without_holes(largest_component(is_face))


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


def _without_holes(mask: np.ndarray) -> np.ndarray:
    """Fill what the outside cannot reach; the frame of one pixel lets it go round the mask."""
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    return labels[1:-1, 1:-1] != labels[0, 0]
