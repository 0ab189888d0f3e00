"""The head's colors: skin, brows, stubble, eyes, teeth and cloth, pixel by pixel (numba)."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from df2net_hub.synthesis.appearance import HeadFields, Look, to_linear
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import tile_at
from df2net_hub.synthesis.surface import EYE, MOUTH, NOTHING, SKIN, TEETH, Surface

# Angles from the gaze [rad] on ICT-FaceKit's eyeballs, which are of 30 mm: an iris of 11.7 mm.
IRIS, PUPIL, LIMBUS = np.float32(0.40), np.float32(0.14), np.float32(0.08)
EYE_WHITE = to_linear(np.array([0.80, 0.76, 0.74]))
MOUTH_COLOR = to_linear(np.array([0.50, 0.20, 0.20]))
PUPIL_COLOR = np.full(3, 0.01, np.float32)
EYE_GLOSS, LIP_GLOSS = np.float32(6), np.float32(0.9)
BLOTCHES = np.float32(300)  # noise pixels over the face tile
X, Y, Z, BROW, BEARD, LIP, RGB = range(7)  # columns of what is interpolated from vertices
(
    GAIN_ROW, HAIR_ROW, CLOTH_ROW, TEETH_ROW, IRIS_ROW, WHITE_ROW, MOUTH_ROW, PUPIL_ROW,
) = range(8)  # fmt: skip
HAIRS_X, HAIRS_Y = np.float32(60), np.float32(25)  # noise pixels per centimeter
REDDENED = np.array([0, 1, 0.8], np.float32)
# In compiled code a plain number makes its whole expression double precision.
ONE, HALF = np.float32(1), np.float32(0.5)
NO_PICTURE = np.zeros((2, 2, 4), np.float32)
BYTE_TO_LINEAR = to_linear(np.arange(256) / 255)


@dataclass(frozen=True)
class Coat:
    """What the head is painted with, (F,F,...).

    Attributes:
        albedo: (F,F,3) float32 linear RGB, 0 off the head.
        gloss: (F,F) float32 strength of the specular reflection; cloth has none.
    """

    albedo: np.ndarray
    gloss: np.ndarray


def paint(
    model: MorphableModel,
    fields: HeadFields,
    look: Look,
    gloss: float,
    surface: Surface,
    noise: np.ndarray,
) -> Coat:
    """Colors of every pixel of `surface`; `gloss` is the skin's, lips have a little more."""
    albedo = np.zeros(surface.normal.shape, np.float32)
    shine = np.zeros(surface.kind.shape, np.float32)
    per_vertex = [fields.canonical, fields.brow, fields.beard, fields.lip]
    if look.vertex_colors is not None:
        per_vertex.append(look.vertex_colors)
    if look.vertex_colors is None:
        for skin, share in zip(look.skins, (1.0, look.skin_mix), strict=True):
            table = BYTE_TO_LINEAR if skin.dtype == np.uint8 else BYTE_TO_LINEAR[:0]
            if share > 0:
                _lay_skin(surface.kind, surface.uv, skin, table, share, albedo)
    places = surface.triangle_id, surface.weights, surface.kind
    gloss = np.float32(gloss)
    vertices = np.column_stack(per_vertex).astype(np.float32, copy=False)
    numbers = np.array(
        [look.blotches, look.brow_width, look.brow_strength, look.beard_grain, look.beard_strength],
        np.float32,
    )
    colors = np.stack(
        [look.skin_gain, look.hair_color, look.cloth_color, look.teeth_color,
         look.iris_color, EYE_WHITE, MOUTH_COLOR, PUPIL_COLOR]
    ).astype(np.float32)  # fmt: skip
    _paint_skin(
        *places, surface.uv, model.triangles, vertices, look.vertex_colors is None,
        NO_PICTURE if look.overlay is None else look.overlay, look.overlay is not None,
        noise, look.noise_offset.astype(np.float32), numbers, colors, gloss, albedo, shine,
    )  # fmt: skip
    _paint_flat(
        *places, model.triangles, vertices, np.float32(look.neckline), colors,
        gaze_direction(look.gaze), gloss, albedo, shine,
    )  # fmt: skip
    return Coat(albedo, shine)


