"""The mean face of a morphable head, placed by a view's landmarks: what a method must beat."""

from dataclasses import dataclass

import numpy as np

from df2net_hub.evaluating.landmarks import INNER
from df2net_hub.evaluating.methods import DepthMap
from df2net_hub.evaluating.views import View
from df2net_hub.synthesis.morphable import FACE_PARTS, MorphableModel
from df2net_hub.synthesis.raster import rasterize

MEAN_FACE = "mean face"


@dataclass(frozen=True, eq=False)
class MeanFace:
    """The head that is placed."""

    head: MorphableModel

    def __call__(self, view: View) -> dict[str, DepthMap]:
        if view.landmarks is None:
            return {}
        corners = self.head.vertices[self.head.landmarks68[INNER]]
        rotation, scale, shift = place(corners, view.landmarks[INNER])
        turned = self.head.vertices.astype(np.float64) @ rotation.T * scale  # [px], y up
        points = np.column_stack([turned[:, 0] + shift[0], shift[1] - turned[:, 1], turned[:, 2]])
        flags = self.head.triangle_flags(FACE_PARTS)
        height, width = view.mask.shape
        z, which, _ = rasterize(points.astype(np.float32), self.head.triangles, max(height, width))
        z, which = z[:height, :width], which[:height, :width]
        mask = (which >= 0) & flags[which]
        if not mask.any():
            return {}
        depth = np.where(mask, z * view.mm_per_px, np.nan).astype(np.float32)
        return {MEAN_FACE: DepthMap(depth, mask)}


def place(corners: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Weak perspective that lays points (N,3), y up, on pixels (N,2), y down, by least squares.

    Returns:
        Rotation (3,3), scale [px per unit], and where the origin comes to lie (2,) [px].
    """
    corners, landmarks = corners.astype(np.float64), landmarks.astype(np.float64)
    center, middle = corners.mean(0), landmarks.mean(0)
    affine = np.linalg.lstsq(corners - center, (landmarks - middle) * [1, -1], rcond=None)[0].T
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right  # (2,3), the nearest two rows of a rotation
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    scale = float(sizes.mean())
    x, y = (rows @ center) * scale
    return rotation, scale, np.array([middle[0] - x, middle[1] + y])
