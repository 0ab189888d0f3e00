"""How much light reaches a pixel: open sky, shadows cast by head, hair and glasses, lids on eyes.

All of it from height maps at half the picture's resolution: light is soft, and it costs a quarter.
"""

import cv2
import numpy as np
from numba import njit

# How far, as a share of the picture's side, a shadow reaches and what lies below it is thick.
SHADOW_STEPS, SHADOW_STEP = 40, 1 / 96
THICKNESS = 0.35
THIN_CM = 0.4  # glasses and lashes: light passes behind them
LEAST_GAP = 0.006
SKY_RADII_CM = ((0.5, 0.35), (1.6, 0.35))
# In compiled code a plain number makes its whole expression double precision.
ZERO, ONE = np.float32(0), np.float32(1)
LEAST_RISE = np.float32(0.02)  # what rounding and flat triangles make of a smooth surface
LID_RADIUS_CM, LID_STRENGTH = 0.3, 0.75


def open_sky(
    surface: np.ndarray, solid: np.ndarray, normal: np.ndarray, eyes: np.ndarray, px_per_cm: float
) -> np.ndarray:
    """(F,F) share of the sky over a pixel, from how far its surroundings rise above it.

    A convex surface has all of it: surroundings rise over no tangent plane, and beyond the
    silhouette and the picture's edge everything counts as far behind.

    Args:
        surface: (F,F) height of the head [px], -inf where there is none.
        solid: (F,F) height of head and hair.
        normal: (F,F,3) unit normals of the head.
        eyes: (F,F) bool, pixels of the eyeballs: the lids above them shade them more.
        px_per_cm: pixels of this grid per centimeter.
    """
    highest = float(surface.max())
    if highest == -np.inf:
        return np.ones_like(surface)
    lowest = float(_lowest(surface))
    size = surface.shape[::-1]
    behind = np.float32(lowest - (highest - lowest) - max(size))
    over = np.maximum(solid - behind, 0)
    half = cv2.resize(over, ((size[0] + 1) // 2, (size[1] + 1) // 2), interpolation=cv2.INTER_AREA)
    around, per_sigma = [], []
    for radius_cm, _ in SKY_RADII_CM:
        sigma = radius_cm * px_per_cm
        window = (int(sigma) | 1,) * 2
        blurred = half
        for _ in range(2):
            blurred = cv2.blur(blurred, window, borderType=cv2.BORDER_CONSTANT)
        around.append(cv2.resize(blurred, size))
        per_sigma.append(1.5 / sigma)
    strengths = np.array([strength for _, strength in SKY_RADII_CM], np.float32)
    sky = _left_open(surface, *around, behind, np.array(per_sigma, np.float32), strengths)
    if eyes.any():
        sky[eyes] *= _below_lids(surface, behind, normal, eyes, LID_RADIUS_CM * px_per_cm)
    return sky


@njit(cache=True, nogil=True)
def _lowest(surface: np.ndarray) -> float:
    lowest = np.float32(np.inf)
    for value in surface.ravel():
        if -np.inf < value < lowest:
            lowest = value
    return lowest


@njit(cache=True, nogil=True)
def _left_open(
    surface: np.ndarray,
    near: np.ndarray,
    wide: np.ndarray,
    behind: float,
    per_sigma: np.ndarray,
    strengths: np.ndarray,
) -> np.ndarray:
    """(F,F) what the surroundings at two distances leave of the sky over the head's pixels."""
    sky = np.ones_like(surface)
    for row in range(surface.shape[0]):
        for column in range(surface.shape[1]):
            own = surface[row, column] - behind
            if not own > ZERO:
                continue
            rise = (near[row, column] - own) * per_sigma[0] - LEAST_RISE
            share = ONE - strengths[0] * min(max(rise, ZERO), ONE)
            rise = (wide[row, column] - own) * per_sigma[1] - LEAST_RISE
            sky[row, column] = share * (ONE - strengths[1] * min(max(rise, ZERO), ONE))
    return sky


def _below_lids(
    surface: np.ndarray, behind: float, normal: np.ndarray, eyes: np.ndarray, reach: float
) -> np.ndarray:
    """Light that lids leave to the pixels of `eyes`: what rises above them within `reach` [px]."""
    rows, columns = np.flatnonzero(eyes.any(1)), np.flatnonzero(eyes.any(0))
    margin = int(2 * reach) + 1
    top, left = max(rows[0] - margin, 0), max(columns[0] - margin, 0)
    box = np.s_[top : rows[-1] + margin, left : columns[-1] + margin]
    seen, own = eyes[box], np.maximum(surface[box] - behind, 0)
    window = int(2 * reach) | 1
    above = cv2.blur(own, (window, window), anchor=(window // 2, window - 1))[seen]
    _, y, z = normal[box][seen].T
    tangent = own[seen] - y / np.maximum(z, 0.3) * (window // 2)
    return 1 - LID_STRENGTH * np.clip((above - tangent) / reach - LEAST_RISE, 0, 1)


def lit_by(
    directions: np.ndarray, solid: np.ndarray, thin: np.ndarray | None, px_per_cm: float
) -> np.ndarray:
    """(L,F,F) 1 where a direct light reaches the seen surface, 0 where something blocks it.

    Args:
        directions: (L,3) unit vectors toward the lights.
        solid: (F,F) height of head and hair [px], -inf where there is nothing; taken as thick.
        thin: (F,F) height of what is thin, glasses and lashes, or None.
        px_per_cm: pixels of this grid per centimeter.
    """
    size = solid.shape[0]
    out = np.zeros((len(directions), size, size), np.float32)
    half = np.ascontiguousarray(solid[::2, ::2])
    bars = None
    if thin is not None:
        bars = np.ascontiguousarray(cv2.dilate(thin, np.ones((3, 3), np.uint8))[::2, ::2])
    for light, direction in enumerate(directions):
        if direction[2] < 0.02:
            continue
        lit = _march(
            half,
            half,
            direction,
            size * SHADOW_STEP,
            SHADOW_STEPS,
            LEAST_GAP * size,
            THICKNESS * size,
        )
        if bars is not None:
            # Finer steps, or the rays would jump over the rims.
            step = size * SHADOW_STEP / 2
            thick = max(THIN_CM * px_per_cm, 1.5 * step * float(direction[2]))
            lit = np.minimum(lit, _march(half, bars, direction, step, 2 * SHADOW_STEPS, 0.0, thick))
        cv2.resize(cv2.GaussianBlur(lit, (0, 0), 1.5), (size, size), dst=out[light])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _march(
    half: np.ndarray,
    blockers: np.ndarray,
    direction: np.ndarray,
    step: float,
    steps: int,
    least: float,
    most: float,
) -> np.ndarray:
    """(h,w) 0 where `blockers` stand in the ray that leaves the heights `half` toward the light.

    Both maps hold every second pixel; `step` and the gap between ray and blocker's top, which
    blocks from `least` to `most`, are in pixels of the full picture.
    """
    rows, columns = half.shape
    lit = np.ones((rows, columns), np.float32)
    highest = blockers.max()
    if highest == -np.inf:
        return lit
    # In pixels of the half grid, in single precision throughout.
    dx, dy = np.float32(direction[0] * step / 2), np.float32(-direction[1] * step / 2)
    steps -= 1
    dz, least, most = np.float32(direction[2] * step), np.float32(least), np.float32(most)
    for row in range(rows):
        rows_left = _steps_to_edge(row, dy, rows, steps)
        for column in range(columns):
            ray = half[row, column]
            if ray == -np.inf:
                continue
            count = min(rows_left, _steps_to_edge(column, dx, columns, steps))
            count = min(count, int((highest - least - ray) / dz))
            x, y = np.float32(column), np.float32(row)
            for _ in range(count):
                ray, x, y = ray + dz, x + dx, y + dy
                gap = blockers[int(y), int(x)] - ray
                if least < gap < most:
                    lit[row, column] = 0
                    break
    return lit


@njit(inline="always")
def _steps_to_edge(start: int, step: float, length: int, most: int) -> int:
    """How many steps from `start` stay within 0 and `length`, at most `most`."""
    room = np.float32(length - 1 - start) if step > ZERO else np.float32(start)
    return most if abs(step) * np.float32(most) <= room else int(room / abs(step))
