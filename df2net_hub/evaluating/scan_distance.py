"""From a scan to a reconstructed surface: rigid alignment with scale, then closest distances.

The measure of the NoW challenge (Sanyal et al., CVPR 2019, Sec. 5): both are brought together by
landmarks or a first guess, then by the scan-to-mesh distance itself, and the distance of every
vertex of the scan from the surface counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh

STEPS = 80  # of the alignment at most
STILL = 1e-4  # share of the mean distance below which a step is the last
NUM_POINTS = 2500  # of the scan, that the alignment looks at
FEWEST = 30  # points without which no alignment is attempted
LEAST_SEEN = 0.3  # share of the scan that must lie over the surface, or the alignment ran off


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


class Surface:
    """A triangle mesh that answers where it is nearest to a point.

    Args:
        vertices: (V,3). triangles: (T,3) into them.
        is_part: the surface is a part of what it shows, such as the visible half of a face: a point
            whose nearest vertex lies on its brink has nothing to be compared with.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, is_part: bool) -> None:
        from scipy.spatial import cKDTree

        used, inverse = np.unique(triangles, return_inverse=True)
        self.vertices = np.asarray(vertices, np.float64)[used]
        self.triangles = inverse.reshape(-1, 3)
        self._tree = cKDTree(self.vertices)
        self._around = _triangles_around(self.triangles, len(self.vertices))
        self._brink = np.zeros(len(self.vertices), bool)
        if is_part:
            edges = np.sort(self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
            edges, count = np.unique(edges, axis=0, return_counts=True)
            self._brink[edges[count == 1]] = True

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest points (N,3) of the surface to `points`, and which of them count (N,) bool.

        Among the triangles around the nearest vertex, which is exact where triangles are small
        beside the distances between folds of the surface.
        """
        vertex = self._tree.query(points)[1]
        around = self._around[vertex]  # (N,K)
        corners = self.vertices[self.triangles[around.reshape(-1)]]
        feet = trimesh.triangles.closest_point(corners, points.repeat(around.shape[1], axis=0))
        feet = feet.reshape(*around.shape, 3)
        best = np.linalg.norm(feet - points[:, None], axis=2).argmin(1)
        return feet[np.arange(len(points)), best], ~self._brink[vertex]


def _triangles_around(triangles: np.ndarray, count: int) -> np.ndarray:
    """(V,K) triangles at each vertex; where there are fewer than K, the last again."""
    order = np.argsort(triangles.reshape(-1), kind="stable")
    vertex, triangle = triangles.reshape(-1)[order], order // 3
    begins = np.searchsorted(vertex, np.arange(count))
    counts = np.bincount(vertex, minlength=count)
    which = begins[:, None] + np.minimum(np.arange(counts.max()), counts[:, None] - 1)
    return triangle[which]


def align(
    scan: np.ndarray, surface: Surface, starts: Sequence[Similarity]
) -> tuple[Similarity, np.ndarray] | None:
    """Bring the surface onto a scan; the best of what `starts` lead to.

    Iterated closest points from the scan to the surface, with a scale.

    Args:
        scan: (N,3) vertices of the scan.
        surface: what is compared.
        starts: first guesses of where the surface lies in the scan's space.

    Returns:
        Where it lies, and the distances of the scan's vertices from it, NaN where there is nothing
        to be compared with. None where no start leads anywhere.
    """
    if len(scan) < FEWEST:
        return None
    some = scan[np.linspace(0, len(scan) - 1, min(len(scan), NUM_POINTS)).astype(int)]
    found = [one for start in starts if (one := _settled(some, surface, start)) is not None]
    if not found:
        return None
    best = min(found, key=lambda one: one[1])[0]
    return best, distances(scan, surface, best)


def _settled(
    scan: np.ndarray, surface: Surface, place: Similarity
) -> tuple[Similarity, float] | None:
    """Where closest points lead from `place`, and the mean distance there."""
    before = np.inf
    for _ in range(STEPS):
        feet, counts = surface.nearest(place.inverse(scan))
        if counts.sum() < max(LEAST_SEEN * len(scan), FEWEST):
            return None
        place = fit_similarity(feet[counts], scan[counts])
        if not place.scale > 0:
            return None
        mean = float(np.linalg.norm(place(feet[counts]) - scan[counts], axis=1).mean())
        if before - mean < STILL * mean:
            break
        before = mean
    return place, mean


def distances(scan: np.ndarray, surface: Surface, place: Similarity) -> np.ndarray:
    """Distance (N,) of each vertex of the scan from the surface, NaN where there is none."""
    feet, counts = surface.nearest(place.inverse(scan))
    return np.where(counts, np.linalg.norm(place(feet) - scan, axis=1), np.nan)
