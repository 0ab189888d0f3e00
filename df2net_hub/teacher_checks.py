"""Whether a reconstruction may teach: each measure a function, each limit a number with a reason.

A measure sees one face: the mask and depth on the crop's grid, what the dense network said before
and after the photo was mirrored. The limits were set by looking at what they keep and reject of 268
official portraits (docs/import.md); another network may want others.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import cv2
import numpy as np

SMOOTHED_PX = 4.0  # Gaussian [px of a 512 crop] before the nose is looked for
MIRROR_SEARCH = 0.06  # how far from the mask's middle the line of symmetry may lie, of its width
TURNS_DEG = tuple(range(-30, 31, 5))  # turns under which symmetry is looked for
LEAST_SHARED = 0.75  # of the face that must have a mirror image
DISC = 0.35  # of the face's width
GRID = 96  # pixels of the grid on which reliefs are mirrored


@dataclass(frozen=True, eq=False)
class Seen:
    """What the teacher says of one crop, (512,512) each; heights [px of the crop]."""

    height: np.ndarray  # the result, toward the camera
    mask: np.ndarray  # bool: one piece without holes
    face_share: np.ndarray  # [0,1] how sure the network is that a pixel is face
    dense: np.ndarray  # height of the dense network on the photo
    mirrored: np.ndarray  # the same on the mirrored photo, mirrored back
    jittered: tuple[np.ndarray, ...]  # on shifted and zoomed crops, brought back; NaN outside
    face_px: float  # width of the face in the photo [px]


@dataclass(frozen=True)
class TeacherLimits:
    """Limits of the measures; a pair is kept if all hold. Lengths in the unit of each measure."""

    least_face_px: float = 80.0
    most_strays: float = 0.02
    most_holes: float = 0.02
    most_doubt: float = 0.068
    least_area: float = 0.25
    most_area: float = 0.54
    least_convexity: float = 0.955
    most_ragged: float = 0.021
    least_relief: float = 0.38
    most_relief: float = 0.60
    most_asymmetry: float = 0.045
    most_turned_deg: float = 15.0  # only below it is symmetry asked for
    most_nose_off: float = 0.12
    most_flip_px: float = 4.0
    most_jitter_px: float = 0.0  # 0: not asked for, and not computed


def face_width(mask: np.ndarray) -> float:
    """Width of the mask's bounding box [px]: the unit of relief and symmetry."""
    columns = np.flatnonzero(mask.any(axis=0))
    return float(columns[-1] - columns[0] + 1)


def strays(seen: Seen) -> float:
    """Area of the network's mask in pieces apart from the face, over the face: a second thing.

    A neck that hangs together with the face, and was cut off, is none.
    """
    face = seen.face_share > 0.5
    _, pieces = cv2.connectedComponents(face.astype(np.uint8), connectivity=4)
    apart = face & ~np.isin(pieces, pieces[face & seen.mask])
    return float(apart.sum() / seen.mask.sum())


def holes(seen: Seen) -> float:
    """Share of the mask that the network called no face: hair, hands, a microphone before it."""
    return float((seen.mask & (seen.face_share <= 0.5)).sum() / seen.mask.sum())


def doubt(seen: Seen) -> float:
    """Expected wrong pixels of the mask over expected face pixels: an outline it cannot see."""
    share = seen.face_share.astype(np.float64)
    return float(np.minimum(share, 1 - share).sum() / share.sum())


def area(seen: Seen) -> float:
    """Share of the crop that is face: a crop placed badly, or half a face."""
    return float(seen.mask.mean())


def convexity(seen: Seen) -> float:
    """Mask over its convex hull: faces bulge; a bitten mask has something standing before it."""
    outline, _ = cv2.findContours(
        seen.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    hull = cv2.convexHull(np.concatenate(outline))
    filled = cv2.fillConvexPoly(np.zeros(seen.mask.shape, np.uint8), hull, 1)
    return float(seen.mask.sum() / filled.sum())


def ragged(seen: Seen) -> float:
    """Share of the mask that a disc a third as wide as the face cannot reach.

    Pieces of neck or collar under the chin, ears, a fringe: outlines that no face has.
    """
    step = max(len(seen.mask) // 128, 1)
    mask = np.ascontiguousarray(seen.mask[::step, ::step]).astype(np.uint8)
    diameter = round(face_width(mask > 0) * DISC) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter))
    reached = cv2.morphologyEx(np.pad(mask, diameter), cv2.MORPH_OPEN, disc)
    return float(1 - reached.sum() / mask.sum())


