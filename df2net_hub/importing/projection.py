"""A face surface drawn in its photo's view or turned to the front, with the photo as its texture.

DF2Net (ICCV 2019) Sec. 3.2: reconstructed shapes "are projected into frontal view". Image, depth,
mask and normals are drawn by one rasterization and agree at the pixel. What the photo does not show
of the face is not in the mask.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.faces import FaceBox, crop_face
from df2net_hub.importing.surface import FaceSurface, Rejected
from df2net_hub.synthesis.raster import interpolate, rasterize, sample_texture, vertex_normals

# A surface that stands more than 78 degrees away from the camera shows a fifth of its width: its
# texture is smeared and its depth along the outline is chance.
LEAST_FACING = 0.2
HIDDEN_BEHIND = 0.01  # of the photo view's side: how far behind the nearest surface is hidden
LARGEST_TEXTURE = 2048  # [px]
SMALLEST_PIECE = 0.05  # of the largest piece of the mask: what grazing angles cut off is left out
BACKGROUND_BLUR = 1 / 16  # of the picture's side
LEAST_AREA = 0.005  # share of the picture below which there is no face in it


@dataclass(frozen=True, eq=False)
class View:
    """One view of a face, all maps (S,S,...) over the same pixels.

    Attributes:
        image: uint8 RGB.
        height_px: float32 height toward the camera [px of this picture], NaN off the mask.
        mask: bool, the face that the photo shows.
        normals: float32 unit, x right, y up, z toward the camera, NaN off the mask.
    """

    image: np.ndarray
    height_px: np.ndarray
    mask: np.ndarray
    normals: np.ndarray


def photo_view(surface: FaceSurface, box: FaceBox, size: int) -> View:
    """The surface over the crop `box` of its own photo, `size` pixels wide.

    Raises:
        Rejected: hardly anything of the face lies in the crop.
    """
    positions = np.column_stack([surface.pixels, surface.shape[:, 2]])
    drawn = _draw(positions, surface.triangles, box, size)
    normals = drawn.at_pixels(facing_normals(surface))
    height = drawn.z[drawn.covered] * size / box.side
    seen = _shown_by_photo(surface, drawn.at_pixels(surface.pixels))
    seen &= normals[:, 2] >= LEAST_FACING * np.linalg.norm(normals, axis=1)
    image = crop_face(surface.photo, box, size)
    return _view(image, drawn.covered, seen, height, normals)


def frontal_view(surface: FaceSurface, box: FaceBox, size: int) -> View:
    """The surface turned to the front; `box` is a square of `frontal_pixels`, not of the photo.

    Behind the face stands the blurred photo: the paper's pairs have nothing there.

    Raises:
        ValueError: the pose of the surface is not known.
        Rejected: the photo shows hardly anything of the face.
    """
    turned = _turned(surface)
    positions = np.column_stack([frontal_pixels(surface), turned[:, 2]])
    drawn = _draw(positions, surface.triangles, box, size)
    normals_then = facing_normals(surface)
    assert surface.frontal is not None
    normals = drawn.at_pixels(normals_then @ surface.frontal.T.astype(np.float32))
    height = drawn.z[drawn.covered] * size / box.side

    where = drawn.at_pixels(surface.pixels)  # in the photo, of every pixel of the face
    texture, square = _texture(surface, box, size)
    seen = _shown_by_photo(surface, where)
    then = drawn.at_pixels(normals_then)
    seen &= then[:, 2] >= LEAST_FACING * np.linalg.norm(then, axis=1)
    seen &= normals[:, 2] >= LEAST_FACING * np.linalg.norm(normals, axis=1)
    seen &= ~_is_hidden(surface, square, where, drawn.at_pixels(surface.shape[:, 2:])[:, 0])

    image = cv2.GaussianBlur(
        cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA),
        (0, 0),
        size * BACKGROUND_BLUR,
    )
    x, y = ((where - [square.x, square.y] + 0.5) * len(texture) / square.side - 0.5).T
    image[drawn.covered] = sample_texture(texture, x, y)
    return _view(
        (image.clip(0, 1) * 255 + 0.5).astype(np.uint8), drawn.covered, seen, height, normals
    )


def frontal_pixels(surface: FaceSurface) -> np.ndarray:
    """(V,2) where the vertices lie once turned: x right, y down, as long as the photo's pixels."""
    return _turned(surface)[:, :2] * [1, -1]


