"""The 68 landmarks of Multi-PIE and dlib: the face's outline, and where they lie in MediaPipe's."""

from collections.abc import Mapping

import cv2
import numpy as np

OUTER = 27  # jaw line and brows come first in the order of the 68
INNER = slice(17, 68)  # brows, nose, eyes, mouth: the same place on the skin in every pose
# The points of MediaPipe's face mesh (468 or 478) that stand for the 68.
FROM_MEDIAPIPE = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,  # jaw
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
)  # fmt: skip


def as_68(arrays: Mapping[str, np.ndarray], where: str) -> np.ndarray | None:
    """(68,2) x, y [px] from `landmarks68`, or from MediaPipe's `landmarks478`; None without both.

    Raises:
        ValueError: another shape.
    """
    if "landmarks68" in arrays:
        points = np.asarray(arrays["landmarks68"], np.float32)
        if points.shape not in ((68, 2), (68, 3)):
            raise ValueError(f"{where}: 'landmarks68' must be (68,2), got {points.shape}")
        return points[:, :2]
    if "landmarks478" in arrays:
        points = np.asarray(arrays["landmarks478"], np.float32)
        if points.ndim != 2 or len(points) < 468 or points.shape[1] < 2:
            raise ValueError(f"{where}: 'landmarks478' must be (478,2 or 3), got {points.shape}")
        return points[list(FROM_MEDIAPIPE), :2]
    return None


def outline_mask(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H,W) bool, the convex hull of jaw line and brows: the paper's "outer points"."""
    hull = cv2.convexHull(np.rint(landmarks[:OUTER]).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros(size, np.uint8), hull, 1) > 0
