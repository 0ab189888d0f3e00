"""Which way a face must be turned to look into the camera: from a mesh that already does."""

import numpy as np

from df2net_hub.importing.surface import Rejected
from df2net_hub.similarity import fit_similarity


def fit_rotation(points: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Rotation (3,3), scale and shift (3,) with target ~ scale points R^T + shift, least squares.

    Raises:
        Rejected: the meshes differ in their number of vertices, or all points lie on one line.
    """
    if points.shape != target.shape:
        raise Rejected("the mesh and its frontal reference differ in their number of vertices")
    common = (target - target.mean(0)).T @ (points - points.mean(0))
    spread = np.linalg.svd(common, compute_uv=False)
    if not spread[1] > 1e-9 * spread[0]:
        raise Rejected("a mesh without extent has no pose")
    found = fit_similarity(points, target)
    return found.rotation, found.scale, found.shift


def head_angles(frontal: np.ndarray) -> dict[str, float | None]:
    """Yaw, pitch, roll [deg] as in `pairs.CAMERA` of a head that `frontal` (3,3) turns to front."""
    turned = frontal.T  # the head's axes in the camera's frame: columns right, up, forward
    right, forward = turned[:, 0], turned[:, 2]
    return {
        "yaw": float(np.degrees(np.arctan2(forward[0], forward[2]))),
        "pitch": float(np.degrees(np.arcsin(np.clip(forward[1], -1, 1)))),
        "roll": float(np.degrees(np.arctan2(right[1], np.hypot(right[0], right[2])))),
    }