def relief(seen: Seen) -> float:
    """Height between the 1st and 99th percentile over the face's width: flat or stretched."""
    low, high = np.percentile(seen.height[seen.mask], [1, 99])
    return float((high - low) / face_width(seen.mask))


def turned_deg(seen: Seen) -> float:
    """How far the face looks aside [deg]: the turn after which left and right agree best."""
    return abs(_symmetry(seen)[1])


def asymmetry(seen: Seen) -> float:
    """RMS difference between the relief and its mirror image over the face's width.

    About the best upright line near the middle of the mask, after the best turn about the vertical,
    up to a plane.
    """
    return _symmetry(seen)[0]


def nose_off(seen: Seen) -> float:
    """How far the nearest point lies from where noses are, over the face's width.

    A nose lies within an eighth of the height from the mask's middle; what exceeds that counts.
    """
    scale = len(seen.mask) / 512
    weight = cv2.GaussianBlur(seen.mask.astype(np.float32), (0, 0), SMOOTHED_PX * scale)
    smooth = cv2.GaussianBlur(
        np.where(seen.mask, seen.height, 0).astype(np.float32), (0, 0), SMOOTHED_PX * scale
    )
    smooth = np.where(seen.mask, smooth / np.maximum(weight, 1e-6), -np.inf)
    row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
    rows, columns = np.flatnonzero(seen.mask.any(1)), np.flatnonzero(seen.mask.any(0))
    off_x = abs(column - (columns[0] + columns[-1]) / 2)
    off_y = max(abs(row - (rows[0] + rows[-1]) / 2) - np.ptp(rows) / 8, 0)
    return float(np.hypot(off_x, off_y) / face_width(seen.mask))


def flip_px(seen: Seen) -> float:
    """Mean difference of the dense depth of the photo and of its mirror image [px of 512].

    After the best scale and shift; of the dense network by itself, even where the cascade averages
    over both.
    """
    return _disagreement(seen.mirrored, seen.dense, seen.mask)


def jitter_px(seen: Seen) -> float:
    """The same between the crop and shifted or zoomed ones; the worst of them, 0 without any."""
    parts = [
        _disagreement(other, seen.dense, seen.mask & np.isfinite(other)) for other in seen.jittered
    ]
    return max(parts, default=0.0)


def face_px(seen: Seen) -> float:
    """Width of the face in the photo [px]: below it, its relief is invention."""
    return seen.face_px


@dataclass(frozen=True)
class Check:
    """A measure and its limit: the measure must be at least, or at most, the limit's value."""

    measure: Callable[[Seen], float]
    limit: str  # field of TeacherLimits
    at_least: bool
    reason: str


CHECKS = (
    Check(face_px, "least_face_px", True, "face too small in the photo"),
    Check(area, "least_area", True, "mask too small for its crop"),
    Check(area, "most_area", False, "mask too large for its crop"),
    Check(strays, "most_strays", False, "mask of several pieces"),
    Check(holes, "most_holes", False, "holes in the mask"),
    Check(convexity, "least_convexity", True, "outline with bites: something before the face"),
    Check(ragged, "most_ragged", False, "ragged outline"),
    Check(doubt, "most_doubt", False, "outline in doubt"),
    Check(relief, "least_relief", True, "too flat"),
    Check(relief, "most_relief", False, "too much relief"),
    Check(nose_off, "most_nose_off", False, "nearest point is not the nose"),
    Check(asymmetry, "most_asymmetry", False, "left and right differ"),
    Check(flip_px, "most_flip_px", False, "mirrored photo gives another face"),
    Check(jitter_px, "most_jitter_px", False, "shifted crop gives another face"),
)


