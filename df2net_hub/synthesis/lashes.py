"""Eyelashes: thin curved ribbons along the lids that leave the mask of the face whole."""

import numpy as np

from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.strands import ribbons

UPPER, LOWER = 44, 22  # lashes on each lid
GAPS = (0.25, 0.7)  # between the lids of a shut and of an open eye, over a ninth of the eyes' span


def lashes(rng: np.random.Generator, landmarks: np.ndarray, made_up: float) -> Occluder:
    """Lashes of a head with `landmarks` (68,3) [cm]; `made_up`, 0 to 1, lengthens them.

    Those of the upper lid curl up from an open eye and hang down from a shut one.
    """
    unit = (landmarks[45, 0] - landmarks[36, 0]) / 9.0
    gaps = np.linalg.norm(landmarks[[37, 38, 43, 44]] - landmarks[[41, 40, 47, 46]], axis=-1)
    upward = np.interp(gaps.mean() / unit, GAPS, (-0.5, 1.0))
    length = rng.uniform(0.45, 0.75) * (1 + 0.45 * made_up) * unit
    paths = []
    for corners, below, side in (
        ((36, 37, 38, 39), (36, 41, 40, 39), -1),
        ((45, 44, 43, 42), (45, 46, 47, 42), 1),
    ):
        for chain, count, up, reach in ((corners, UPPER, upward, 1.0), (below, LOWER, -0.5, 0.45)):
            t = np.sort(rng.uniform(0.02, 0.95, count)) * 3
            root = np.stack(
                [np.interp(t, range(4), landmarks[list(chain), axis]) for axis in range(3)], -1
            )
            fan = side * np.interp(t, [0, 1.5, 3], [0.8, 0.25, -0.35]) + rng.normal(0, 0.12, count)
            size = length * reach * rng.uniform(0.7, 1.1, count) * np.interp(t, [0, 3], [1.1, 0.6])
            k = np.linspace(0, 1, 4)[None, :, None]
            forward = np.array([0, 0.0, 1.0]) * (k - 0.35 * k**2)
            sideways = fan[:, None, None] * np.array([0.7, 0, 0]) * k
            curl = up * np.array([0, 1.0, 0]) * (0.15 * k + 0.65 * k**2)
            paths.append(root[:, None] + size[:, None, None] * (forward + sideways + curl))
    lines = np.concatenate(paths)
    facing = np.broadcast_to(np.array([0, 0.4, 1.0]), lines.shape)
    width = (0.05 + 0.03 * made_up) * unit
    points, triangles, strand = ribbons(rng, lines, facing, width)
    return Occluder(
        points, triangles, np.full(len(points), 9, np.float32), 0 * strand, gloss=0.1, hides=False
    )
