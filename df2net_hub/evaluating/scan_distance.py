"""From a scan to a reconstructed surface: rigid alignment with scale, then closest distances.

The measure of the NoW challenge (Sanyal et al., CVPR 2019, Sec. 5): both are brought together by
landmarks or a first guess, then by the scan-to-mesh distance itself, and the distance of every
vertex of the scan from the surface counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import trimesh

from df2net_hub.similarity import Similarity, fit_similarity

FIRST_STEPS, STEPS = 10, 80  # of the alignment: points to points, and all at most
STILL = 1e-4  # share of the mean distance below which a step is the last
# Points of the scan that the alignment looks at: to choose among several starts, and at last.
FEW_POINTS, MORE_POINTS = 400, 2500
FEWEST = 30  # points without which no alignment is attempted
FACING = 0.2  # least cosine between a normal and the way to the camera at which a point is seen
LEAST_SEEN = 0.3  # share of the scan that must lie over the surface: else the alignment ran off


@dataclass(frozen=True, eq=False)
class OrientedPoints:
    """Points (N,3) and the unit normals (N,3) of the surface they lie on."""

    points: np.ndarray
    normals: np.ndarray

    def some(self, count: int) -> "OrientedPoints":
        """At most `count` of them, evenly from first to last."""
        chosen = np.linspace(0, len(self.points) - 1, min(len(self.points), count)).astype(int)
        return OrientedPoints(self.points[chosen], self.normals[chosen])


class Surface:
    """A triangle mesh that answers where it is nearest to a point.

    Args:
        vertices: (V,3). triangles: (T,3) into them.
        is_part: the surface is what a camera sees of a face, looking against z. The scan's hidden
            side has nothing to be compared with then: a point counts only if it faces the camera
            (`FACING`) and its nearest vertex lies not on the brink of the surface.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray, is_part: bool) -> None:
        from scipy.spatial import cKDTree

        used, inverse = np.unique(triangles, return_inverse=True)
        self.vertices = np.asarray(vertices, np.float64)[used]
        self.triangles = inverse.reshape(-1, 3)
        self._tree = cKDTree(self.vertices)
        a, b, c = self.vertices[self.triangles].swapaxes(0, 1)
        across = np.cross(b - a, c - a)
        self._normals = across / np.linalg.norm(across, axis=1, keepdims=True).clip(1e-12)
        self._around = _triangles_around(self.triangles, len(self.vertices))
        self.is_part = is_part
        self._brink = np.zeros(len(self.vertices), bool)
        if is_part:
            edges = np.sort(self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
            edges, count = np.unique(edges, axis=0, return_counts=True)
            self._brink[edges[count == 1]] = True

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The surface's nearest points to `points`, its unit normals there (N,3 each), which count.

        Among the triangles around the nearest vertex, which is exact where triangles are small
        beside the distances between folds of the surface.
        """
        vertex = self._tree.query(points)[1]
        around = self._around[vertex]  # (N,K)
        corners = self.vertices[self.triangles[around.reshape(-1)]]
        feet = trimesh.triangles.closest_point(corners, points.repeat(around.shape[1], axis=0))
        feet = feet.reshape(*around.shape, 3)
        best = np.linalg.norm(feet - points[:, None], axis=2).argmin(1)
        rows = np.arange(len(points))
        return feet[rows, best], self._normals[around[rows, best]], ~self._brink[vertex]


def _triangles_around(triangles: np.ndarray, count: int) -> np.ndarray:
    """(V,K) triangles at each vertex; where there are fewer than K, the last again."""
    order = np.argsort(triangles.reshape(-1), kind="stable")
    vertex, triangle = triangles.reshape(-1)[order], order // 3
    begins = np.searchsorted(vertex, np.arange(count))
    counts = np.bincount(vertex, minlength=count)
    which = begins[:, None] + np.minimum(np.arange(counts.max()), counts[:, None] - 1)
    return triangle[which]


def align(
    scan: OrientedPoints, surface: Surface, starts: Sequence[Similarity]
) -> tuple[Similarity, np.ndarray] | None:
    """Bring the surface onto a scan; the best of what `starts` lead to.

    Iterated closest points from the scan to the surface, with a scale.

    Args:
        scan: vertices of the scan.
        surface: what is compared.
        starts: first guesses of where the surface lies in the scan's space.

    Returns:
        Where it lies, and the distances of the scan's vertices from it, NaN where there is nothing
        to be compared with. None where no start leads anywhere.
    """
    if len(scan.points) < FEWEST:
        return None
    few, more = scan.some(FEW_POINTS), scan.some(MORE_POINTS)
    found = [one for start in starts if (one := _settled(few, surface, start)) is not None]
    if not found:
        return None
    settled = _settled(more, surface, min(found, key=lambda one: one[1])[0])
    return None if settled is None else (settled[0], distances(scan, surface, settled[0]))


def _settled(
    scan: OrientedPoints, surface: Surface, place: Similarity
) -> tuple[Similarity, float] | None:
    """Where closest points lead from `place`, and the mean distance there.

    The first steps bring points to points, which is slow and sure, the others points to planes
    (Chen & Medioni, 1992), along which the surface may slide.
    """
    means: list[float] = []
    while len(means) < STEPS:
        feet, normals, counts = _compared(scan, surface, place)
        if counts.sum() < max(LEAST_SEEN * len(counts), FEWEST):
            return None
        feet, aims = feet[counts], scan.points[counts]
        means.append(float(np.linalg.norm(place(feet) - aims, axis=1).mean()))
        if len(means) > 2 * FIRST_STEPS and means[-2] - means[-1] < STILL * means[-1]:
            break
        if len(means) <= FIRST_STEPS:
            place = fit_similarity(feet, aims)
        else:
            place = _slid(place, feet, normals[counts], aims)
        if not place.scale > 0:
            return None
    return place, means[-1]


def _slid(place: Similarity, feet: np.ndarray, normals: np.ndarray, aims: np.ndarray) -> Similarity:
    """One Gauss-Newton step of the distances of `aims` from the planes at `feet`."""
    at, normals = place(feet), normals @ place.rotation.T
    middle = at.mean(0)
    arms = at - middle
    # A small turn w, growth g and shift t move a foot by w x arm + g arm + t.
    rows = np.column_stack([np.cross(arms, normals), (arms * normals).sum(1), normals])
    step = np.linalg.lstsq(rows, ((aims - at) * normals).sum(1), rcond=None)[0]
    turn, growth = cv2.Rodrigues(step[:3])[0], 1 + step[3]
    shift = growth * turn @ (place.shift - middle) + middle + step[4:]
    return Similarity(growth * place.scale, turn @ place.rotation, shift)


def _compared(
    scan: OrientedPoints, surface: Surface, place: Similarity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`Surface.nearest` of the scan's points, those that turn away from the camera left out."""
    feet, normals, counts = surface.nearest(place.inverse(scan.points))
    if surface.is_part:
        counts &= scan.normals @ place.rotation[:, 2] > FACING
    return feet, normals, counts


def distances(scan: OrientedPoints, surface: Surface, place: Similarity) -> np.ndarray:
    """Distance (N,) of each vertex of the scan from the surface, NaN where there is none."""
    feet, _, counts = _compared(scan, surface, place)
    return np.where(counts, np.linalg.norm(place(feet) - scan.points, axis=1), np.nan)