def gaze_direction(gaze: np.ndarray) -> np.ndarray:
    """(3,) float32 unit direction in the head's frame of a gaze (right, up) [rad]."""
    x, y = gaze
    direction = np.array([np.sin(x), np.sin(y), np.cos(x) * np.cos(y)])
    return (direction / np.linalg.norm(direction)).astype(np.float32)


@njit(inline="always")
def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, np.float32(low)), np.float32(high))


@njit(inline="always")
def _bilinear(u: float, v: float, rows: int, columns: int) -> tuple:
    """Row and column of the upper left of four texels around u, v in [0,1], and their weights."""
    x = _clip(u * np.float32(columns) - HALF, 0, np.float32(columns - 1.001))
    y = _clip((ONE - v) * np.float32(rows) - HALF, 0, np.float32(rows - 1.001))
    i, j = int(y), int(x)
    fx, fy = x - np.float32(j), y - np.float32(i)
    right, low = fx * (ONE - fy), (ONE - fx) * fy
    return i, j, ONE - fx - low, right, low, fx * fy


@njit(inline="always")
def _mean(
    p: float, a: float, q: float, b: float, r: float, c: float, s: float, d: float
) -> float:  # fmt: skip
    return a * np.float32(p) + b * np.float32(q) + c * np.float32(r) + d * np.float32(s)


