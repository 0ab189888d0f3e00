"""Long hair that hangs before the face: from a parting over the sides of the forehead and cheeks.

Where it hides the outline of a face, less is left that tells which way the head is turned: networks
that never saw such hair turned whole faces (docs/experiments.md).
"""

import cv2
import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel

SHARE = 0.6  # of the people with long loose hair
BOTH, LEFT, RIGHT = (-1.0, 1.0), (1.0,), (-1.0,)  # sides, as signs of x
SIDES, ODDS = (BOTH, LEFT, RIGHT), (0.6, 0.2, 0.2)
KEEPS = 0.85  # of the strands above the forehead; the others stay where they grew
DROP_CM = 2.5  # below its root a strand has come to hang where it will
CELL_CM = 0.5
NOWHERE = np.float32(-1e3)  # [cm], behind every face


def hang_before_face(
    rng: np.random.Generator, paths: np.ndarray, shape: np.ndarray, model: MorphableModel
) -> np.ndarray:
    """Strands `paths` (N,K,3) [cm]; of some people those above the forehead hang before the face.

    Args:
        rng: draws whether they do, the parting, and how much of each side they cover.
        paths: strands from root to tip.
        shape: the head (V,3) [cm].
        model: its parts and landmarks.
    """
    if rng.random() >= SHARE:
        return paths
    face, landmarks = shape[model.parts["face_narrow"]], shape[model.landmarks68]
    half = float(np.abs(face[:, 0]).max())
    brow, chin = landmarks[17:27, 1].max(), landmarks[8, 1]
    parting = half * rng.uniform(-0.6, 0.6)
    from_front = paths[:, 0, 2] > landmarks[[0, 16], 2].mean()
    height = _Height(face)
    hung = paths.copy()
    for side in SIDES[rng.choice(len(SIDES), p=ODDS)]:
        at_eyes = rng.uniform(0.4, 0.95)
        at_chin = np.clip(at_eyes + rng.normal(0, 0.1), 0.35, 1.0)
        mine = from_front & ((paths[:, 0, 0] - parting) * side > 0)
        mine &= rng.random(len(paths)) < KEEPS
        x, y, z = np.moveaxis(paths[mine], -1, 0)  # (n,K) each
        inner = np.interp(
            y, [chin, brow, brow + 5], [side * half * at_chin, side * half * at_eyes, parting]
        )
        # Who grows further out hangs further out, more or less.
        out = 0.5 * np.clip(side * x[:, :1] / half, 0, 1) + 0.5 * rng.random((len(x), 1))
        fallen = np.clip((y[:, :1] - y) / DROP_CM, 0, 1)
        x = x + fallen * (inner + out * (1.12 * side * half - inner) - x)
        above = 0.3 + 0.6 * rng.random((len(x), 1))
        z = z + fallen * (height(x, y) + above - z)
        hung[mine] = np.stack([x, y, z], -1)
    return hung


class _Height:
    """How far a face (V,3) reaches forward at x and y [cm]; outside it as at its nearest edge."""

    def __init__(self, face: np.ndarray) -> None:
        margin = np.array([3.0, 15.0])  # hair hangs to the chest
        self.low = face[:, :2].min(0) - margin
        columns, rows = np.ceil((face[:, :2].max(0) + margin - self.low) / CELL_CM).astype(int) + 1
        place = np.rint((face[:, :2] - self.low) / CELL_CM).astype(int)
        grid = np.full((rows, columns), NOWHERE, np.float32)
        np.maximum.at(grid, (place[:, 1], place[:, 0]), face[:, 2].astype(np.float32))
        while (grid == NOWHERE).any():
            spread = cv2.dilate(grid, np.ones((3, 3), np.uint8), borderValue=float(NOWHERE))
            grid = np.where(grid == NOWHERE, spread, grid)
        self.grid = cv2.blur(grid, (3, 3))

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rows, columns = self.grid.shape
        column = np.rint((x - self.low[0]) / CELL_CM).astype(int).clip(0, columns - 1)
        row = np.rint((y - self.low[1]) / CELL_CM).astype(int).clip(0, rows - 1)
        return self.grid[row, column]
