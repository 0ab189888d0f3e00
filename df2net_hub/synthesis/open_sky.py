"""How much of the surroundings the points of a surface see, and where the part they see lies.

A dimple is dark under an even sky, the more so the deeper: with no lamp to shade by, this is what a
picture tells of relief. So it follows the height map: in slices through the view axis the highest
rise above the tangent plane is searched on either side, and what lies between the two horizons
counts by its cosine with the normal. In a slice that holds the view axis and has the projected
normal at angle g, of length p, the share between the horizons a < b is

    p / 4 (cos g - cos(2 b - g) + 2 b sin g + cos g - cos(2 a - g) + 2 a sin g)

(horizon-based occlusion as in Jimenez et al., "Practical real-time strategies for accurate
indirect occlusion", 2016), and 1 over all slices if nothing rises over the tangent plane.
"""

import cv2
import numpy as np
from numba import njit

SLICES = 4
# Neighbors of two by two pixels turn their slices a little and share what they find.
TURNS = 4
REACH_CM = 6.0
FIRST, GROWTH = 1.0, 1.4  # distance of the first look [px], and of each over the one before
# In compiled code a plain number makes its whole expression double precision.
ZERO, HALF, ONE, TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
QUARTER_TURN = np.float32(np.pi / 2)
LEAST_RISE = np.float32(0.02)  # what rounding and flat triangles make of a smooth surface
STEEPEST = np.float32(0.1)  # normal's z below which tangent planes are taken as this steep


def open_sky(
    surface: np.ndarray, solid: np.ndarray, normal: np.ndarray, px_per_cm: float
) -> tuple[np.ndarray, np.ndarray]:
    """(F,F) share of its hemisphere, by cosine, that a pixel sees, and (F,F,3) which way that lies.

    The second is what to add to the normal to have the mean direction of the open part. Where a
    surface is convex, the share is 1 and the difference 0. Beyond the silhouette and the picture's
    edge nothing is in the way.

    Args:
        surface: (F,F) float32 height of the head [px], -inf where there is none.
        solid: (F,F) float32 height of head and hair.
        normal: (F,F,3) float32 unit normals of the head, x right, y up.
        px_per_cm: pixels per centimeter.
    """
    looks = _looks(REACH_CM * px_per_cm)
    found = cv2.blur(_between_horizons(surface, solid, normal, *looks), (3, 3))
    return np.ascontiguousarray(found[..., 0]), np.ascontiguousarray(found[..., 1:])


def _looks(reach: float) -> tuple[np.ndarray, np.ndarray]:
    """(T,2 S,2) float32 directions, x right and y up, and (T,2 S,N,2) int32 pixels on their way.

    The second half of the directions are the first ones' opposites.
    """
    far = FIRST * GROWTH ** np.arange(max(int(np.log(reach / FIRST) / np.log(GROWTH)), 1) + 1)
    angles = np.pi * (np.arange(SLICES) + np.arange(TURNS)[:, None] / TURNS) / SLICES
    one_way = np.stack([np.cos(angles), np.sin(angles)], -1)
    directions = np.concatenate([one_way, -one_way], 1)
    pixels = np.rint(directions[:, :, None] * far[:, None])
    return directions.astype(np.float32), pixels.astype(np.int32)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "arcp", "nsz"})
def _between_horizons(
    own: np.ndarray,
    over: np.ndarray,
    normals: np.ndarray,
    directions: np.ndarray,
    pixels: np.ndarray,
) -> np.ndarray:
    """(h,w,4) open share and what it adds to the normal; heights in pixels."""
    rows, columns = own.shape
    slices = directions.shape[1] // 2
    out = np.zeros((rows, columns, 4), np.float32)
    slopes = np.zeros(2, np.float32)
    for row in range(rows):
        for column in range(columns):
            out[row, column, 0] = ONE
            if own[row, column] == -np.inf:
                continue
            height = own[row, column]
            x, y, z = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            down_x, down_y = -x / max(z, STEEPEST), -y / max(z, STEEPEST)
            turn = 2 * (row % 2) + column % 2
            share, bent_x, bent_y, bent_z = ZERO, ZERO, ZERO, ZERO
            for one in range(slices):
                for side in range(2):
                    way = one + side * slices
                    rise = ZERO
                    for step in range(pixels.shape[2]):
                        right, up = pixels[turn, way, step, 0], pixels[turn, way, step, 1]
                        at_row, at_column = row - up, column + right
                        if not (0 <= at_row < rows and 0 <= at_column < columns):
                            break
                        # -inf, where there is nothing, rises nowhere.
                        above = over[at_row, at_column] - height
                        above -= np.float32(right) * down_x + np.float32(up) * down_y
                        away = np.sqrt(np.float32(right * right + up * up))
                        rise = max(rise, above / away - LEAST_RISE)
                    slopes[side] = rise
                dx, dy = directions[turn, one, 0], directions[turn, one, 1]
                across = x * dx + y * dy
                length = np.sqrt(across * across + z * z)
                g = np.arctan2(across, z)
                tangent = down_x * dx + down_y * dy
                b = min(QUARTER_TURN - np.arctan(tangent + slopes[0]), g + QUARTER_TURN)
                a = max(np.arctan(slopes[1] - tangent) - QUARTER_TURN, g - QUARTER_TURN)
                if a >= b:
                    continue
                sine, cosine = np.sin(g), np.cos(g)
                share += length * (
                    TWO * (cosine + (a + b) * sine) - np.cos(TWO * b - g) - np.cos(TWO * a - g)
                )
                middle = (a + b) * HALF
                # Twice across the slices: each shows half of what the normal has across the view.
                forward = length * np.sin(middle) * TWO
                bent_x, bent_y = bent_x + forward * dx, bent_y + forward * dy
                bent_z += length * np.cos(middle)
            out[row, column, 0] = min(share / np.float32(4 * slices), ONE)
            long = np.sqrt(bent_x * bent_x + bent_y * bent_y + bent_z * bent_z)
            if long > ZERO:
                out[row, column, 1] = bent_x / long - x
                out[row, column, 2] = bent_y / long - y
                out[row, column, 3] = bent_z / long - z
    return out