# In these loops arrays are only indexed: handed to a function or a name, they are counted anew at
# every pixel, which costs more than the pixel.
@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _lay_skin(
    kind: np.ndarray,
    uv: np.ndarray,
    skin: np.ndarray,
    table: np.ndarray,
    share: float,
    albedo: np.ndarray,
) -> None:
    """Mix `share` of a texture into `albedo` (F,F,3) wherever there is skin.

    Texels are linear, or bytes whose linear values `table` (256,) holds.
    """
    as_bytes, share = len(table) > 0, np.float32(share)
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            if kind[row, column] != SKIN:
                continue
            u, v = uv[row, column, 0], uv[row, column, 1]
            i, j, wa, wb, wc, wd = _bilinear(u * HALF, v, skin.shape[0], skin.shape[1])
            for k in range(3):
                p, q = skin[i, j, k], skin[i, j + 1, k]
                r, s = skin[i + 1, j, k], skin[i + 1, j + 1, k]
                if as_bytes:
                    value = _mean(
                        table[np.uint8(p)], wa, table[np.uint8(q)], wb,
                        table[np.uint8(r)], wc, table[np.uint8(s)], wd,
                    )  # fmt: skip
                else:
                    value = _mean(p, wa, q, wb, r, wc, s, wd)
                albedo[row, column, k] += share * (value - albedo[row, column, k])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _paint_skin(
    triangle_id: np.ndarray,
    weights: np.ndarray,
    kind: np.ndarray,
    uv: np.ndarray,
    triangles: np.ndarray,
    per_vertex: np.ndarray,
    textured: bool,
    overlay: np.ndarray,
    overlaid: bool,
    noise: np.ndarray,
    offset: np.ndarray,
    numbers: np.ndarray,
    colors: np.ndarray,
    skin_gloss: float,
    albedo: np.ndarray,
    gloss: np.ndarray,
) -> None:
    """Tone, blotches, overlay, brows and stubble, over what lies in `albedo` if `textured`."""
    blotches = numbers[0]
    hairy, last = numbers[2] > 0 or numbers[4] > 0, noise.shape[1] - 1
    strands = noise[3]
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            if kind[row, column] != SKIN:
                continue
            t = triangle_id[row, column]
            wa, wb, wc = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            lip = wa * per_vertex[a, LIP] + wb * per_vertex[b, LIP] + wc * per_vertex[c, LIP]
            gloss[row, column] = skin_gloss * (ONE + LIP_GLOSS * lip)
            hair = np.float32(0)
            if hairy:
                x = wa * per_vertex[a, X] + wb * per_vertex[b, X] + wc * per_vertex[c, X]
                y = wa * per_vertex[a, Y] + wb * per_vertex[b, Y] + wc * per_vertex[c, Y]
                brow = (
                    wa * per_vertex[a, BROW] + wb * per_vertex[b, BROW] + wc * per_vertex[c, BROW]
                )
                beard = (
                    wa * per_vertex[a, BEARD]
                    + wb * per_vertex[b, BEARD]
                    + wc * per_vertex[c, BEARD]
                )
                strand = tile_at(strands, x * HAIRS_X + offset[0], y * HAIRS_Y + offset[1])
                hair = _hairy(brow, beard, strand, numbers[1], numbers[2], numbers[3], numbers[4])
            if not textured:
                for k in range(RGB, RGB + 3):
                    albedo[row, column, k - RGB] = (
                        wa * per_vertex[a, k] + wb * per_vertex[b, k] + wc * per_vertex[c, k]
                    )
            u, v = uv[row, column, 0], uv[row, column, 1]
            # Blotches take away green and blue.
            i, j = int(v * BLOTCHES + offset[1]) & last, int(u * BLOTCHES + offset[0]) & last
            red = blotches * noise[2, i, j]
            i, j, wa, wb, wc, wd = _bilinear(u, v, overlay.shape[0], overlay.shape[1])
            over = overlaid and u < ONE
            rest = ONE - _mean(
                overlay[i, j, 3], wa, overlay[i, j + 1, 3], wb,
                overlay[i + 1, j, 3], wc, overlay[i + 1, j + 1, 3], wd,
            )  # fmt: skip
            for k in range(3):
                value = albedo[row, column, k] * colors[GAIN_ROW, k] * (ONE - REDDENED[k] * red)
                value = _clip(value, 0.005, 0.95)
                if over:
                    value = value * rest + _mean(
                        overlay[i, j, k], wa, overlay[i, j + 1, k], wb,
                        overlay[i + 1, j, k], wc, overlay[i + 1, j + 1, k], wd,
                    )  # fmt: skip
                albedo[row, column, k] = value + hair * (colors[HAIR_ROW, k] - value)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _paint_flat(
    triangle_id: np.ndarray,
    weights: np.ndarray,
    kind: np.ndarray,
    triangles: np.ndarray,
    per_vertex: np.ndarray,
    neckline: float,
    colors: np.ndarray,
    gaze: np.ndarray,
    skin_gloss: float,
    albedo: np.ndarray,
    gloss: np.ndarray,
) -> None:
    """What has one color each: eyes, teeth, the hollow of the mouth, and cloth over the neck."""
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            what = kind[row, column]
            if what == NOTHING:
                continue
            t, shine, ring = triangle_id[row, column], skin_gloss, ONE
            wa, wb, wc = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            y = wa * per_vertex[a, Y] + wb * per_vertex[b, Y] + wc * per_vertex[c, Y]
            if what == EYE:
                x = wa * per_vertex[a, X] + wb * per_vertex[b, X] + wc * per_vertex[c, X]
                z = wa * per_vertex[a, Z] + wb * per_vertex[b, Z] + wc * per_vertex[c, Z]
                ring = _iris(x, y, z, gaze[0], gaze[1], gaze[2])
                flat = IRIS_ROW if ring > 0 else WHITE_ROW if ring < 0 else PUPIL_ROW
                ring, shine = abs(ring) if ring != 0 else ONE, EYE_GLOSS
            elif what == TEETH:
                flat = TEETH_ROW
            elif what == MOUTH:
                flat = MOUTH_ROW
            elif y < neckline:
                flat, shine = CLOTH_ROW, np.float32(0)
            else:
                continue
            for k in range(3):
                albedo[row, column, k] = colors[flat, k] * ring
            gloss[row, column] = shine


@njit(inline="always")
def _hairy(
    brow: float,
    beard: float,
    strand: float,
    width: float,
    brow_strength: float,
    grain: float,
    beard_strength: float,
) -> float:
    """How much of a pixel brows and stubble cover."""
    edge = brow - ONE + width + np.float32(0.12) * strand
    brows = _clip(edge * np.float32(6), 0, 1) * brow_strength
    return max(brows, _clip(beard * (ONE + grain * strand), 0, 1) * beard_strength)


@njit(inline="always")
def _iris(x: float, y: float, z: float, gx: float, gy: float, gz: float) -> float:
    """Brightness of the iris, which darkens toward its rim; 0 in the pupil, -1 on the white."""
    length = max(np.sqrt(x * x + y * y + z * z), np.float32(1e-6))
    angle = np.arccos(_clip((x * gx + y * gy + z * gz) / length, -1, 1))
    ring = HALF + HALF * _clip((IRIS - angle) / LIMBUS, 0, 1)
    if angle >= IRIS:
        ring = -ONE
    return np.float32(0) if angle < PUPIL else ring
