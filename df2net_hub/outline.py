"""A face's outline between the pixels, and a mesh cut along it.

A cheek falls by many pixels from one to the next where it turns away, so an outline that moves by
a pixel from row to row is a saw once it is seen from the side. The surface itself is smooth there:
what has teeth is where it ends. So it ends on a smooth curve, a little inside of the mask.
"""

import cv2
import numpy as np

SMOOTHING_PX = 6.0  # deviation of the Gaussian that distances to the mask's edge are averaged with
MARGIN = 16  # pixels around the picture, so that its edge is an edge of the face like any other


def inside_outline(mask: np.ndarray) -> np.ndarray:
    """How far [px] each pixel lies inside a smooth outline of `mask` (H,W) bool: (H,W) float32.

    Negative outside. Along a straight edge the outline runs where the last pixels of the mask end.
    """
    framed = np.pad(mask, MARGIN).astype(np.uint8)
    inward, outward = (
        cv2.distanceTransform(pixels, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for pixels in (framed, 1 - framed)
    )
    signed = np.where(framed, inward - 0.5, 0.5 - outward).astype(np.float32)
    smooth = cv2.GaussianBlur(signed, (0, 0), SMOOTHING_PX)
    return smooth[MARGIN:-MARGIN, MARGIN:-MARGIN]


def cut_triangles(
    points: np.ndarray, triangles: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The parts of a mesh where `inside` is positive.

    Args:
        points: (V,D) float, positions and whatever else is linear over triangles.
        triangles: (T,3) int; their parts turn the same way.
        inside: (V,) float, taken as linear over each triangle.

    Returns:
        points (W,D) in use, the new ones on edges last; triangles.
    """
    positive = inside > 0
    corners = positive[triangles].sum(axis=1)
    tips = _led_by(triangles[corners == 1], positive)
    stumps = _led_by(triangles[corners == 2], ~positive)
    cut_edges = np.concatenate(
        [part[:, side] for part in (tips, stumps) for side in ([0, 1], [0, 2])]
    )
    edges, number = np.unique(np.sort(cut_edges, axis=1), axis=0, return_inverse=True)
    start, end = edges.T
    share = (inside[start] / (inside[start] - inside[end]))[:, None]
    crossings = points[start] + share * (points[end] - points[start])

    tip_b, tip_c, stump_b, stump_c = np.split(
        len(points) + number.reshape(-1), np.cumsum([len(tips), len(tips), len(stumps)])
    )
    kept = np.concatenate(
        [
            triangles[corners == 3],
            np.stack([tips[:, 0], tip_b, tip_c], axis=1),
            np.stack([stump_b, stumps[:, 1], stumps[:, 2]], axis=1),
            np.stack([stump_b, stumps[:, 2], stump_c], axis=1),
        ]
    )
    used = np.zeros(len(points) + len(crossings), dtype=bool)
    used[kept] = True
    new_index = np.cumsum(used) - 1
    return np.concatenate([points, crossings])[used], new_index[kept]


def _led_by(triangles: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """`triangles` (T,3), of whose corners one is `alone` (V,), turned so that it comes first."""
    first = alone[triangles].argmax(axis=1)
    return np.take_along_axis(triangles, (first[:, None] + np.arange(3)) % 3, axis=1)
