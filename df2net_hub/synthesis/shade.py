"""Light on surfaces, pixel by pixel (numba): harmonics, lamps, gloss, the cornea's reflection.

Lambertian under Eq. 3's harmonics (DF2Net, ICCV 2019) and direct lights, with a soft red edge to
shadows where light travels through skin, Blinn-Phong lobes, and mirrored surroundings.
"""

import math

import numpy as np
from numba import njit

from df2net_hub.synthesis.light import Light, look_up
from df2net_hub.synthesis.surface import EYE

MIRROR_SIZE = 96
SKIN_SHININESS, EYE_SHININESS = np.float32(18), np.float32(350)
BLEED = np.array([0.22, 0.10, 0.06], np.float32)  # how far light travels around the terminator
LEAST_SKY = np.float32(0.02)
# The cornea is a smaller sphere than the eyeball: its normals spread this much further.
CORNEA_SPREAD = np.float32(0.6)
CORNEA_COSINE = np.float32(math.cos(0.52))
GLINT_POWER, GLINT = 5, 14.0

_C0 = np.float32(math.pi * math.sqrt(1 / (4 * math.pi)))
_C1 = np.float32(2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi)))
_C2 = np.float32(math.pi / 4 * math.sqrt(5 / (16 * math.pi)))
_C3 = np.float32(math.pi / 4 * math.sqrt(15 / (4 * math.pi)))
_C4 = np.float32(math.pi / 4 * math.sqrt(15 / (16 * math.pi)))


def mirrored(light: Light) -> tuple[np.ndarray, np.ndarray]:
    """What a mirror shows at each normal (MIRROR_SIZE,MIRROR_SIZE,3): blurred, and glints alone.

    Row and column are the normal's y and x from -1 to 1; Fresnel's share is in it. Glints are the
    brightest part of the surroundings drawn together, as a window shows on a cornea.
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
    return tuple(
        np.ascontiguousarray((look_up(seen, reflected) * fresnel).reshape(shape), np.float32)
        for seen in (light.panorama, glints)
    )  # type: ignore[return-value]


def lobes(light: Light) -> np.ndarray:
    """(L,3) unit vectors halfway between each light and the camera."""
    half = light.directions + np.array([0, 0, 1], np.float32)
    return (half / np.linalg.norm(half, axis=-1, keepdims=True)).astype(np.float32)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def shade_pixel(
    normal: tuple[float, float, float],
    albedo: np.ndarray,
    gloss: float,
    shininess: float,
    sky: float,
    lit: np.ndarray,
    sh: np.ndarray,
    directions: np.ndarray,
    halves: np.ndarray,
    colors: np.ndarray,
    mirror: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the linear RGB of one pixel to `out` (3,); `lit` (L,) is how far each light reaches."""
    x, y, z = normal
    middle = np.float32((MIRROR_SIZE - 1) / 2)
    row, column = int((y + 1) * middle + np.float32(0.5)), int((x + 1) * middle + np.float32(0.5))
    mirrored_share = min(gloss, np.float32(2)) * sky
    for k in range(3):
        irradiance = (
            _C0 * sh[k, 0]
            + _C1 * (z * sh[k, 1] + x * sh[k, 2] + y * sh[k, 3])
            + _C2 * (z * z + z * z - x * x - y * y) * sh[k, 4]
            + _C3 * (x * z * sh[k, 5] + y * z * sh[k, 6] + x * y * sh[k, 8])
            + _C4 * (x * x - y * y) * sh[k, 7]
        )
        out[k] = (
            albedo[k] * max(irradiance, LEAST_SKY) * sky + mirrored_share * mirror[row, column, k]
        )
    for light in range(len(directions)):
        if lit[light] <= 0:
            continue
        cosine = x * directions[light, 0] + y * directions[light, 1] + z * directions[light, 2]
        along = x * halves[light, 0] + y * halves[light, 1] + z * halves[light, 2]
        lobe = max(along, np.float32(0)) ** shininess * (shininess + 8) / 80
        shine = np.float32(0.025) * gloss * lobe * lit[light]
        for k in range(3):
            wrapped = max((cosine + BLEED[k]) / (1 + BLEED[k]), np.float32(0))
            soft = lit[light] if lit[light] >= 1 else lit[light] ** (1 - BLEED[k])
            out[k] += (albedo[k] * wrapped * soft + shine) * colors[light, k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def shade_head(
    kind: np.ndarray,
    seen: np.ndarray,
    normals: np.ndarray,
    height: np.ndarray,
    per_distance: float,
    albedo: np.ndarray,
    gloss: np.ndarray,
    sky: np.ndarray,
    lit: np.ndarray,
    gaze: np.ndarray,
    sh: np.ndarray,
    directions: np.ndarray,
    halves: np.ndarray,
    colors: np.ndarray,
    mirror: np.ndarray,
    glints: np.ndarray,
    image: np.ndarray,
) -> None:
    """Shade the pixels of the head that are `seen` (F,F) bool into `image` (F,F,3).

    `normals` are those of the height map; through a lens at distance 1 / `per_distance` [px] they
    differ a little from the true ones, which light falls on. `gaze` (3,) is in camera space.
    """
    middle = np.float32((kind.shape[0] - 1) / 2)
    reach = np.zeros(len(directions), np.float32)
    wet, black = np.zeros(3, np.float32), np.zeros(3, np.float32)
    color, paint = np.zeros(3, np.float32), np.zeros(3, np.float32)
    for row in range(kind.shape[0]):
        for column in range(kind.shape[1]):
            if not seen[row, column]:
                continue
            x, y, z = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            if per_distance > 0:
                # The map's point (a, b, h) is the head's (a k, b k, h), k = 1 - h / distance.
                a, b = column - middle, middle - row
                z = z * (1 - height[row, column] * per_distance) + (a * x + b * y) * per_distance
                x, y, z = _unit(x, y, z)
            for light in range(len(reach)):
                reach[light] = lit[light, row, column]
            for k in range(3):
                paint[k] = albedo[row, column, k]
            eye = kind[row, column] == EYE
            shade_pixel(
                (x, y, z), paint, np.float32(0) if eye else gloss[row, column], SKIN_SHININESS,
                sky[row, column], reach, sh, directions, halves, colors, mirror, color,
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
                (x, y, z), black, gloss[row, column], EYE_SHININESS, sky[row, column], reach, sh,
                directions, halves, colors, glints if cornea else mirror, wet,
            )  # fmt: skip
            for k in range(3):
                image[row, column, k] += wet[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    per_length = np.float32(1) / np.sqrt(x * x + y * y + z * z)
    return x * per_length, y * per_length, z * per_length
