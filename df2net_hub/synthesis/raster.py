"""A z-buffer on the CPU: triangles to pixels, attributes to pixels, textures to pixels (numba)."""

import numpy as np
from numba import njit

# A pixel on the edge that two triangles share must not fall between them by rounding.
ON_EDGE = -1e-9
WIDE = 4  # [px]; in narrower boxes it is faster to try every pixel than to find the span
SMALL = 24  # [px]; smaller triangles are hidden where their corners are, by this much:
MARGIN, HALF = np.float32(2), np.float32(0.5)
STEEP = 1e-5  # of a weight per pixel: a line with less slope bounds no span
SHORTEST = np.float32(1e-12)
LEAST_SHARE = np.float32(0.004)  # opacity that shows
ONE = np.float32(1)  # in compiled code a plain number makes its expression double precision


@njit(inline="always")
def _span(first: int, last: int, origin: float, weight: float, slope: float) -> tuple[int, int]:
    """Pixels of `first` to `last` where weight + slope (x - origin) may be above 0."""
    if slope > STEEP:
        first = max(first, int(np.floor(origin - weight / slope)))
    elif slope < -STEEP:
        last = min(last, int(np.ceil(origin - weight / slope)))
    return first, last


@njit(cache=True, nogil=True, error_model="numpy")
def _rasterize(
    points: np.ndarray,
    triangles: np.ndarray,
    cull: bool,
    keep: np.ndarray,
    threshold: np.ndarray,
    first_id: int,
    z_buffer: np.ndarray,
    triangle_id: np.ndarray,
    barycentric: np.ndarray,
) -> None:
    height, width = z_buffer.shape
    cut_out = len(keep) > 0
    lowest = threshold.min() if cut_out else np.float32(0)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        if cut_out and max(keep[a], keep[b], keep[c]) < lowest:
            continue
        ax, ay = np.float64(points[a, 0]), np.float64(points[a, 1])
        bx, by = np.float64(points[b, 0]) - ax, np.float64(points[b, 1]) - ay
        cx, cy = np.float64(points[c, 0]) - ax, np.float64(points[c, 1]) - ay
        area = bx * cy - cx * by
        if abs(area) < 1e-9 or (cull and area > 0.0):
            continue
        x0 = max(int(np.ceil(ax + min(0.0, bx, cx))), 0)
        x1 = min(int(np.floor(ax + max(0.0, bx, cx))), width - 1)
        y0 = max(int(np.ceil(ay + min(0.0, by, cy))), 0)
        y1 = min(int(np.floor(ay + max(0.0, by, cy))), height - 1)
        if not cull and x1 - x0 < SMALL and y1 - y0 < SMALL:
            # Half of the hair grows behind the head.
            hidden = True
            for i in (a, b, c):
                column, row = int(points[i, 0] + HALF), int(points[i, 1] + HALF)
                hidden &= 0 <= column < width and 0 <= row < height
                hidden = hidden and z_buffer[row, column] > points[i, 2] + MARGIN
            if hidden:
                continue
        per_area = 1.0 / area
        az = np.float64(points[a, 2])
        bz, cz = np.float64(points[b, 2]) - az, np.float64(points[c, 2]) - az
        wide = x1 - x0 >= WIDE
        slope_b, slope_c = cy * per_area, -by * per_area
        for y in range(y0, y1 + 1):
            dy = (y - ay) * per_area
            row_b, row_c, first, last = -cx * dy, bx * dy, x0, x1
            if wide:
                # Of slivers most of the box is empty. The span holds all pixels of the row.
                first, last = _span(first, last, ax, row_b, slope_b)
                first, last = _span(first, last, ax, row_c, slope_c)
                first, last = _span(first, last, ax, 1.0 - row_b - row_c, -slope_b - slope_c)
            for x in range(first, last + 1):
                dx = x - ax
                wb, wc = row_b + dx * slope_b, row_c + dx * slope_c
                wa = 1.0 - wb - wc
                if (wa < ON_EDGE) | (wb < ON_EDGE) | (wc < ON_EDGE):
                    continue
                z = az + wb * bz + wc * cz
                if z <= z_buffer[y, x]:
                    continue
                if cut_out and keep[a] * wa + keep[b] * wb + keep[c] * wc < threshold[y, x]:
                    continue
                z_buffer[y, x] = z
                triangle_id[y, x] = first_id + t
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
    rasterize_over(
        points, triangles, z_buffer, triangle_id, barycentric, keep, threshold, cull=cull
    )
    return z_buffer, triangle_id, barycentric


def rasterize_over(
    points: np.ndarray,
    triangles: np.ndarray,
    z_buffer: np.ndarray,
    triangle_id: np.ndarray,
    barycentric: np.ndarray,
    keep: np.ndarray | None = None,
    threshold: np.ndarray | None = None,
    first_id: int = 0,
    cull: bool = False,
) -> None:
    """Add triangles to the buffers of `rasterize` in place; they are numbered from `first_id`."""
    none = np.zeros(0, np.float32)
    _rasterize(
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(triangles),
        cull,
        none if keep is None else np.ascontiguousarray(keep, np.float32),
        np.zeros((1, 1), np.float32) if threshold is None else threshold.astype(np.float32),
        first_id,
        z_buffer,
        triangle_id,
        barycentric,
    )


