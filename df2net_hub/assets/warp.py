"""A smooth map between heads through matched points, and the frame that all heads share.

The map is the thin-plate spline of space (biharmonic, kernel |r|, plus an affine part): of all maps
through the matches it bends least, and it stays nearly affine far from them.
"""

from collections.abc import Callable, Mapping

import numpy as np

# The 68 Multi-PIE landmarks of ICT-FaceKit's neutral mean head [cm] (USC ICT, MIT license): x to
# the subject's left, y up, z out of the face. Right half and middle; the left half mirrors it.
_JAW = [
    (-7.36, 3.68, 3.66), (-7.28, 1.49, 3.93), (-6.94, -0.46, 4.53), (-6.56, -2.36, 5.17),
    (-5.72, -4.49, 6.13), (-4.3, -6.21, 7.35), (-3.05, -6.91, 8.77), (-1.54, -7.26, 10.27),
    (0.0, -7.57, 10.43),
]  # fmt: skip
_BROW = [
    (-5.82, 5.2, 7.91), (-4.93, 5.98, 8.99), (-3.79, 6.26, 9.83), (-2.41, 6.19, 10.48),
    (-1.17, 5.91, 10.73),
]  # fmt: skip
_BRIDGE = [(0.0, 3.74, 10.73), (0.0, 2.63, 11.52), (0.0, 1.61, 12.31), (0.0, 0.41, 13.07)]
_NOSTRILS = [(-1.25, -1.14, 10.87), (-0.6, -1.14, 11.42), (0.0, -1.2, 11.57)]
_EYE = [
    (-4.46, 3.43, 8.6), (-3.87, 3.87, 9.36), (-2.78, 3.94, 9.53), (-1.84, 3.25, 9.2),
    (-2.73, 3.08, 9.41), (-3.86, 3.07, 9.23),
]  # fmt: skip
_LIPS_UP = [(-2.53, -3.52, 10.19), (-1.7, -2.78, 11.22), (-0.73, -2.42, 11.73), (0.0, -2.48, 11.84)]
_LIPS_DOWN = [(1.8, -4.06, 10.9), (1.03, -4.3, 11.39), (0.0, -4.38, 11.55)]
_INNER_UP = [(-2.21, -3.49, 10.13), (-1.0, -3.3, 11.09), (0.0, -3.32, 11.28)]
_INNER_DOWN = [(1.07, -3.38, 11.04), (0.0, -3.4, 11.25)]

Point = tuple[float, float, float]


def _mirrored(points: list[Point]) -> list[Point]:
    return [(-x, y, z) for x, y, z in points]


def _there_and_back(half: list[Point]) -> list[Point]:
    """A row from one side to the middle, and on to the other side."""
    return half + _mirrored(half[-2::-1])


LANDMARKS68 = np.array(
    _there_and_back(_JAW)
    + _BROW + _mirrored(_BROW[::-1])
    + _BRIDGE + _there_and_back(_NOSTRILS)
    + _EYE + _mirrored([_EYE[i] for i in (3, 2, 1, 0, 5, 4)])
    + _there_and_back(_LIPS_UP) + _there_and_back(_LIPS_DOWN)
    + _there_and_back(_INNER_UP) + _there_and_back(_INNER_DOWN),
)  # fmt: skip
# Without these the rest cannot be told: chin, nose tip, eye corners, mouth corners and lips.
ANCHORS = (8, 30, 36, 39, 42, 45, 48, 51, 54, 57)


def thin_plate_warp(
    source: np.ndarray, target: np.ndarray, smoothing: float = 0.0
) -> Callable[[np.ndarray], np.ndarray]:
    """The map (N,3) -> (N,3) that takes `source` (M,3) to `target` (M,3)."""
    from scipy.interpolate import RBFInterpolator

    distinct, first = np.unique(np.round(source, 9), axis=0, return_index=True)
    if len(distinct) < 5:
        raise ValueError(f"a warp needs 5 or more matched points, got {len(distinct)}")
    try:
        warp = RBFInterpolator(
            source[first], target[first], kernel="linear", degree=1, smoothing=smoothing
        )
    except np.linalg.LinAlgError as error:
        raise ValueError("the matched points lie in one plane; add some beside it") from error
    return lambda points: np.asarray(warp(points))


def complete_landmarks(vertices: np.ndarray, known: Mapping[int, np.ndarray]) -> np.ndarray:
    """(68,) int32 vertices of all Multi-PIE landmarks, from the positions of some.

    `known` maps landmark numbers to points (3,) in the frame of `vertices` (V,3). The others are
    those of a mean head, warped through the known ones; each becomes its nearest vertex.

    Raises:
        ValueError: one of `ANCHORS` is not known.
    """
    from scipy.spatial import cKDTree

    missing = [number for number in ANCHORS if number not in known]
    if missing:
        raise ValueError(
            f"landmarks {missing} are not known; at least {list(ANCHORS)} (counted from 0 in the "
            "Multi-PIE order of 68) must be: name them in a landmarks file, see docs/assets.md"
        )
    numbers = sorted(known)
    points = np.array([known[number] for number in numbers], np.float64)
    guessed = thin_plate_warp(LANDMARKS68[numbers], points)(LANDMARKS68)
    guessed[numbers] = points
    return cKDTree(vertices).query(guessed)[1].astype(np.int32)
