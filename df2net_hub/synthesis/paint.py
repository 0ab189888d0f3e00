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
EYE_GLOSS, LIP_GLOSS = 6.0, 0.9
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
def _add_texel(
    texture: np.ndarray, u: float, v: float, weight: float, out: np.ndarray, table: np.ndarray
) -> None:
    """Add `weight` times the bilinear texel at u, v in [0,1], v up, to `out`; edges clamp.

    Texels are linear, or bytes of which `table` (256,) holds the linear value.
    """
    rows, columns = texture.shape[0], texture.shape[1]
    one, half = np.float32(1), np.float32(0.5)
    x = _clip(u * np.float32(columns) - half, 0, columns - 1.001)
    y = _clip((one - v) * np.float32(rows) - half, 0, rows - 1.001)
    i, j = int(y), int(x)
    fx, fy = x - np.float32(j), y - np.float32(i)
    a, b = (one - fx) * (one - fy) * weight, fx * (one - fy) * weight
    c, d = (one - fx) * fy * weight, fx * fy * weight
    for k in range(len(out)):
        p, q = texture[i, j, k], texture[i, j + 1, k]
        r, s = texture[i + 1, j, k], texture[i + 1, j + 1, k]
        if len(table):
            out[k] += a * table[int(p)] + b * table[int(q)] + c * table[int(r)] + d * table[int(s)]
        else:
            out[k] += a * p + b * q + c * r + d * s


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
    skin_gloss, neckline = numbers[7], numbers[6]
    fields = np.zeros(per_vertex.shape[1], np.float32)
    color, over = np.zeros(3, np.float32), np.zeros(4, np.float32)
    linear, black = table[:0], np.zeros(3, np.float32)
    # Rows are taken once: a view made for every pixel costs more than the pixel.
    gain, hair, cloth, teeth = colors[0], colors[1], colors[2], colors[3]
    iris, white, mouth = colors[4], colors[5], colors[6]
    blotch, strands = noise[2], noise[3]
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            what = kind[row, column]
            if what == 0:
                continue
            t = triangle_id[row, column]
            u = v = np.float32(0)
            for f in range(len(fields)):
                fields[f] = 0
            for k in range(3):
                corner, texel, weight = triangles[t, k], uv_triangles[t, k], weights[row, column, k]
                u += weight * uv[texel, 0]
                v += weight * uv[texel, 1]
                for f in range(len(fields)):
                    fields[f] += weight * per_vertex[corner, f]
            gloss[row, column] = skin_gloss
            if what == EYE:
                _eye_color(fields, gaze, iris, white, color)
                gloss[row, column] = EYE_GLOSS
            elif what == TEETH:
                _copy(teeth, 0, color)
            elif what == MOUTH:
                _copy(mouth, 0, color)
            elif fields[1] < neckline:
                _copy(cloth, 0, color)
                gloss[row, column] = 0
            else:
                _copy(black, 0, color)
                if textured:
                    _add_texel(skin_a, u * np.float32(0.5), v, 1 - numbers[0], color, table)
                    _add_texel(skin_b, u * np.float32(0.5), v, numbers[0], color, table)
                else:
                    _copy(fields, 6, color)
                _redden(color, gain, numbers[1], blotch, u, v, offset)
                if overlaid and u < 1:
                    for k in range(4):
                        over[k] = 0
                    _add_texel(overlay, u, v, np.float32(1), over, linear)
                    for k in range(3):
                        color[k] += over[3] * (over[k] - color[k])
                _grow_hair(color, fields, hair, numbers, strands, offset)
                gloss[row, column] = skin_gloss * (1 + np.float32(LIP_GLOSS) * fields[5])
            for k in range(3):
                albedo[row, column, k] = color[k]


@njit(inline="always")
def _copy(source: np.ndarray, start: int, color: np.ndarray) -> None:
    for k in range(3):
        color[k] = source[start + k]


@njit(inline="always")
def _redden(
    color: np.ndarray,
    gain: np.ndarray,
    blotches: float,
    noise: np.ndarray,
    u: float,
    v: float,
    offset: np.ndarray,
) -> None:
    """Tone the skin, with blotches that take away green and blue."""
    blotch = blotches * tile_at(
        noise, u * np.float32(300) + offset[0], v * np.float32(300) + offset[1]
    )
    color[0] = _clip(color[0] * gain[0], 0.005, 0.95)
    color[1] = _clip(color[1] * gain[1] * (1 - blotch), 0.005, 0.95)
    color[2] = _clip(color[2] * gain[2] * (1 - np.float32(0.8) * blotch), 0.005, 0.95)


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
