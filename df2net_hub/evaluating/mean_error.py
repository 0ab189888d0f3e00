"""The mean error at each place of a face: views laid over one another by their landmarks.

What is wrong of single faces cancels, what is supposed wrongly of all of them stays.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from df2net_hub.evaluating.landmarks import OUTER

SIDE = 200  # of the picture [px]
PX_PER_MM = 1.0
MIDDLE = (100, 80)  # where the middle between the eyes lies [px]
FOREHEAD = 0.75  # how far the brows are carried up, of their height over the nose's base
LEAST_SEEN = 0.5  # of the views, for a mean
# The first 60 of the 68 landmarks on the mean of ICT-FaceKit (MIT License), seen from the front, x
# right and y down of the middle between its eyes [mm]. Inner lips lie on one another there.
PLACES_MM = np.array([
    (-74, -2), (-73, 20), (-69, 39), (-66, 58), (-57, 79), (-43, 96), (-31, 104), (-15, 107),
    (0, 110),
    (15, 107), (31, 104), (43, 96), (57, 79), (66, 58), (69, 39), (73, 20), (74, -2),  # jaw
    (-58, -18), (-49, -25), (-38, -28), (-24, -27), (-12, -25),
    (12, -25), (24, -27), (38, -28), (49, -25), (58, -18),  # brows
    (0, -3), (0, 8), (0, 18), (0, 30), (-13, 46), (-6, 46), (0, 46), (6, 46), (13, 46),  # nose
    (-45, 0), (-39, -4), (-28, -5), (-18, 2), (-27, 4), (-39, 4),
    (18, 2), (28, -5), (39, -4), (45, 0), (39, 4), (27, 4),  # eyes
    (-25, 70), (-17, 62), (-7, 59), (0, 59), (7, 59), (17, 62),
    (25, 70), (18, 75), (10, 77), (0, 78), (-10, 77), (-18, 75),  # outer lips
], np.float64)  # fmt: skip


class MeanFaceGrid:
    """An upright face of SIDE px, and how maps of photos are laid on it."""

    def __init__(self) -> None:
        points = _with_forehead(PLACES_MM * PX_PER_MM + MIDDLE)
        y, x = np.mgrid[:SIDE, :SIDE]
        self._weights = _thin_plate(points, np.column_stack([x.ravel(), y.ravel()]))
        hull = cv2.convexHull(np.rint(points).astype(np.int32))
        self._face = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), hull, 1) > 0

    def lay(self, landmarks: np.ndarray, values: np.ndarray) -> np.ndarray:
        """`values` (H,W) of a photo with `landmarks` (68,2) as (SIDE,SIDE) float32, NaN off it."""
        places = self._weights @ _with_forehead(landmarks.astype(np.float64))
        grid = places.reshape(SIDE, SIDE, 2).astype(np.float32)
        flat = values.astype(np.float32)
        laid = cv2.remap(flat, grid, None, cv2.INTER_NEAREST, borderValue=np.nan)
        return np.where(self._face, laid, np.float32(np.nan))


class MeanErrors:
    """Running means of signed errors at the pixels of the upright face, by method."""

    def __init__(self) -> None:
        self._grid = MeanFaceGrid()
        self._views = 0
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, np.ndarray] = {}

    def add(self, landmarks: np.ndarray, nearer_mm: Mapping[str, np.ndarray]) -> None:
        """Count a view in: its landmarks (68,2) [px], method -> (H,W) error [mm] with NaN."""
        self._views += 1
        for name, error in nearer_mm.items():
            here = self._grid.lay(landmarks, error)
            known = np.isfinite(here)
            self._sums.setdefault(name, np.zeros((SIDE, SIDE)))[known] += here[known]
            self._counts.setdefault(name, np.zeros((SIDE, SIDE), int))[known] += 1

    def means(self) -> dict[str, np.ndarray]:
        """Method -> (SIDE,SIDE) mean error [mm], above 0 too near; NaN where few views have one."""
        return {
            name: np.where(
                self._counts[name] >= max(1, LEAST_SEEN * self._views),
                total / np.maximum(self._counts[name], 1),
                np.nan,
            )
            for name, total in self._sums.items()
        }


def _with_forehead(landmarks: np.ndarray) -> np.ndarray:
    """(70,2): the first 60, and the brows once more, carried up over the forehead."""
    brows = landmarks[17:OUTER]
    up = brows.mean(0) - landmarks[33]
    return np.vstack([landmarks[: len(PLACES_MM)], brows + FOREHEAD * up])


def _thin_plate(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(M,N) weights that carry values known at N points to M places by a thin-plate spline.

    Bookstein 1989: the smoothest map through all points, affine far from them.
    """
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _radial(points, points)
    system[:count, count:] = np.column_stack([np.ones(count), points])
    system[count:, :count] = system[:count, count:].T
    rows = np.column_stack([_radial(at, points), np.ones(len(at)), at])
    return np.linalg.solve(system, rows.T).T[:, :count]  # the system is symmetric


def _radial(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    squares = ((one[:, None] - other[None]) ** 2).sum(-1)
    return squares * np.log(np.maximum(squares, 1e-12))
