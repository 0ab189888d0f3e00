"""Shadows: which direct lights reach a pixel past head, hair and glasses.

From height maps at half the picture's resolution: light is soft, and it costs a quarter.
"""

import cv2
import numpy as np
from numba import njit

# How far, as a share of the picture's side, a shadow reaches and what lies below it is thick.
SHADOW_STEPS, SHADOW_STEP = 40, 1 / 96
THICKNESS = 0.35
THIN_CM = 0.4  # glasses and lashes: light passes behind them
LEAST_GAP = 0.006
# In compiled code a plain number makes its whole expression double precision.
ZERO = np.float32(0)


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
