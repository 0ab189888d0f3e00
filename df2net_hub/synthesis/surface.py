"""The head's visible surface: per pixel its height, its normal, and what part of the head it is.

Wrinkles displace the surface along its normal. At one pixel that raises the height by the
displacement over the normal's z, to first order: a sphere of radius R displaced by d has the height
of a sphere of radius R + d. Where the surface turns away the wrinkles fade, for there they would
hide one another and the picture has no pixels to show it. Normals are those of the height map: the
slopes of smooth skin and of the wrinkles add.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from df2net_hub.synthesis.morphable import FACE_PARTS, MorphableModel
from df2net_hub.synthesis.raster import rasterize, vertex_normals

NOTHING, SKIN, EYE, TEETH, MOUTH = range(5)
KIND_PARTS = {
    EYE: ("eyeball_left", "eyeball_right"),
    TEETH: ("teeth",),
    MOUTH: ("mouth_socket", "gums_and_tongue"),
}
# In compiled code a plain number makes its whole expression double precision.
ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
FADE_BELOW = np.float32(0.4)  # normal's z under which wrinkles fade
FACING_MIN = np.float32(0.03)  # a visible surface has a normal that faces the camera


@dataclass(frozen=True)
class Surface:
    """What the camera sees of the bare head on a grid of F x F.

    Attributes:
        height: (F,F) float32 toward the camera [px]; -inf where there is no head.
        normal: (F,F,3) float32 unit normal of the height map, x right, y up, z toward the camera.
        kind: (F,F) uint8, one of NOTHING, SKIN, EYE, TEETH, MOUTH.
        face: (F,F) bool, belongs to the face.
        uv: (F,F,2) float32 texture coordinates.
        cavity: (F,F) float32 share of the light that furrows leave, 1 beside them.
        triangle_id, weights: (F,F) int32, (F,F,3) float32 as `rasterize` gives them.
    """

    height: np.ndarray
    normal: np.ndarray
    kind: np.ndarray
    face: np.ndarray
    uv: np.ndarray
    cavity: np.ndarray
    triangle_id: np.ndarray
    weights: np.ndarray


def see_surface(
    model: MorphableModel,
    points: np.ndarray,
    wrinkles_px: np.ndarray,
    cavities: np.ndarray,
    size: int,
) -> Surface:
    """The surface that `points` (V,3) [px], y down, show on size x size pixels.

    `wrinkles_px` (h,w) is displacement along the normal [px] over the face tile, row 0 at v = 1.
    `cavities` (h,w) is the share of the light that furrows leave there.
    """
    height, triangle_id, weights = rasterize(points, model.triangles, size, cull=True)
    upright = points * np.array([1, -1, 1], np.float32)
    kind = np.full(len(model.triangles), SKIN, np.uint8)
    for name, parts in KIND_PARTS.items():
        kind[model.triangle_flags(parts)] = name
    wrinkled = model.vertex_flags(("face_narrow",)).astype(np.float32)
    normal = np.zeros((size, size, 3), np.float32)
    texels = np.zeros((size, size, 2), np.float32)
    bump = np.zeros((size, size), np.float32)
    cavity = np.ones((size, size), np.float32)
    kinds = np.zeros((size, size), np.uint8)
    face = np.zeros((size, size), np.bool_)
    _lift(
        triangle_id,
        weights,
        model.triangles,
        model.uv_triangles,
        model.uv,
        np.column_stack([vertex_normals(upright, model.triangles), wrinkled]),
        kind,
        model.triangle_flags(FACE_PARTS),
        wrinkles_px,
        cavities,
        normal,
        texels,
        bump,
        cavity,
        kinds,
        face,
    )
    _bend(height, normal, bump, kinds)
    return Surface(height + bump, normal, kinds, face, texels, cavity, triangle_id, weights)


@njit(cache=True, nogil=True)
def _lift(
    triangle_id: np.ndarray,
    weights: np.ndarray,
    triangles: np.ndarray,
    uv_triangles: np.ndarray,
    uv: np.ndarray,
    per_vertex: np.ndarray,
    kind_of: np.ndarray,
    face_of: np.ndarray,
    wrinkles: np.ndarray,
    cavities: np.ndarray,
    normal: np.ndarray,
    texels: np.ndarray,
    bump: np.ndarray,
    cavity: np.ndarray,
    kind: np.ndarray,
    face: np.ndarray,
) -> None:
    """Normals and height of wrinkles apart, texture coordinates, kind and face of every pixel.

    `per_vertex` (V,4) is the vertices' normals and whether they are wrinkled.
    """
    rows, columns = wrinkles.shape
    high, wide = np.float32(rows), np.float32(columns)
    last_y, last_x = np.float32(rows - 1.001), np.float32(columns - 1.001)
    for row in range(triangle_id.shape[0]):
        for column in range(triangle_id.shape[1]):
            t = triangle_id[row, column]
            if t < 0:
                continue
            kind[row, column] = kind_of[t]
            face[row, column] = face_of[t]
            wa, wb, wc = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            x = wa * per_vertex[a, 0] + wb * per_vertex[b, 0] + wc * per_vertex[c, 0]
            y = wa * per_vertex[a, 1] + wb * per_vertex[b, 1] + wc * per_vertex[c, 1]
            z = wa * per_vertex[a, 2] + wb * per_vertex[b, 2] + wc * per_vertex[c, 2]
            z = max(z, FACING_MIN)
            per_length = ONE / np.sqrt(x * x + y * y + z * z)
            x, y, z = x * per_length, y * per_length, z * per_length
            normal[row, column, 0] = x
            normal[row, column, 1] = y
            normal[row, column, 2] = z
            share = wa * per_vertex[a, 3] + wb * per_vertex[b, 3] + wc * per_vertex[c, 3]
            a, b, c = uv_triangles[t, 0], uv_triangles[t, 1], uv_triangles[t, 2]
            u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
            v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
            texels[row, column, 0], texels[row, column, 1] = u, v
            if share <= ZERO or u >= ONE:
                continue
            at_x = min(max(u * wide - HALF, ZERO), last_x)
            at_y = min(max((ONE - v) * high - HALF, ZERO), last_y)
            i, j = int(at_y), int(at_x)
            fx, fy = at_x - np.float32(j), at_y - np.float32(i)
            rise = _between(
                wrinkles[i, j], wrinkles[i, j + 1], wrinkles[i + 1, j], wrinkles[i + 1, j + 1],
                fx, fy,
            )  # fmt: skip
            light = _between(
                cavities[i, j], cavities[i, j + 1], cavities[i + 1, j], cavities[i + 1, j + 1],
                fx, fy,
            )  # fmt: skip
            raised = ONE / z if z > FADE_BELOW else z / (FADE_BELOW * FADE_BELOW)
            bump[row, column] = share * raised * rise
            cavity[row, column] = ONE - share * (ONE - light)


@njit(inline="always")
def _between(a: float, b: float, c: float, d: float, fx: float, fy: float) -> float:
    """Bilinear, of four texels in two rows."""
    above = a + (b - a) * fx
    below = c + (d - c) * fx
    return above + (below - above) * fy


@njit(cache=True, nogil=True)
def _bend(height: np.ndarray, normal: np.ndarray, bump: np.ndarray, kind: np.ndarray) -> None:
    """Add the slopes of `bump` to those of the smooth surface, never across its edges."""
    last_row, last_column = height.shape[0] - 1, height.shape[1] - 1
    for row in range(last_row + 1):
        above, below = max(row - 1, 0), min(row + 1, last_row)
        for column in range(last_column + 1):
            if kind[row, column] == NOTHING:
                continue
            before, after = max(column - 1, 0), min(column + 1, last_column)
            middle = bump[row, column]
            first, last = middle - bump[row, before], bump[row, after] - middle
            upper, lower = middle - bump[above, column], bump[below, column] - middle
            if first == ZERO and last == ZERO and upper == ZERO and lower == ZERO:
                continue
            here = height[row, column]
            x, y, z = normal[row, column, 0], normal[row, column, 1], normal[row, column, 2]
            right = _slope(
                here - height[row, before], height[row, after] - here, first, last, -x / z,
                column > 0, column < last_column,
            )  # fmt: skip
            down = _slope(
                here - height[above, column], height[below, column] - here, upper, lower, y / z,
                row > 0, row < last_row,
            )  # fmt: skip
            x -= z * right
            y += z * down
            per_length = ONE / np.sqrt(x * x + y * y + z * z)
            normal[row, column, 0] = x * per_length
            normal[row, column, 1] = y * per_length
            normal[row, column, 2] = z * per_length


@njit(inline="always")
def _slope(
    climb: float,
    climb_on: float,
    rise: float,
    rise_on: float,
    expected: float,
    has_before: bool,
    has_after: bool,
) -> float:
    """Rise per pixel, of the steps from the pixel before and to the next that are on one sheet.

    `climb` and `climb_on` are what the surface rises on these steps.
    """
    jump = TWO + TWO * abs(expected)  # what lies further off is another sheet
    near = has_before and abs(climb - expected) <= jump
    near_on = has_after and abs(climb_on - expected) <= jump
    if near and near_on:
        return (rise + rise_on) * HALF
    return rise if near else rise_on if near_on else ZERO


@njit(cache=True, nogil=True)
def weighed(
    height: np.ndarray, normal: np.ndarray, face: np.ndarray, hidden: np.ndarray, front: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What pixels add to means, 2 x (F,F,4): face's height, normal; face, visible, cover, front."""
    geometry = np.zeros((*height.shape, 4), np.float32)
    shares = np.zeros((*height.shape, 4), np.float32)
    for row in range(height.shape[0]):
        for column in range(height.shape[1]):
            if face[row, column]:
                geometry[row, column, 0] = height[row, column]
                for k in range(3):
                    geometry[row, column, 1 + k] = normal[row, column, k]
                shares[row, column, 0] = 1
                shares[row, column, 1] = not hidden[row, column]
            if front[row, column] > -np.inf:
                shares[row, column, 2] = 1
                shares[row, column, 3] = front[row, column]
    return geometry, shares


