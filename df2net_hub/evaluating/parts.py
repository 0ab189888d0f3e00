"""The parts of a face around its 68 landmarks: where a mean error comes from."""

import cv2
import numpy as np

PARTS = ("eyes", "lids", "nose", "mouth", "rest")
BUT_EYES = "all but eyes and lids"  # the last three at once
# Each outline is widened by some millimeters. Later ones lie over earlier ones.
OUTLINES = (
    ("nose", (27, 31, 32, 33, 34, 35), 5.0),  # root, wings and base
    ("mouth", tuple(range(48, 60)), 2.0),
    ("lids", tuple(range(36, 42)), 5.0),
    ("lids", tuple(range(42, 48)), 5.0),
    ("eyes", tuple(range(36, 42)), 0.0),  # what is seen between the lids
    ("eyes", tuple(range(42, 48)), 0.0),
)


def parts_of(landmarks: np.ndarray, size: tuple[int, int], mm_per_px: float) -> np.ndarray:
    """(H,W) uint8, for each pixel the place of its part in `PARTS`.

    Args:
        landmarks: (68,2) x, y [px].
        size: H, W.
        mm_per_px: length of a pixel at the face.
    """
    labels = np.full(size, PARTS.index("rest"), np.uint8)
    for part, places, wider_mm in OUTLINES:
        inside = np.zeros(size, np.uint8)
        cv2.fillPoly(inside, [np.rint(landmarks[list(places)]).astype(np.int32)], 1)
        radius = round(wider_mm / mm_per_px)
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        labels[cv2.dilate(inside, disk) > 0] = PARTS.index(part)
    return labels


def regions_of(
    landmarks: np.ndarray, size: tuple[int, int], mm_per_px: float
) -> dict[str, np.ndarray]:
    """Part, and `BUT_EYES` -> (H,W) bool; arguments as of `parts_of`."""
    labels = parts_of(landmarks, size, mm_per_px)
    regions = {part: labels == number for number, part in enumerate(PARTS)}
    return regions | {BUT_EYES: ~(regions["eyes"] | regions["lids"])}
