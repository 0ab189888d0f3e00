"""Bring textures of another head into the layout of a morphable model.

Matched vertices -> thin-plate warp of the model's mean head onto the other head -> for every texel
of the layout the nearest surface point that faces the same way -> its color. The correspondence is
found once; every texture is then one look-up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from df2net_hub.assets.obj_files import ObjMesh
from df2net_hub.assets.surface import Surface
from df2net_hub.assets.warp import thin_plate_warp
from df2net_hub.set_manifest import replace_file
from df2net_hub.synthesis.morphable import SKIN_PARTS, MorphableModel
from df2net_hub.synthesis.raster import rasterize, vertex_normals

HEIGHT = 1024  # of the layout, which is twice as wide: u in [0,2], v in [0,1]
FARTHEST = 0.25  # a nearest point beyond this share of the head's size is none
MARGIN = 0.15  # of the head's size, around which other geometry of the source is left out
WIDEST = 0.5  # triangle of a layout, in u
AT_ONCE = 65536  # texels
JPEG_QUALITY = 95


@dataclass(frozen=True)
class Correspondence:
    """Where each texel of the layout lies in the source's texture.

    Attributes:
        uv: (h,2h,2) float32 source coordinates, v up.
        found: (h,2h) bool; elsewhere `uv` is that of the nearest texel that was found.
        covered: (h,2h) bool, the texels that the model's skin uses.
    """

    uv: np.ndarray
    found: np.ndarray
    covered: np.ndarray


def match_heads(
    model: MorphableModel,
    source: ObjMesh,
    matches: np.ndarray,
    height: int = HEIGHT,
    on_progress: Callable[[int], object] = lambda texels: None,
) -> Correspondence:
    """Find the correspondence through `matches` (M,2), pairs of source and model vertex.

    Raises:
        ValueError: the source has no texture coordinates, or nothing of it lies on the model.
    """
    if source.uv_triangles is None:
        raise ValueError("the source mesh has no texture coordinates ('vt' lines)")
    to_source = thin_plate_warp(model.vertices[matches[:, 1]], source.vertices[matches[:, 0]])
    warped = to_source(model.vertices.astype(np.float64))  # (V,3)
    size = float(np.ptp(warped[model.vertex_flags(SKIN_PARTS)], axis=0).max())
    near = _near(source, warped[model.vertex_flags(SKIN_PARTS)], MARGIN * size)
    # Distances in `Surface` are in cm of a head of about 30 cm.
    surface = Surface(source.vertices * (30 / size), source.triangles[near])
    positions, normals, covered = texels_of(model, warped * (30 / size), height)
    uv = np.zeros((len(positions), 2), np.float32)
    found = np.zeros(len(positions), bool)
    for start in range(0, len(positions), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        triangle, weights, distance = surface.nearest(positions[some], normals[some])
        corners = source.uv[source.uv_triangles[near][triangle]]
        uv[some] = np.einsum("nc,ncx->nx", weights, corners)
        found[some] = distance < FARTHEST * 30
        on_progress(len(positions[some]))
    if not found.any():
        raise ValueError("no surface of the source lies near the model; check the matched vertices")
    return _filled(uv, found, covered)


def resample(texture: np.ndarray, where: Correspondence) -> np.ndarray:
    """(h,2h,3) uint8: `texture` (H,W,3) uint8 of the source in the model's layout."""
    height, width = texture.shape[:2]
    x = where.uv[..., 0] % 1.0 * width - 0.5
    y = (1 - where.uv[..., 1]) % 1.0 * height - 0.5
    return np.asarray(
        cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def convert_skins(
    paths: list[Path],
    folder: Path,
    where: Correspondence,
    on_skin: Callable[[], object] = lambda: None,
) -> tuple[int, dict[str, str]]:
    """Write `folder/NAME.jpg` for each texture; how many were written, and path -> why not.

    A file is written whole or not at all; one unreadable texture does not stop the others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, refused = 0, {}
    for path in paths:
        texture = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if texture is None:
            refused[str(path)] = "is not a picture that can be read"
        else:
            encoded = cv2.imencode(
                ".jpg", resample(texture, where), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
            )[1]
            replace_file(folder / f"{path.stem}.jpg", encoded.tobytes(), "assets")
            written += 1
        on_skin()
    return written, refused


def _near(source: ObjMesh, points: np.ndarray, margin: float) -> np.ndarray:
    """(T,) bool, source triangles inside the box around `points`, widened by `margin`."""
    low, high = points.min(0) - margin, points.max(0) + margin
    inside = ((source.vertices >= low) & (source.vertices <= high)).all(1)
    near = inside[source.triangles].all(1)
    if not near.any():
        raise ValueError("no surface of the source lies near the model; check the matched vertices")
    return np.asarray(near)


def texels_of(
    model: MorphableModel, warped: np.ndarray, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions and unit normals (N,3) on `warped` of the texels that are covered (h,2h).

    `warped` (V,3) are the vertices of `model`, wherever they are.
    """
    skin = model.vertex_flags(SKIN_PARTS)[model.triangles].all(1)
    triangles, uv_triangles = model.triangles[skin], model.uv_triangles[skin]
    # A triangle across the seam of a cylindrical layout would cover all that lies between.
    whole = np.ptp(model.uv[uv_triangles, 0], axis=1) < WIDEST
    triangles, uv_triangles = triangles[whole], uv_triangles[whole]
    normals = vertex_normals(warped.astype(np.float32), model.triangles)
    covered = np.zeros((height, 2 * height), bool)
    positions = np.zeros((height, 2 * height, 3))
    directions = np.zeros((height, 2 * height, 3))
    for tile in (0, 1):
        points = np.column_stack(
            [
                (model.uv[:, 0] - tile) * height - 0.5,
                (1 - model.uv[:, 1]) * height - 0.5,
                np.zeros(len(model.uv)),
            ]
        ).astype(np.float32)
        in_tile = (np.floor(model.uv[uv_triangles, 0].mean(1)) == tile).nonzero()[0]
        if not len(in_tile):
            continue
        _, index, weights = rasterize(points, uv_triangles[in_tile], height, cull=False)
        there = index >= 0
        corners = triangles[in_tile][index[there]]
        part = np.s_[:, tile * height : (tile + 1) * height]
        covered[part] = there
        weight = weights[there].astype(np.float64)
        positions[part][there] = np.einsum("nc,ncx->nx", weight, warped[corners])
        directions[part][there] = np.einsum("nc,ncx->nx", weight, normals[corners])
    unit = directions[covered]
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    return positions[covered], unit, covered


def _filled(uv: np.ndarray, found: np.ndarray, covered: np.ndarray) -> Correspondence:
    """Spread what was found over the rest of the layout."""
    from scipy.ndimage import (
        distance_transform_edt,
    )

    found_map = np.zeros(covered.shape, bool)
    found_map[covered] = found
    uv_map = np.zeros((*covered.shape, 2), np.float32)
    uv_map[covered] = uv
    rows, columns = distance_transform_edt(~found_map, return_distances=False, return_indices=True)
    return Correspondence(uv_map[rows, columns], found_map, covered)