@njit(cache=True, nogil=True)
def as_seen(
    height: np.ndarray, normal: np.ndarray, face: np.ndarray, hidden: np.ndarray, front: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What `divided` gives where the fine pixels are those of the picture."""
    depth, normals = np.empty_like(height), np.empty_like(normal)
    seen, mask, coverage = np.empty_like(height), np.zeros_like(face), np.zeros_like(height)
    for row in range(height.shape[0]):
        for column in range(height.shape[1]):
            on_face = face[row, column]
            depth[row, column] = height[row, column] if on_face else np.float32(np.nan)
            for k in range(3):
                normals[row, column, k] = normal[row, column, k] if on_face else np.float32(np.nan)
            mask[row, column] = on_face and not hidden[row, column]
            nearest = front[row, column]
            covered = nearest > -np.inf
            coverage[row, column] = ONE if covered else ZERO
            seen[row, column] = nearest if covered else np.float32(np.nan)
    return depth, normals, seen, mask, coverage


@njit(cache=True, nogil=True)
def divided(
    geometry: np.ndarray, shares: np.ndarray, drift: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Depth (S,S), normals (S,S,3), front (S,S), mask, coverage from means of `weighed`.

    Heights are multiplied by `scale`, and moved along the slope by the `drift` (S,) [px] of means
    from the middles of pixels. Where less than half a pixel is face, there is no depth.
    """
    shape = shares.shape[:2]
    depth, front = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    normals = np.full((*shape, 3), np.nan, np.float32)
    mask, coverage = np.zeros(shape, np.bool_), np.zeros(shape, np.float32)
    for row in range(shape[0]):
        for column in range(shape[1]):
            share = shares[row, column, 0]
            if share > 0.5:
                x, y, z = (
                    geometry[row, column, 1],
                    geometry[row, column, 2],
                    geometry[row, column, 3],
                )
                length = np.sqrt(x * x + y * y + z * z)
                astray = (y * drift[row] - x * drift[column]) / max(z, FACING_MIN * length)
                depth[row, column] = geometry[row, column, 0] / share * scale - astray
                normals[row, column, 0] = x / length
                normals[row, column, 1] = y / length
                normals[row, column, 2] = z / length
                mask[row, column] = shares[row, column, 1] > 0.5
            coverage[row, column] = shares[row, column, 2]
            if shares[row, column, 2] > 0:
                front[row, column] = shares[row, column, 3] / shares[row, column, 2] * scale
    return depth, normals, front, mask, coverage
