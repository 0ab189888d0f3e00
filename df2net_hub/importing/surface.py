"""What every reader gives: a photo and the surface of the face that another method saw in it."""

from dataclasses import dataclass

import numpy as np

LEAST_INSIDE = 0.5  # share of the vertices that must fall on the photo


class Rejected(ValueError):
    """An input that gives no pair. The message names no file, so that equal reasons add up."""


@dataclass(frozen=True, eq=False)
class FaceSurface:
    """A mesh over a photo, axes as in `geometry`, lengths in pixels of the photo.

    Attributes:
        photo: (H,W,3) uint8 RGB.
        pixels: (V,2) where each vertex is seen: x right, y down [px], pixel centers at integers.
        shape: (V,3) x right, y up, z toward the camera [px]; under weak perspective x and -y are
            `pixels`, under a pinhole camera a pixel is measured at the mean distance.
        triangles: (T,3) int32; which way round they turn does not matter.
        frontal: (3,3) rotation after which `shape` looks into the camera; None if not known.
        mm_per_px: length of a pixel; None if not known.
        visible: (H,W) bool, where in the photo the face is to be seen; None is everywhere.
    """

    photo: np.ndarray
    pixels: np.ndarray
    shape: np.ndarray
    triangles: np.ndarray
    frontal: np.ndarray | None = None
    mm_per_px: float | None = None
    visible: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.pixels).all() and np.isfinite(self.shape).all()):
            raise Rejected("the mesh has vertices that are not finite")
        height, width = self.photo.shape[:2]
        x, y = self.pixels.T
        inside = (x >= -0.5) & (y >= -0.5) & (x < width - 0.5) & (y < height - 0.5)
        if inside.mean() < LEAST_INSIDE:
            raise Rejected("the mesh lies outside the photo: another photo, size or camera")
        if self.visible is not None and self.visible.shape != (height, width):
            raise Rejected("the mask has another size than the photo")


def weak_perspective(
    photo: np.ndarray,
    points: np.ndarray,
    triangles: np.ndarray,
    frontal: np.ndarray | None = None,
    visible: np.ndarray | None = None,
) -> FaceSurface:
    """A surface given in the photo: `points` (V,3) x right, y down, z toward the camera [px]."""
    shape = points * np.array([1.0, -1.0, 1.0])
    return FaceSurface(photo, points[:, :2], shape, triangles, frontal, visible=visible)
