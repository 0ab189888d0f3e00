"""Meshes in image coordinates whose vertex colors were read from the photo: PRNet, 3DDFA_V2.

The colors are the proof that a mesh belongs to a photo. A writer's conventions are tried one by one
and the one under which the colors are those of the photo is taken; if none fits, the mesh is
refused.
"""

from dataclasses import dataclass

import numpy as np

from df2net_hub.importing.surface import Rejected

# Median difference [0,255] between a vertex's color and the photo. Colors are stored to 1/100
# (2.5 of 255) by one writer and a photo may have been saved again as JPEG; a mesh that hangs
# elsewhere in the photo differs by more.
MOST_COLOR_DIFFERENCE = 12.0


@dataclass(frozen=True)
class ImageFrame:
    """One way in which a file's x, y, z can lie over a photo."""

    scale: float  # photo pixels per pixel of the picture that the mesh was made on
    y_of_zero: float | None  # row of that picture at which the file's upward y is 0; None: y down

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """(V,3) of the file -> x right, y down, z toward the camera [px of the photo]."""
        points = vertices.copy()
        if self.y_of_zero is not None:
            points[:, 1] = self.y_of_zero - points[:, 1]
        # Pixel centers at integers: a picture is scaled about the outer edge of its first pixel.
        points[:, :2] = (points[:, :2] + 0.5) * self.scale - 0.5
        points[:, 2] *= self.scale
        return points


def color_difference(photo: np.ndarray, points: np.ndarray, colors: np.ndarray) -> float:
    """Median difference [0,255] between `colors` (V,3) and the photo at `points` (V,3) [px].

    255 if half of the points lie outside the photo.
    """
    height, width = photo.shape[:2]
    x, y = np.rint(points[:, 0]), np.rint(points[:, 1])
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if inside.mean() < 0.5:
        return 255.0
    seen = photo[y[inside].astype(int), x[inside].astype(int)].astype(np.float64)
    return float(np.median(np.abs(seen - colors[inside]).mean(axis=1)))


def points_by_color(
    photo: np.ndarray,
    vertices: np.ndarray,
    colors: np.ndarray | None,
    frames: list[ImageFrame],
) -> np.ndarray:
    """(V,3) in the photo (see `ImageFrame.points`), under the frame that the colors speak for.

    Raises:
        Rejected: the mesh has no vertex colors, or they fit the photo under no frame.
    """
    if colors is None:
        raise Rejected("OBJ without vertex colors: nothing says where in the photo it lies")
    if not np.isfinite(vertices).all():
        raise Rejected("the mesh has vertices that are not finite")
    placed = [frame.points(vertices) for frame in frames]
    differences = [color_difference(photo, points, colors) for points in placed]
    best = int(np.argmin(differences))
    if differences[best] > MOST_COLOR_DIFFERENCE:
        raise Rejected(
            "vertex colors that are not the photo's: another photo, size or a turned mesh"
        )
    return placed[best]
