"""Light on surfaces, pixel by pixel (numba): harmonics, lamps, gloss, the cornea's reflection.

Lambertian under Eq. 3's harmonics (DF2Net, ICCV 2019) and direct lights, with a soft red edge to
shadows where light travels through skin, Blinn-Phong lobes, and mirrored surroundings.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from df2net_hub.synthesis.light import Light, look_up
from df2net_hub.synthesis.surface import EYE

MIRROR_SIZE = 96
SKIN_SHININESS, EYE_SHININESS = 18, 350
BLEED = np.array([0.13, 0.09, 0.07], np.float32)  # how far light travels around the terminator
WRAP_SCALE, WRAP_OFFSET = 1 / (1 + BLEED), BLEED / (1 + BLEED)
SOFTER = BLEED  # the same in the half shade
LEAST_SKY = np.float32(0.02)
# The cornea is a smaller sphere than the eyeball: its normals spread this much further.
CORNEA_SPREAD = np.float32(0.6)
CORNEA_COSINE = np.float32(math.cos(0.47))  # the iris, wherever its axis lies
GLINT_POWER, GLINT = 10, 20.0
# Looks for what a pixel mirrors: distance of the first [px], and of each over the one before.
FIRST_LOOK, LOOK_GROWTH = np.float32(2), np.float32(1.5)
ROUGH = np.float32(0.35)  # half the cone of directions that a point of skin mirrors [rad]
LOWEST = np.float32(-1.5)  # straight down
LEAST_ACROSS = np.float32(0.1)  # of a normal; those more in line with the view mirror the camera
VEIL = np.float32(0.5)  # of what the eye mirrors; more would whiten dark irises

# In compiled code a plain number makes its whole expression double precision.
ZERO, ONE, HALF = np.float32(0), np.float32(1), np.float32(0.5)
_C0 = math.pi * math.sqrt(1 / (4 * math.pi))
_C1 = 2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))
_C2 = math.pi / 4 * math.sqrt(5 / (16 * math.pi))
_C3 = math.pi / 4 * math.sqrt(15 / (4 * math.pi))
_C4 = math.pi / 4 * math.sqrt(15 / (16 * math.pi))


@dataclass(frozen=True)
class Lamps:
    """What surfaces are shaded with, all float32.

    Attributes:
        sky: (3,10) irradiance as a polynomial in the normal's 1, x, y, z, xx, yy, zz, xy, xz, yz.
        directions: (L,3) unit vectors toward the direct lights. halves: (L,3) halfway from there
            to the camera. colors: (L,3) their strengths.
        mirror, glints: see `mirrored`.
    """

    sky: np.ndarray
    directions: np.ndarray
    halves: np.ndarray
    colors: np.ndarray
    mirror: np.ndarray
    glints: np.ndarray


def lamps(light: Light) -> Lamps:
    """`light` made ready for `shade_head` and occluders."""
    sh = light.sh.astype(np.float64)
    harmonic = np.stack(
        [_C0 * sh[:, 0], _C1 * sh[:, 2], _C1 * sh[:, 3], _C1 * sh[:, 1],
         _C4 * sh[:, 7] - _C2 * sh[:, 4], -_C4 * sh[:, 7] - _C2 * sh[:, 4], 2 * _C2 * sh[:, 4],
         _C3 * sh[:, 8], _C3 * sh[:, 5], _C3 * sh[:, 6]], -1,
    )  # fmt: skip
    half = light.directions + np.array([0, 0, 1], np.float32)
    half = half / np.linalg.norm(half, axis=-1, keepdims=True)
    sky, directions, half, colors = (
        np.ascontiguousarray(part, np.float32)
        for part in (harmonic, light.directions, half, light.colors)
    )
    mirror, glints = mirrored(light)
    return Lamps(sky, directions, half, colors, mirror, glints)


def mirrored(light: Light) -> tuple[np.ndarray, np.ndarray]:
    """What a mirror shows at each normal (MIRROR_SIZE,MIRROR_SIZE,3): blurred, and glints alone.

    Row and column are the normal's y and x from -1 to 1; Fresnel's share is in it. Glints are the
    brightest part of the surroundings drawn together, as a window shows on a cornea, and the
    catchlight.
    """
    axis = np.linspace(-1, 1, MIRROR_SIZE, dtype=np.float32)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0))
    normal = np.stack([x, y, z], -1).reshape(-1, 3)
    reflected = 2 * normal[:, 2:] * normal - np.array([0, 0, 1], np.float32)
    fresnel = (0.028 + 0.2 * (1 - normal[:, 2:]) ** 5).astype(np.float32)
    brightness = light.panorama.mean(-1, keepdims=True)
    share = brightness / max(float(brightness.max()), 1e-6)
    glints = light.panorama * (1 + GLINT * share**GLINT_POWER)
    shape = (MIRROR_SIZE, MIRROR_SIZE, 3)
    mirror, glinting = (
        (look_up(seen, reflected) * fresnel).astype(np.float32) for seen in (light.panorama, glints)
    )
    if light.catchlight is not None:
        lamp = light.catchlight
        half = lamp.toward + np.array([0, 0, 1], np.float32)
        away = np.arccos(np.clip(normal @ (half / np.linalg.norm(half)), -1, 1)) / lamp.radius
        glinting += np.clip(4 * (1 - away), 0, 1)[:, None] * lamp.color
    return (
        np.ascontiguousarray(mirror.reshape(shape), np.float32),
        np.ascontiguousarray(glinting.reshape(shape), np.float32),
    )


@njit(inline="always")
def _power(base: float, exponent: int) -> float:
    """`base` to a whole power."""
    result = ONE
    while exponent > 0:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


@njit(inline="always")
def shade_pixel(
    normal: tuple[float, float, float],
    open_way: tuple[float, float, float],
    albedo: np.ndarray,
    gloss: float,
    shininess: int,
    sky: float,
    mirrors: float,
    lit: np.ndarray,
    harmonic: np.ndarray,
    directions: np.ndarray,
    halves: np.ndarray,
    colors: np.ndarray,
    mirror: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the linear RGB of one pixel to `out` (3,); `lit` (L,) is how far each light reaches.

    Of the surroundings the share `sky` is open, in the mean along `open_way`; the rest shows skin,
    taken as lit like the pixel itself: E = A / (1 - albedo (1 - A)) of what an open one receives.
    `mirrors` is the share of what it mirrors that is surroundings.
    `harmonic`, `directions`, `halves`, `colors` and `mirror` are those of `Lamps`.
    """
    x, y, z = normal
    middle = np.float32((MIRROR_SIZE - 1) / 2)
    row, column = int((y + ONE) * middle + HALF), int((x + ONE) * middle + HALF)
    mirrored_share = min(gloss, np.float32(2)) * mirrors
    u, v, w = open_way
    xx, yy, zz, xy, xz, yz = u * u, v * v, w * w, u * v, u * w, v * w
    for k in range(3):
        irradiance = (
            harmonic[k, 0]
            + u * harmonic[k, 1]
            + v * harmonic[k, 2]
            + w * harmonic[k, 3]
            + xx * harmonic[k, 4]
            + yy * harmonic[k, 5]
            + zz * harmonic[k, 6]
            + xy * harmonic[k, 7]
            + xz * harmonic[k, 8]
            + yz * harmonic[k, 9]
        )
        received = max(irradiance, LEAST_SKY) * sky / (ONE - albedo[k] * (ONE - sky))
        out[k] = albedo[k] * received + mirrored_share * mirror[row, column, k]
    for light in range(len(directions)):
        reach = lit[light]
        if reach <= ZERO:
            continue
        cosine = x * directions[light, 0] + y * directions[light, 1] + z * directions[light, 2]
        shine = ZERO
        if gloss > ZERO:
            along = x * halves[light, 0] + y * halves[light, 1] + z * halves[light, 2]
            lobe = _power(max(along, ZERO), shininess) * np.float32((shininess + 8) / 80)
            shine = np.float32(0.025) * gloss * lobe * reach
        penumbra = reach * (ONE - reach)
        for k in range(3):
            wrapped = max(cosine * WRAP_SCALE[k] + WRAP_OFFSET[k], ZERO)
            soft = reach + SOFTER[k] * penumbra
            out[k] += (albedo[k] * wrapped * soft + shine) * colors[light, k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def shade_head(
    kind: np.ndarray,
    seen: np.ndarray,
    normals: np.ndarray,
    height: np.ndarray,
    solid: np.ndarray,
    per_distance: float,
    albedo: np.ndarray,
    gloss: np.ndarray,
    sky: np.ndarray,
    bent: np.ndarray,
    lit: np.ndarray,
    gaze: np.ndarray,
    harmonic: np.ndarray,
    directions: np.ndarray,
    halves: np.ndarray,
    colors: np.ndarray,
    mirror: np.ndarray,
    glints: np.ndarray,
    image: np.ndarray,
) -> None:
    """Shade the pixels of the head that are `seen` (F,F) bool into `image` (F,F,3).

    `sky` and `bent` are what `open_sky` finds, `solid` (F,F) is the height of head and hair [px].
    `normals` are those of the height map; through a lens at distance 1 / `per_distance` [px] they
    differ a little from the true ones, which light falls on. `gaze` (3,) is in camera space.
    """
    middle, per_distance = np.float32((kind.shape[0] - 1) / 2), np.float32(per_distance)
    reach = np.zeros(len(directions), np.float32)
    wet, black = np.zeros(3, np.float32), np.zeros(3, np.float32)
    color, paint = np.zeros(3, np.float32), np.zeros(3, np.float32)
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            if not seen[row, column]:
                continue
            x, y, z = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            if per_distance > ZERO:
                # The map's point (a, b, h) is the head's (a k, b k, h), k = 1 - h / distance.
                a, b = np.float32(column) - middle, middle - np.float32(row)
                z = z * (ONE - height[row, column] * per_distance) + (a * x + b * y) * per_distance
                x, y, z = _unit(x, y, z)
            for light in range(len(reach)):
                reach[light] = lit[light, row, column]
            for k in range(3):
                paint[k] = albedo[row, column, k]
            eye = kind[row, column] == EYE
            u, v, w = bent[row, column, 0], bent[row, column, 1], bent[row, column, 2]
            open_way = _unit(x + u, y + v, z + w)
            shine, mirrors = ZERO, ZERO
            if not eye:
                shine = gloss[row, column]
                mirrors = mirrored_open(solid, row, column, height[row, column], x, y, z)
            shade_pixel(
                (x, y, z), open_way, paint, shine, SKIN_SHININESS, sky[row, column], mirrors,
                reach, harmonic, directions, halves, colors, mirror, color,
            )  # fmt: skip
            for k in range(3):
                image[row, column, k] = color[k]
            if not eye:
                continue
            forward = x * gaze[0] + y * gaze[1] + z * gaze[2]
            cornea = forward > CORNEA_COSINE
            if cornea:
                x, y, z = _unit(
                    x + CORNEA_SPREAD * (x - gaze[0] * forward),
                    y + CORNEA_SPREAD * (y - gaze[1] * forward),
                    z + CORNEA_SPREAD * (z - gaze[2] * forward),
                )
            shade_pixel(
                (x, y, z), open_way, black, gloss[row, column], EYE_SHININESS,
                sky[row, column], VEIL * sky[row, column], reach,
                harmonic, directions, halves, colors, glints if cornea else mirror, wet,
            )  # fmt: skip
            for k in range(3):
                image[row, column, k] += wet[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def mirrored_open(
    solid: np.ndarray, row: int, column: int, height: float, x: float, y: float, z: float
) -> float:
    """Share of what a pixel at `height` with the normal (x, y, z) mirrors that is no head or hair.

    The mirrored ray (2 x z, 2 y z, 2 z z - 1) is the middle of a cone of ROUGH, for skin is no
    mirror. A jaw mirrors its neck, and every rim in part its own skin.
    """
    across = np.sqrt(x * x + y * y)
    if across < LEAST_ACROSS or z <= ZERO:
        return ONE
    ray = HALF * np.float32(np.pi) - np.float32(2) * np.arctan2(across, z)  # above the picture
    lowest = ray - ROUGH
    least = np.tan(lowest) if lowest > LOWEST else np.float32(-np.inf)
    highest = lowest
    away = FIRST_LOOK
    while away < len(solid):
        up, right = np.rint(y / across * away), np.rint(x / across * away)
        at_row, at_column = row - int(up), column + int(right)
        if not (0 <= at_row < solid.shape[0] and 0 <= at_column < solid.shape[1]):
            break
        slope = (solid[at_row, at_column] - height) / np.sqrt(up * up + right * right)
        if slope > least:
            highest, least = np.arctan(slope), slope
        away *= LOOK_GROWTH
    return max(ONE - HALF * (highest - lowest) / ROUGH, ZERO)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    per_length = ONE / np.sqrt(x * x + y * y + z * z)
    return x * per_length, y * per_length, z * per_length