def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """(T,3) int32 over a grid of vertices in reading order, counterclockwise from the camera."""
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]
    return np.concatenate([np.stack([a, b, c], -1), np.stack([c, b, d], -1)]).reshape(-1, 3)


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate(attributes: np.ndarray, corners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N,C) attribute of N pixels from their triangles' corners (N,3) and weights (N,3)."""
    out = np.empty((len(corners), attributes.shape[1]), np.float32)
    for n in range(len(corners)):
        a, b, c = corners[n, 0], corners[n, 1], corners[n, 2]
        for k in range(attributes.shape[1]):
            out[n, k] = (
                weights[n, 0] * attributes[a, k]
                + weights[n, 1] * attributes[b, k]
                + weights[n, 2] * attributes[c, k]
            )
    return out


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(inline="always")
def tile_at(tile: np.ndarray, x: float, y: float) -> float:
    """Bilinear lookup in a tile (n,n) that repeats without end, n a power of two."""
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    last = tile.shape[0] - 1
    x0, y0 = int(left) & last, int(top) & last
    x1, y1 = (x0 + 1) & last, (y0 + 1) & last
    above = tile[y0, x0] + (tile[y0, x1] - tile[y0, x0]) * fx
    below = tile[y1, x0] + (tile[y1, x1] - tile[y1, x0]) * fx
    return above + (below - above) * fy


@njit(cache=True, nogil=True, error_model="numpy")
def sample_tile(tile: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) float32 of a tile (n,n), n a power of two, that repeats without end, at (N,) x, y."""
    out = np.empty(len(x), np.float32)
    for n in range(len(x)):
        out[n] = tile_at(tile, x[n], y[n])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def tile_over_grid(tile: np.ndarray, size: int, per_column: float, per_row: float) -> np.ndarray:
    """(size,size) float32 of a repeating tile, its x at column * per_column, y at row * per_row."""
    out = np.empty((size, size), np.float32)
    x_step, y_step = np.float32(per_column), np.float32(per_row)
    for row in range(size):
        for column in range(size):
            out[row, column] = tile_at(tile, np.float32(column) * x_step, np.float32(row) * y_step)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _edge(vertices: np.ndarray, start: int, end: int) -> tuple[float, float, float]:
    return (
        vertices[end, 0] - vertices[start, 0],
        vertices[end, 1] - vertices[start, 1],
        vertices[end, 2] - vertices[start, 2],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    normals = np.zeros(vertices.shape, np.float32)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = _edge(vertices, a, b)
        vx, vy, vz = _edge(vertices, a, c)
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for i in (a, b, c):
            normals[i, 0] += nx
            normals[i, 1] += ny
            normals[i, 2] += nz
    for i in range(len(normals)):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > SHORTEST:
            per_length = ONE / length
            normals[i, 0] = x * per_length
            normals[i, 1] = y * per_length
            normals[i, 2] = z * per_length
    return normals


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V,3) unit normals, triangles weighted by area; zero where a vertex has no triangle."""
    return _vertex_normals(np.ascontiguousarray(vertices, np.float32), triangles)


@njit(cache=True, nogil=True)
def project_points(points: np.ndarray, rotation: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(V,3) pixels of `points`; `numbers` are center x, y, px per length, middle, 1 / distance."""
    out = np.empty(points.shape, np.float32)
    px_per_cm, middle, per_distance = numbers[2], numbers[3], numbers[4]
    for n in range(len(points)):
        a, b, c = points[n, 0], points[n, 1], points[n, 2]
        x = a * rotation[0, 0] + b * rotation[0, 1] + c * rotation[0, 2]
        y = a * rotation[1, 0] + b * rotation[1, 1] + c * rotation[1, 2]
        z = a * rotation[2, 0] + b * rotation[2, 1] + c * rotation[2, 2]
        scale = px_per_cm / (ONE - z * per_distance)
        out[n, 0] = (x - numbers[0]) * scale + middle
        out[n, 1] = middle - (y - numbers[1]) * scale
        out[n, 2] = z * px_per_cm
    return out


@njit(cache=True, nogil=True)
def lay_over(pixels: np.ndarray, field: np.ndarray, strength: float, color: np.ndarray) -> None:
    """Lay `color` (4,) over `pixels` (h,w,4) times alpha; `field` times `strength` is opacity."""
    red, green, blue, alpha = color[0], color[1], color[2], color[3]
    for row in range(field.shape[0]):
        for column in range(field.shape[1]):
            share = field[row, column]
            if share > LEAST_SHARE:
                share *= strength
                rest = np.float32(1) - share
                pixels[row, column, 0] = pixels[row, column, 0] * rest + share * red
                pixels[row, column, 1] = pixels[row, column, 1] * rest + share * green
                pixels[row, column, 2] = pixels[row, column, 2] * rest + share * blue
                pixels[row, column, 3] = pixels[row, column, 3] * rest + share * alpha
