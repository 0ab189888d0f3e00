"""How a face is turned, from its depth map alone: no landmarks, so it works with any cascade.

A head is nearly its own mirror image, and its nose stands out. Where the nose stands in the face
gives the yaw within some degrees; yaw and roll are then those of the plane through the nose that
maps the visible surface onto itself best. Pitch is the slope of the face along that plane.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX

GRID = 96  # side [px] of the depth map on which the mirror plane is sought
NUM_POINTS = 700  # of the surface
NOSE_ROWS = (0.35, 0.75)  # where the nose's tip may lie, from the mask's top to its bottom
# Fitted to 100 rendered pairs with known pose; docs/photos.md has the errors on others.
YAW_PER_NOSE_SHIFT = 120.0  # [deg] per root of the mask's area
PITCH_PER_SLOPE, PITCH_AT_NO_SLOPE = 1.0, 3.0  # a face that looks straight ahead slopes back
# Differences count up to this share of the face's width: beyond, a point's partner is hidden.
MOST_DIFFERENCE = 0.05
UNSEEN = 0.6  # what a point costs whose partner lies off the mask, over MOST_DIFFERENCE
# Sought around the first guess: yaw and roll [deg], shift off the nose over the face's width.
SOUGHT = (np.arange(-9, 10, 3), np.arange(-32, 33, 4), np.arange(-0.04, 0.05, 0.02))
HALVINGS = 2  # of the steps after the first search
COARSE = 3  # every third point is enough for the first search


@dataclass(frozen=True)
class FacePose:
    """How a head is turned, as in the `camera` column of pairs [deg]."""

    yaw: float  # positive: the nose to the picture's right
    pitch: float  # positive: the nose up
    roll: float  # positive: the picture turned counterclockwise


def face_pose(depth: np.ndarray, mask: np.ndarray) -> FacePose:
    """Pose of the face whose network depth (S,S) is known on `mask` (S,S) bool.

    Raises:
        ValueError: the mask holds no face.
    """
    height, inside = _small(depth, mask)
    if inside.sum() < NUM_POINTS:
        raise ValueError("the mask holds no face, or hardly any of it; a pose needs one")
    rows, columns = np.nonzero(inside)
    width = float(np.sqrt(len(rows)))
    points = np.column_stack([columns, GRID - 1 - rows, height[inside]])  # x, y up, z
    nose = _nose(points)
    sides = (columns.min() + columns.max()) / 2
    guess = np.array([YAW_PER_NOSE_SHIFT * (nose[0] - sides) / width, 0, 0])
    chosen = points[np.linspace(0, len(points) - 1, NUM_POINTS).astype(int)]

    best = guess
    for number, around in enumerate(_searches()):
        some = chosen if number else chosen[::COARSE]
        costs = _asymmetry(some, nose, best + around, height, inside, width)
        best = best + around[np.argmin(costs)]
    yaw, roll, _ = best
    return FacePose(float(yaw), _pitch(points, roll), float(roll))


def _searches() -> list[np.ndarray]:
    """Offsets (K,3) of yaw, roll and shift to try, one search after the other."""
    first = np.stack(np.meshgrid(*SOUGHT), -1).reshape(-1, 3)
    steps = np.array([sought[1] - sought[0] for sought in SOUGHT])
    neighbors = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)
    return [first, *(neighbors * steps / 2**n for n in range(1, HALVINGS + 1))]


def _small(depth: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height [px of GRID] and mask on the small grid."""
    share = cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    filled = np.where(mask, depth, 0).astype(np.float32)
    height = cv2.resize(filled, (GRID, GRID), interpolation=cv2.INTER_AREA)
    inside = share > 0.5
    height = np.where(inside, height / np.maximum(share, 0.5), 0)
    return height * (DEPTH_UNIT_PX * GRID / CROP_SIZE), inside


def _nose(points: np.ndarray) -> np.ndarray:
    """(3,) the point that stands out most over the plane that fits the face."""
    centered = points - points.mean(0)
    design = np.column_stack([centered[:, :2], np.ones(len(points))])
    relief = points[:, 2] - design @ np.linalg.lstsq(design, points[:, 2], rcond=None)[0]
    top, bottom = points[:, 1].max(), points[:, 1].min()
    drop = (top - points[:, 1]) / (top - bottom)
    allowed = (drop > NOSE_ROWS[0]) & (drop < NOSE_ROWS[1])
    return points[np.argmax(np.where(allowed, relief, -np.inf))]


def _asymmetry(
    points: np.ndarray,
    nose: np.ndarray,
    candidates: np.ndarray,
    height: np.ndarray,
    inside: np.ndarray,
    width: float,
) -> np.ndarray:
    """(K,) mean distance of the mirrored points from the surface, for K (yaw, roll, shift)."""
    yaw, roll = np.radians(candidates[:, 0]), np.radians(candidates[:, 1])
    normal = np.stack(  # the head's own x axis, as seen
        [np.cos(yaw) * np.cos(roll), np.cos(yaw) * np.sin(roll), -np.sin(yaw)]
    ).astype(np.float32)
    points = points.astype(np.float32)
    distance = (points - nose.astype(np.float32)) @ normal - candidates[:, 2] * width  # (N,K)
    twice = 2 * distance.astype(np.float32)
    x, y, z = (points[:, axis, None] - twice * normal[axis] for axis in range(3))  # (N,K) mirrored
    column, row = np.rint(x).astype(np.int32), GRID - 1 - np.rint(y).astype(np.int32)
    within_column, within_row = column.clip(0, GRID - 1), row.clip(0, GRID - 1)
    on_face = inside[within_row, within_column]
    on_face &= (column == within_column) & (row == within_row)
    most = MOST_DIFFERENCE * width
    difference = np.abs(z - height[within_row, within_column]).clip(max=most)
    return np.where(on_face, difference, UNSEEN * most).mean(0)


def _pitch(points: np.ndarray, roll: float) -> float:
    x, y, z = (points - points.mean(0)).T
    slope_x, slope_y = np.linalg.lstsq(np.column_stack([x, y]), z, rcond=None)[0]
    along = np.cos(np.radians(roll)) * slope_y - np.sin(np.radians(roll)) * slope_x
    return float(PITCH_AT_NO_SLOPE - PITCH_PER_SLOPE * np.degrees(np.arctan(along)))
