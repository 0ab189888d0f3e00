"""What stands before the face: hair, glasses, caps, hands, drawn over the head."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.raster import (
    rasterize_over,
    tile_at,
    tile_over_grid,
    vertex_normals,
)
from df2net_hub.synthesis.shade import Lamps, shade_pixel

SHININESS, SKY = 12, np.float32(0.8)
ONE = np.float32(1)
UNCUT = 8.0  # a cut-out field that is higher everywhere cuts nothing


@dataclass(frozen=True)
class Cover:
    """What occluders cover on a grid of F x F.

    Attributes:
        seen: (F,F) bool, an occluder is what the camera sees.
        hidden: (F,F) bool, an occluder that hides the face stands before it.
        solid: (F,F) float32 height [px] of head and hiding occluders; -inf where there is none.
        thin: (F,F) float32 height [px] of occluders that hide nothing, or None.
        triangle_id, weights: of the seen occluder, its triangles numbered through all of them.
    """

    seen: np.ndarray
    hidden: np.ndarray
    solid: np.ndarray
    thin: np.ndarray | None
    triangle_id: np.ndarray
    weights: np.ndarray


def cover(
    occluders: list[Occluder], points: list[np.ndarray], height: np.ndarray, noise: np.ndarray
) -> Cover:
    """Draw occluders at `points` (V,3) [px] each before a head of `height` (F,F) [px].

    Where a cut-out field ends, a fine `noise` pattern (n,n) makes strands of its edge.
    """
    size = height.shape[0]
    front = height.copy()
    triangle_id = np.full((size, size), -1, np.int32)
    weights = np.zeros((size, size, 3), np.float32)
    cut = np.float32(0.2) * tile_over_grid(noise, size, 1.3, 0.3) if occluders else None
    solid, hidden = height, np.zeros((size, size), np.bool_)
    thin = None
    starts = np.cumsum([0] + [len(one.triangles) for one in occluders])
    # Those that hide come first: what they hide stays hidden behind glasses.
    for hides in (True, False):
        for one, at, start in zip(occluders, points, starts, strict=False):
            if one.hides == hides:
                keep = one.keep if one.keep.min() < UNCUT else None
                rasterize_over(
                    at, one.triangles, front, triangle_id, weights, keep, cut, int(start)
                )
        if hides:
            hidden, solid = triangle_id >= 0, front.copy()
        elif not all(one.hides for one in occluders):
            thin = np.where(front > solid, front, -np.inf).astype(np.float32)
    return Cover(triangle_id >= 0, hidden, solid, thin, triangle_id, weights)


def shade_cover(
    covered: Cover,
    occluders: list[tuple[Occluder, np.ndarray]],
    points: list[np.ndarray],
    noise: np.ndarray,
    light: Lamps,
    lit: np.ndarray,
    image: np.ndarray,
) -> None:
    """Shade the seen occluders into `image` (F,F,3) in place.

    Args:
        covered: what `cover` made of the same occluders and points.
        occluders: surfaces with their linear colors.
        points: (V,3) projected [px] of each.
        noise: (n,n) tile of strands.
        light: what they are lit by.
        lit: (L,F,F) how far each direct light reaches.
        image: linear RGB.
    """
    upright = np.array([1, -1, 1], np.float32)
    first = 0
    for (one, color), at in zip(occluders, points, strict=True):
        per_vertex = np.column_stack([vertex_normals(at * upright, one.triangles), one.strand])
        _shade_strands(
            covered.triangle_id,
            covered.weights,
            one.triangles,
            first,
            per_vertex.astype(np.float32),
            np.asarray(color, np.float32),
            np.float32(one.gloss),
            noise,
            lit,
            light.sky,
            light.directions,
            light.halves,
            light.colors,
            light.mirror,
            image,
        )
        first += len(one.triangles)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _shade_strands(
    triangle_id: np.ndarray,
    weights: np.ndarray,
    triangles: np.ndarray,
    first: int,
    per_vertex: np.ndarray,
    color: np.ndarray,
    gloss: float,
    noise: np.ndarray,
    lit: np.ndarray,
    harmonic: np.ndarray,
    directions: np.ndarray,
    halves: np.ndarray,
    colors: np.ndarray,
    mirror: np.ndarray,
    image: np.ndarray,
) -> None:
    fields, shaded = np.zeros(5, np.float32), np.zeros(3, np.float32)
    albedo, reach = np.zeros(3, np.float32), np.zeros(len(directions), np.float32)
    for row in range(triangle_id.shape[0]):
        for column in range(triangle_id.shape[1]):
            t = triangle_id[row, column] - first
            if t < 0 or t >= len(triangles):
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            for f in range(5):
                fields[f] = wa * per_vertex[a, f] + wb * per_vertex[b, f] + wc * per_vertex[c, f]
            x, y, z = fields[0], fields[1], fields[2]
            strand = tile_at(noise, fields[3] * np.float32(2.5), fields[4] * np.float32(0.3))
            # Ribbons and curtains have two sides; the one that is seen faces the camera.
            turn = ONE / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-9))
            if z < np.float32(0):
                turn = -turn
            x, y, z = x * turn + np.float32(0.35) * strand, y * turn, z * turn
            per_length = ONE / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-9))
            tone = min(max(ONE + np.float32(0.45) * strand, np.float32(0.1)), np.float32(3))
            for k in range(3):
                albedo[k] = color[k] * tone
            for one in range(len(reach)):
                reach[one] = lit[one, row, column]
            normal = (x * per_length, y * per_length, z * per_length)
            shade_pixel(
                normal, normal, albedo, gloss, SHININESS, SKY, SKY,
                reach, harmonic, directions, halves, colors, mirror, shaded,
            )  # fmt: skip
            for k in range(3):
                image[row, column, k] = shaded[k]