def measures(seen: Seen) -> dict[str, float]:
    """Every measure by its name."""
    functions = {check.measure for check in CHECKS} | {turned_deg}
    return {function.__name__: function(seen) for function in functions}


def first_failed(measured: dict[str, float], limits: TeacherLimits) -> str | None:
    """The reason of the first check of CHECKS that does not hold; None if all do."""
    for check in CHECKS:
        value, limit = measured[check.measure.__name__], getattr(limits, check.limit)
        if check.measure is asymmetry and measured["turned_deg"] > limits.most_turned_deg:
            continue
        if check.measure is jitter_px and limit == 0:
            continue
        if not (value >= limit if check.at_least else value <= limit):
            return check.reason
    return None


def limits_from(assignments: list[str]) -> TeacherLimits:
    """Limits from texts such as "most_flip_px=6".

    Raises:
        ValueError: an unknown name or a value that is no number.
    """
    known = [field.name for field in fields(TeacherLimits)]
    given = {}
    for text in assignments:
        name, _, value = text.partition("=")
        if name not in known:
            raise ValueError(f"no limit named {name!r}; known: {', '.join(known)}")
        try:
            given[name] = float(value)
        except ValueError as error:
            raise ValueError(f"{name} must be a number, got {value!r}") from error
    return TeacherLimits(**given)


def _symmetry(seen: Seen) -> tuple[float, float]:
    """The least asymmetry and the turn [deg] under which it is found."""
    scale = GRID / len(seen.mask)
    rows, columns = np.nonzero(seen.mask)
    x, y, z = columns * scale, rows * scale, seen.height[seen.mask] * scale
    width, enough = face_width(seen.mask) * scale, LEAST_SHARED * len(x) * scale**2
    best = (np.inf, 0.0)
    for turn in TURNS_DEG:
        cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        middle = x.mean()
        aside = (x - middle) * cos - (z - z.mean()) * sin + middle
        height = np.full((GRID, GRID), -np.inf, np.float32)
        column = np.rint(aside).astype(int).clip(0, GRID - 1)
        np.maximum.at(height, (y.astype(int), column), (x - middle) * sin + z * cos)
        best = min(best, (_mirror_difference(height, width, enough), turn))
    return best


def _mirror_difference(height: np.ndarray, width: float, enough: float) -> float:
    """RMS difference of a relief (G,G), -inf off it, and its mirror image, over `width`.

    Infinity if fewer than `enough` pixels have a mirror image.
    """
    inside = np.isfinite(height)
    height = np.where(inside, height, 0)
    columns = np.flatnonzero(inside.any(axis=0))
    middle, reach = columns[0] + columns[-1], round(2 * MIRROR_SEARCH * width)
    least = np.inf
    for twice in range(middle - reach, middle + reach + 1, 2):
        there = twice - np.arange(GRID)
        other = there.clip(0, GRID - 1)
        both = inside & inside[:, other] & ((there >= 0) & (there < GRID))
        if both.sum() < enough:
            continue
        difference = height - height[:, other]
        slope_x, slope_y, offset = _plane(difference, both)
        rows, cols = np.nonzero(both)
        rest = difference[both] - (slope_x * cols + slope_y * rows + offset)
        least = min(least, float(np.sqrt((rest**2).mean())) / width)
    return least


def _disagreement(other: np.ndarray, height: np.ndarray, mask: np.ndarray) -> float:
    """Mean |height - best line through other| over `mask`."""
    if mask.sum() < 16:
        return float("inf")
    x, y = other[mask].astype(np.float64), height[mask].astype(np.float64)
    x_mean, y_mean = x.mean(), y.mean()
    slope = ((x - x_mean) * (y - y_mean)).mean() / max(((x - x_mean) ** 2).mean(), 1e-9)
    return float(np.abs(y - y_mean - slope * (x - x_mean)).mean())


def _plane(height: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Slope along columns and rows, and offset, of the least-squares plane over `mask`."""
    rows, columns = np.nonzero(mask)
    design = np.column_stack([columns, rows, np.ones(len(rows))]).astype(np.float64)
    return np.linalg.lstsq(design.T @ design, design.T @ height[mask], rcond=None)[0]
