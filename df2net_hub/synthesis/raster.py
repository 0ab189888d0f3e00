"""A z-buffer on the CPU: triangles to pixels, attributes to pixels, textures to pixels (numba)."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _rasterize(
    points: np.ndarray,
    triangles: np.ndarray,
    size: int,
    cull: bool,
    keep: np.ndarray,
    threshold: np.ndarray,
    z_buffer: np.ndarray,
    triangle_id: np.ndarray,
    barycentric: np.ndarray,
) -> None:
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        ax, ay, az = points[a]
        bx, by, bz = points[b]
        cx, cy, cz = points[c]
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if abs(area) < 1e-9 or (cull and area > 0.0):
            continue
        x0 = max(int(np.ceil(min(ax, bx, cx))), 0)
        x1 = min(int(np.floor(max(ax, bx, cx))), size - 1)
        y0 = max(int(np.ceil(min(ay, by, cy))), 0)
        y1 = min(int(np.floor(max(ay, by, cy))), size - 1)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                wb = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
                wc = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
                wa = 1.0 - wb - wc
                if wa < 0.0 or wb < 0.0 or wc < 0.0:
                    continue
                if keep[a] * wa + keep[b] * wb + keep[c] * wc < threshold[y, x]:
                    continue
                z = wa * az + wb * bz + wc * cz
                if z > z_buffer[y, x]:
                    z_buffer[y, x] = z
                    triangle_id[y, x] = t
                    barycentric[y, x, 0] = wa
                    barycentric[y, x, 1] = wb
                    barycentric[y, x, 2] = wc


def rasterize(
    points: np.ndarray,
    triangles: np.ndarray,
    size: int,
    keep: np.ndarray | None = None,
    threshold: np.ndarray | None = None,
    cull: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest surface per pixel; z grows toward the camera, pixel centers at integers.

    Args:
        points: (V,3) x right [px], y down [px], z toward the camera [px].
        triangles: (T,3) int32; zero-area triangles cover nothing.
        size: height and width of the picture.
        keep: (V,) float; a pixel counts only where the interpolated value reaches `threshold`.
        threshold: (size,size) float, needed with `keep`; gives cut-out edges such as hair strands.
        cull: leave out triangles that face away (clockwise in the file seen from the camera).

    Returns:
        z (size,size) float32 with -inf where nothing is, triangle index (size,size) int32 with -1,
        barycentric weights (size,size,3) float32.
    """
    z_buffer = np.full((size, size), -np.inf, np.float32)
    triangle_id = np.full((size, size), -1, np.int32)
    barycentric = np.zeros((size, size, 3), np.float32)
    if keep is None:
        keep = np.ones(len(points), np.float32)
    if threshold is None:
        threshold = np.zeros((size, size), np.float32)
    _rasterize(
        points.astype(np.float32),
        np.ascontiguousarray(triangles),
        size,
        cull,
        keep.astype(np.float32),
        threshold.astype(np.float32),
        z_buffer,
        triangle_id,
        barycentric,
    )
    return z_buffer, triangle_id, barycentric


@njit(cache=True, nogil=True)
def interpolate(attributes: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N,C) attribute of N pixels from their triangles' corners (N,3) and weights (N,3)."""
    out = np.empty((len(corners), attributes.shape[1]), np.float32)
    for n in range(len(corners)):
        a, b, c = corners[n]
        for k in range(attributes.shape[1]):
            out[n, k] = (
                weights[n, 0] * attributes[a, k]
                + weights[n, 1] * attributes[b, k]
                + weights[n, 2] * attributes[c, k]
            )
    return out


@njit(cache=True, nogil=True)
def sample_texture(texture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear lookup of `texture` (H,W,C) at columns x and rows y (N,) [px]; edges clamp."""
    height, width, channels = texture.shape
    out = np.empty((len(x), channels), np.float32)
    for n in range(len(x)):
        px = min(max(x[n], 0.0), width - 1.001)
        py = min(max(y[n], 0.0), height - 1.001)
        column, row = int(px), int(py)
        fx, fy = px - column, py - row
        for k in range(channels):
            top = texture[row, column, k] * (1 - fx) + texture[row, column + 1, k] * fx
            bottom = texture[row + 1, column, k] * (1 - fx) + texture[row + 1, column + 1, k] * fx
            out[n, k] = top * (1 - fy) + bottom * fy
    return out


@njit(cache=True, nogil=True)
def _accumulate_normals(vertices: np.ndarray, triangles: np.ndarray, normals: np.ndarray) -> None:
    for t in range(len(triangles)):
        a, b, c = triangles[t]
        ux, uy, uz = vertices[b] - vertices[a]
        vx, vy, vz = vertices[c] - vertices[a]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,3) unit normals, triangles weighted by area; zero where a vertex has no triangle."""
    normals = np.zeros_like(vertices, np.float32)
    _accumulate_normals(vertices.astype(np.float32), triangles, normals)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
