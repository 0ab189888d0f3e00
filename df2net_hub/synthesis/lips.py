"""Lips: how red they are and how much of them is red, person by person."""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.synthesis.face_map import TILE, FaceMap

# Landmarks of the outer outline, of the inner one, and between the lips from corner to corner.
OUTER, INNER = slice(48, 60), slice(60, 68)
BETWEEN = ((48, 48), (60, 60), (61, 67), (62, 66), (63, 65), (64, 64), (54, 54))
EDGE = 0.2  # over how much of a lip's height its red sets in
ROLLED = {"mouthRollUpper": 0, "mouthRollLower": 1}  # the movement that turns each lip inward
ROLL = 0.8  # of it, where none of a lip is red


@dataclass(frozen=True)
class Lips:
    """Lips of a person.

    Attributes:
        thin: (2,) share of the height of upper and lower lip that is no red, 0 to 1.
        red: strength of their own color over the skin's, 0 to 1.
        painted: strength of lipstick, 0 to 1.
    """

    thin: np.ndarray
    red: float
    painted: float


PLAIN_LIPS = Lips(thin=np.zeros(2), red=0.0, painted=0.0)


def sample_lips(
    rng: np.random.Generator, age: float, masculine: float, made_up: float, photographed: bool
) -> Lips:
    """Draw lips; they thin with `age`. A skin from a photograph has its owner's color there."""
    thin = rng.normal([0.08 + 0.35 * age + 0.08 * masculine, 0.15 * age], [0.15, 0.1])
    red = np.clip(rng.normal(0.45 - 0.18 * masculine, 0.2), 0.05, 0.9)
    return Lips(
        thin=np.clip(thin, 0, [0.65, 0.4]),
        red=0.0 if photographed else float(red),
        painted=0.85 * made_up * float(rng.uniform(0.2, 1)),
    )


def lip_area(face: FaceMap, wider: int = 0) -> np.ndarray:
    """(TILE,TILE) 1 on the lips and what lies between them, grown by `wider` texels, soft edge."""
    area = _filled(face, OUTER).astype(np.float32)
    if wider:
        area = cv2.dilate(area, np.ones((2 * wider + 1, 2 * wider + 1)))
    rounded = np.clip((cv2.GaussianBlur(area, (0, 0), 5) - 0.5) * 4 + 0.5, 0, 1)
    return cv2.GaussianBlur(rounded, (0, 0), 1.5)


def lip_heights(face: FaceMap) -> np.ndarray:
    """(2,TILE,TILE) float32 from 0 at the outline of upper, of lower lip to 1 where both meet.

    Below 0 outside, and on the other lip.
    """
    outer, inner = _filled(face, OUTER), _filled(face, INNER)
    within = cv2.distanceTransform(outer, cv2.DIST_L2, 5)
    beyond = cv2.distanceTransform(1 - outer, cv2.DIST_L2, 5)
    away = cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)
    height = (within - beyond) / np.maximum(within + beyond + away, 1)
    middle = face.landmark_texels[np.array(BETWEEN)].mean(1)
    rows, columns = np.indices((TILE, TILE))
    upper = rows < np.interp(columns, middle[:, 0], middle[:, 1])
    between = inner > 0  # of both
    return np.stack(
        [np.where(upper | between, height, -1), np.where(~upper | between, height, -1)]
    ).astype(np.float32)


def lip_share(heights: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """(TILE,TILE) [0,1] how much of each texel is red, of lips as `thin` (2,) as that."""
    share = (heights - np.float32(thin)[:, None, None]) / np.float32(EDGE) + np.float32(0.5)
    return cv2.GaussianBlur(np.clip(share.max(0), 0, 1), (0, 0), 1.0)


def rolled_in(weights: np.ndarray, names: tuple[str, ...], lips: Lips) -> np.ndarray:
    """Weights (E,) of a model's expression offsets `names` with `lips` turned inward as thin."""
    rolled = weights.copy()
    for i, name in enumerate(names):
        if name in ROLLED:
            rolled[i] = max(weights[i], ROLL * lips.thin[ROLLED[name]])
    return rolled


def _filled(face: FaceMap, outline: slice) -> np.ndarray:
    """(TILE,TILE) uint8 1 within an outline of landmarks."""
    area = np.zeros((TILE, TILE), np.uint8)
    cv2.fillPoly(
        area, [np.rint(face.landmark_texels[outline] * 16).astype(np.int32)], 1, cv2.LINE_8, 4
    )
    return area
