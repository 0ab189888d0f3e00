"""The face tile of a head model: where each texel lies on the face, and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import interpolate, rasterize

TILE = 512  # texels along the face tile, u and v in [0,1]
FRONT_CM = 24.0  # side of the front view that leads back to texels
FRONT_SIZE = 256


def texel_positions(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Mean position (TILE,TILE,3) [cm] of each texel of the face tile, and which texels exist."""
    triangle_id, _, _ = _tile_triangles(model)
    return vertex_values_to_texels(model, model.vertices), triangle_id >= 0


@dataclass(frozen=True)
class FaceMap:
    """Texels of the mean face.

    Attributes:
        positions: (TILE,TILE,3) mean position of each texel [cm].
        inside: (TILE,TILE) bool, which texels exist.
        landmarks: (68,3) of the mean face [cm].
        unit: a ninth of the distance between the outer eye corners, 1 cm on an average face.
        front: (FRONT_SIZE,FRONT_SIZE,2) texel (column, row) seen at each point of the front view.
        landmark_texels: (68,2) texel (column, row) of each landmark.
    """

    positions: np.ndarray
    inside: np.ndarray
    landmarks: np.ndarray
    unit: float
    front: np.ndarray
    landmark_texels: np.ndarray

    @property
    def texel_cm(self) -> float:
        """Side of a texel in the middle of the face."""
        eyes = self.landmark_texels[[36, 45]]
        return float(9 * self.unit / np.linalg.norm(eyes[1] - eyes[0]))

    def texels(self, points: np.ndarray) -> np.ndarray:
        """(N,2) texel (column, row) float32 of points (N,2), x and y [cm] seen from the front."""
        place = (points * [1, -1] / FRONT_CM + 0.5) * FRONT_SIZE - 0.5
        place = np.clip(place, 0, FRONT_SIZE - 1).astype(np.float32)
        return cv2.remap(self.front, place[:, 0], place[:, 1], cv2.INTER_LINEAR).reshape(-1, 2)


def face_map(model: MorphableModel) -> FaceMap:
    """Texels of `model`'s mean face."""
    positions, inside = texel_positions(model)
    use = model.triangle_flags(("face_narrow", "face_outer"))
    triangles, uv_triangles = model.triangles[use], model.uv_triangles[use]
    middle = FRONT_SIZE / 2 - 0.5
    view = model.vertices / FRONT_CM * [1, -1, 1] * FRONT_SIZE + [middle, middle, 0]
    _, triangle_id, weights = rasterize(view, triangles, FRONT_SIZE, cull=True)
    seen = triangle_id >= 0
    texel = model.uv * [TILE, -TILE] + [-0.5, TILE - 0.5]
    front = np.zeros((FRONT_SIZE, FRONT_SIZE, 2), np.float32)
    front[seen] = interpolate(
        texel.astype(np.float32), uv_triangles[triangle_id[seen]], weights[seen]
    )
    front = _spread(front, seen)
    of_vertex = np.zeros((len(model.vertices), 2), np.float32)
    of_vertex[triangles.ravel()] = texel[uv_triangles.ravel()]
    landmarks = model.vertices[model.landmarks68]
    return FaceMap(
        positions=positions,
        inside=inside,
        landmarks=landmarks,
        unit=float((landmarks[45, 0] - landmarks[36, 0]) / 9.0),
        front=front,
        landmark_texels=of_vertex[model.landmarks68],
    )


def vertex_values_to_texels(model: MorphableModel, values: np.ndarray) -> np.ndarray:
    """(TILE,TILE,C) `values` (V,C) of the vertices at the texels of the face tile; 0 off it."""
    triangle_id, weights, use = _tile_triangles(model)
    inside = triangle_id >= 0
    texels = np.zeros((TILE, TILE, values.shape[1]), np.float32)
    corners = model.triangles[use][triangle_id[inside]]
    texels[inside] = interpolate(values.astype(np.float32), corners, weights[inside])
    return texels


def _tile_triangles(model: MorphableModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    use = model.triangle_flags(("face_narrow", "face_outer"))
    uv_points = np.concatenate([model.uv, np.zeros((len(model.uv), 1), np.float32)], 1)
    uv_points = uv_points * [TILE, -TILE, 1] + [-0.5, TILE - 0.5, 0]
    _, triangle_id, weights = rasterize(uv_points, model.uv_triangles[use], TILE)
    return triangle_id, weights, use


def _spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`values` (h,w,C) with those of the nearest known pixel wherever none is known."""
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    order = np.zeros(nearest.max() + 1, np.int64)
    order[nearest[known]] = np.flatnonzero(known)
    return values.reshape(-1, values.shape[-1])[order[nearest]]