def facing_normals(surface: FaceSurface) -> np.ndarray:
    """(V,3) float32, most of them toward the camera, whichever way the triangles turn."""
    normals = vertex_normals(surface.shape.astype(np.float32), surface.triangles)
    corners = surface.shape[surface.triangles]
    sides = corners[:, 1:, :2] - corners[:, :1, :2]
    turning = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    return normals if turning.sum() >= 0 else -normals


@dataclass(frozen=True, eq=False)
class _Drawn:
    z: np.ndarray  # (S,S), -inf where nothing is
    covered: np.ndarray  # (S,S) bool
    corners: np.ndarray  # (N,3) vertices of each covered pixel's triangle
    weights: np.ndarray  # (N,3)

    def at_pixels(self, attribute: np.ndarray) -> np.ndarray:
        """(V,C) of the vertices -> (N,C) float32 of the covered pixels."""
        return interpolate(attribute.astype(np.float32), self.corners, self.weights)


def _draw(positions: np.ndarray, triangles: np.ndarray, box: FaceBox, size: int) -> _Drawn:
    """Rasterize positions (V,3) [px of the frame of `box`]; z stays in its unit."""
    plane = (positions[:, :2] - [box.x, box.y] + 0.5) * (size / box.side) - 0.5
    z, triangle, weights = rasterize(np.column_stack([plane, positions[:, 2]]), triangles, size)
    covered = triangle >= 0
    return _Drawn(z, covered, triangles[triangle[covered]], weights[covered])


def _turned(surface: FaceSurface) -> np.ndarray:
    if surface.frontal is None:
        raise ValueError("the pose of this mesh is not known: give a frontal reference")
    return surface.shape @ surface.frontal.T


def _shown_by_photo(surface: FaceSurface, where: np.ndarray) -> np.ndarray:
    """(N,) bool: whether the photo's pixel at `where` (N,2) exists and shows the face."""
    height, width = surface.photo.shape[:2]
    x, y = np.rint(where).astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if surface.visible is not None:
        inside &= surface.visible[y.clip(0, height - 1), x.clip(0, width - 1)]
    return inside


def _texture(surface: FaceSurface, box: FaceBox, size: int) -> tuple[np.ndarray, FaceBox]:
    """The photo around the mesh, (n,n,3) float32 in [0,1], no finer than the picture needs."""
    low, high = surface.pixels.min(axis=0), surface.pixels.max(axis=0)
    side = float((high - low).max()) + 4
    x, y = (low + high + 1 - side) / 2
    square = FaceBox(float(x), float(y), side, 1.0, "mesh")
    n = min(math.ceil(side * min(size / box.side, 1.0)), LARGEST_TEXTURE)
    return crop_face(surface.photo, square, n).astype(np.float32) / 255, square


def _is_hidden(
    surface: FaceSurface, square: FaceBox, where: np.ndarray, height: np.ndarray
) -> np.ndarray:
    """(N,) bool: whether another part of the mesh stands before a point in the photo's view."""
    size = 512
    positions = np.column_stack([surface.pixels, surface.shape[:, 2]])
    nearest = _draw(positions, surface.triangles, square, size).z
    x, y = np.rint((where - [square.x, square.y] + 0.5) * (size / square.side) - 0.5).T
    in_front = nearest[y.astype(int).clip(0, size - 1), x.astype(int).clip(0, size - 1)]
    return in_front > height + HIDDEN_BEHIND * square.side


def _view(
    image: np.ndarray,
    covered: np.ndarray,
    seen: np.ndarray,
    height: np.ndarray,
    normals: np.ndarray,
) -> View:
    mask = covered.copy()
    mask[covered] = seen
    mask = _large_pieces(mask)
    seen = mask[covered]
    if mask.mean() < LEAST_AREA:
        raise Rejected("hardly anything of the mesh is visible in the crop")
    height_px = np.full(mask.shape, np.nan, np.float32)
    height_px[mask] = height[seen]
    unit = np.full((*mask.shape, 3), np.nan, np.float32)
    unit[mask] = normals[seen] / np.linalg.norm(normals[seen], axis=1, keepdims=True)
    return View(image, height_px, mask, unit)


def _large_pieces(mask: np.ndarray) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    areas = np.where(np.arange(len(stats)) > 0, stats[:, cv2.CC_STAT_AREA], 0)  # 0: off the mask
    return mask & (areas >= SMALLEST_PIECE * areas.max())[labels]
