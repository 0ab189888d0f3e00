"""Turn, scale and move one set of points onto another."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Similarity:
    """p -> scale * rotation @ p + shift, for points (N,3)."""

    scale: float
    rotation: np.ndarray  # (3,3)
    shift: np.ndarray  # (3,)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.scale * points @ self.rotation.T + self.shift

    def inverse(self, points: np.ndarray) -> np.ndarray:
        """The points that come to lie on `points`."""
        return (points - self.shift) @ self.rotation / self.scale


def fit_similarity(source: np.ndarray, target: np.ndarray) -> Similarity:
    """That which brings points (N,3) nearest to others in squares (Umeyama, TPAMI 1991).

    Raises:
        ValueError: fewer than three points, or all in one place.
    """
    if len(source) < 3 or len(source) != len(target):
        raise ValueError(
            f"a similarity needs three pairs of points or more, got {len(source)} and {len(target)}"
        )
    middle, aim = source.mean(0), target.mean(0)
    spread = np.square(source - middle).sum()
    if not spread > 0:
        raise ValueError("a similarity needs points in several places, got all in one")
    left, sizes, right = np.linalg.svd((target - aim).T @ (source - middle))
    turn = np.ones(3)
    turn[2] = np.sign(np.linalg.det(left @ right))  # a mirror image is no rotation
    rotation = left * turn @ right
    scale = float((sizes * turn).sum() / spread)
    return Similarity(scale, rotation, aim - scale * rotation @ middle)
