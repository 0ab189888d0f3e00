"""The head's colors: skin, brows, stubble, eyes, teeth and cloth, pixel by pixel (numba)."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from df2net_hub.synthesis.appearance import HeadFields, Look, to_linear
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import tile_at
from df2net_hub.synthesis.surface import EYE, MOUTH, TEETH, Surface

IRIS, PUPIL, LIMBUS = 0.5, 0.2, 0.1  # angle from the gaze [rad]
EYE_WHITE = to_linear(np.array([0.74, 0.70, 0.68]))
MOUTH_COLOR = to_linear(np.array([0.50, 0.20, 0.20]))
EYE_GLOSS, LIP_GLOSS = np.float32(6), np.float32(0.9)
BLOTCHES = np.float32(300)  # noise pixels over the face tile
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
    skins = look.skins if look.vertex_colors is None else (NO_PICTURE, NO_PICTURE)
    _paint(
        surface.triangle_id,
        surface.weights,
        surface.kind,
        model.triangles,
        model.uv_triangles,
        model.uv,
        np.column_stack(per_vertex).astype(np.float32),
        look.vertex_colors is None,
        *skins,
        BYTE_TO_LINEAR if skins[0].dtype == np.uint8 else BYTE_TO_LINEAR[:0],
        NO_PICTURE if look.overlay is None else look.overlay,
        look.overlay is not None,
        noise,
        look.noise_offset.astype(np.float32),
        np.array(
            [look.skin_mix, look.blotches, look.brow_width, look.brow_strength,
             look.beard_grain, look.beard_strength, look.neckline, gloss], np.float32
        ),
        np.stack([look.skin_gain, look.hair_color, look.cloth_color, look.teeth_color,
                  look.iris_color, EYE_WHITE, MOUTH_COLOR]).astype(np.float32),
        gaze_direction(look.gaze),
        albedo,
        shine,
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
def _skin_texel(
    texture: np.ndarray, i: int, j: int, k: int, a: float, b: float, c: float, d: float,
    table: np.ndarray,
) -> float:  # fmt: skip
    """Channel `k` of four texels; they are linear, or bytes whose linear values `table` holds."""
    p, q = texture[i, j, k], texture[i, j + 1, k]
    r, s = texture[i + 1, j, k], texture[i + 1, j + 1, k]
    if len(table):
        return (
            a * table[np.uint8(p)]
            + b * table[np.uint8(q)]
            + c * table[np.uint8(r)]
            + d * table[np.uint8(s)]
        )
    return a * np.float32(p) + b * np.float32(q) + c * np.float32(r) + d * np.float32(s)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _paint(
    triangle_id: np.ndarray,
    weights: np.ndarray,
    kind: np.ndarray,
    triangles: np.ndarray,
    uv_triangles: np.ndarray,
    uv: np.ndarray,
    per_vertex: np.ndarray,
    textured: bool,
    skin_a: np.ndarray,
    skin_b: np.ndarray,
    table: np.ndarray,
    overlay: np.ndarray,
    overlaid: bool,
    noise: np.ndarray,
    offset: np.ndarray,
    numbers: np.ndarray,
    colors: np.ndarray,
    gaze: np.ndarray,
    albedo: np.ndarray,
    gloss: np.ndarray,
) -> None:
    skin_gloss, neckline, mix = numbers[7], numbers[6], numbers[0]
    fields, color = np.zeros(per_vertex.shape[1], np.float32), np.zeros(3, np.float32)
    # Rows are taken once: a view made for every pixel costs more than the pixel.
    gain, hair, cloth, teeth = colors[0], colors[1], colors[2], colors[3]
    iris, white, mouth = colors[4], colors[5], colors[6]
    blotch, strands = noise[2], noise[3]
    hairy = numbers[3] > 0 or numbers[5] > 0
    blotchy = numbers[1] != 0
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            what = kind[row, column]
            if what == 0:
                continue
            t = triangle_id[row, column]
            if what == TEETH:
                _copy(teeth, 0, color)
                gloss[row, column] = skin_gloss
            elif what == MOUTH:
                _copy(mouth, 0, color)
                gloss[row, column] = skin_gloss
            else:
                wa, wb = weights[row, column, 0], weights[row, column, 1]
                wc = weights[row, column, 2]
                a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                for f in range(len(fields)):
                    fields[f] = (
                        wa * per_vertex[a, f] + wb * per_vertex[b, f] + wc * per_vertex[c, f]
                    )
                if what == EYE:
                    _eye_color(fields, gaze, iris, white, color)
                    gloss[row, column] = EYE_GLOSS
                elif fields[1] < neckline:
                    _copy(cloth, 0, color)
                    gloss[row, column] = 0
                else:
                    a, b, c = uv_triangles[t, 0], uv_triangles[t, 1], uv_triangles[t, 2]
                    u = wa * uv[a, 0] + wb * uv[b, 0] + wc * uv[c, 0]
                    v = wa * uv[a, 1] + wb * uv[b, 1] + wc * uv[c, 1]
                    if textured:
                        rows, columns = skin_a.shape[0], skin_a.shape[1]
                        i, j, wa, wb, wc, wd = _bilinear(u * HALF, v, rows, columns)
                        for k in range(3):
                            color[k] = _skin_texel(skin_a, i, j, k, wa, wb, wc, wd, table)
                        if mix > 0:
                            if skin_b.shape[0] != rows or skin_b.shape[1] != columns:
                                i, j, wa, wb, wc, wd = _bilinear(
                                    u * HALF, v, skin_b.shape[0], skin_b.shape[1]
                                )
                            for k in range(3):
                                other = _skin_texel(skin_b, i, j, k, wa, wb, wc, wd, table)
                                color[k] += mix * (other - color[k])
                    else:
                        _copy(fields, 6, color)
                    reddened = np.float32(0)
                    if blotchy:
                        x, y = u * BLOTCHES + offset[0], v * BLOTCHES + offset[1]
                        reddened = numbers[1] * tile_at(blotch, x, y)
                    _redden(color, gain, reddened)
                    if overlaid and u < ONE:
                        i, j, wa, wb, wc, wd = _bilinear(u, v, overlay.shape[0], overlay.shape[1])
                        over = _texel(overlay, i, j, 3, wa, wb, wc, wd)
                        if over > 0:
                            for k in range(3):
                                value = _texel(overlay, i, j, k, wa, wb, wc, wd)
                                color[k] += over * (value - color[k])
                    if hairy:
                        _grow_hair(color, fields, hair, numbers, strands, offset)
                    gloss[row, column] = skin_gloss * (ONE + LIP_GLOSS * fields[5])
            for k in range(3):
                albedo[row, column, k] = color[k]


@njit(inline="always")
def _texel(
    texture: np.ndarray, i: int, j: int, k: int, a: float, b: float, c: float, d: float
) -> float:
    return (
        a * texture[i, j, k]
        + b * texture[i, j + 1, k]
        + c * texture[i + 1, j, k]
        + d * texture[i + 1, j + 1, k]
    )


@njit(inline="always")
def _copy(source: np.ndarray, start: int, color: np.ndarray) -> None:
    for k in range(3):
        color[k] = source[start + k]


@njit(inline="always")
def _redden(color: np.ndarray, gain: np.ndarray, blotch: float) -> None:
    """Tone the skin, with a `blotch` that takes away green and blue."""
    color[0] = _clip(color[0] * gain[0], 0.005, 0.95)
    color[1] = _clip(color[1] * gain[1] * (ONE - blotch), 0.005, 0.95)
    color[2] = _clip(color[2] * gain[2] * (ONE - np.float32(0.8) * blotch), 0.005, 0.95)


@njit(inline="always")
def _grow_hair(
    color: np.ndarray,
    fields: np.ndarray,
    hair: np.ndarray,
    numbers: np.ndarray,
    noise: np.ndarray,
    offset: np.ndarray,
) -> None:
    """Brows and stubble over the skin."""
    edge = fields[3] - (1 - numbers[2])
    if edge < -1 and fields[4] <= 0:
        return
    strand = tile_at(noise, fields[0] * 60 + offset[0], fields[1] * 25 + offset[1])
    brow = _clip((edge + np.float32(0.12) * strand) * 6, 0, 1) * numbers[3]
    beard = _clip(fields[4] * (1 + numbers[4] * strand), 0, 1) * numbers[5]
    hairy = max(brow, beard)
    for k in range(3):
        color[k] += hairy * (hair[k] - color[k])


@njit(inline="always")
def _eye_color(
    direction: np.ndarray, gaze: np.ndarray, iris: np.ndarray, white: np.ndarray, color: np.ndarray
) -> None:
    """White, iris and pupil by the angle from the gaze; the iris darkens toward its rim."""
    x, y, z = direction[0], direction[1], direction[2]
    cosine = (x * gaze[0] + y * gaze[1] + z * gaze[2]) / max(np.sqrt(x * x + y * y + z * z), 1e-6)
    angle = np.arccos(_clip(cosine, -1, 1))
    ring = np.float32(0.5) + np.float32(0.5) * _clip((IRIS - angle) / LIMBUS, 0, 1)
    for k in range(3):
        color[k] = iris[k] * ring if angle < IRIS else white[k]
        if angle < PUPIL:
            color[k] = 0.01
