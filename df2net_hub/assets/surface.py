"""Nearest points on a triangle mesh that face the same way as the point that asks."""

import numpy as np

SPACING = 0.15  # of samples on the surface, in units of the mesh (cm)
MOST_SAMPLES = 12  # along one edge
CANDIDATES = 6
TURNED_AWAY = 0.2  # cosine below which two normals disagree
NORMAL_WEIGHT = 0.7  # a right angle between normals costs as much as 1.4 times this distance


class Surface:
    """A mesh to look up nearest points on.

    Args:
        vertices: (V,3) in cm or alike. triangles: (T,3), wound outward.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray) -> None:
        from scipy.spatial import cKDTree

        self.corners = vertices[triangles].astype(np.float64)  # (T,3,3)
        a, b, c = self.corners.transpose(1, 0, 2)
        crossed = np.cross(b - a, c - a)
        self.normals = crossed / np.maximum(np.linalg.norm(crossed, axis=1, keepdims=True), 1e-12)
        points, self.triangle_of = _samples(self.corners)
        # Normals are three more coordinates, so that a sheet that faces away does not hide the one
        # behind it.
        self.tree = cKDTree(np.hstack([points, NORMAL_WEIGHT * self.normals[self.triangle_of]]))

    def nearest(
        self, points: np.ndarray, normals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Triangle (N,), barycentric weights (N,3) and distance (N,) of the nearest agreeing point.

        `normals` (N,3) are of unit length. Where no surface nearby agrees the distance is infinite.
        """
        wanted = np.hstack([points, NORMAL_WEIGHT * normals])
        _, sample = self.tree.query(wanted, k=min(CANDIDATES, self.tree.n))
        sample = sample.reshape(len(points), -1)
        best_cost = np.full(len(points), np.inf)
        distance = np.full(len(points), np.inf)
        triangle = self.triangle_of[sample[:, 0]].copy()
        weights = np.full((len(points), 3), 1 / 3)
        for column in sample.T:
            candidate = self.triangle_of[column]
            bary = closest_weights(self.corners[candidate], points)
            gap = np.linalg.norm(
                np.einsum("nc,ncx->nx", bary, self.corners[candidate]) - points, axis=1
            )
            agreement = (self.normals[candidate] * normals).sum(1)
            # Normals that agree may have a product of 1 and a rounding error.
            cost = np.sqrt(gap**2 + 2 * NORMAL_WEIGHT**2 * np.maximum(1 - agreement, 0))
            better = (agreement > TURNED_AWAY) & (cost < best_cost)
            best_cost[better], distance[better] = cost[better], gap[better]
            triangle[better], weights[better] = candidate[better], bary[better]
        return triangle, weights, distance


def _samples(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points about `SPACING` apart on every triangle, and the triangle of each."""
    edges = corners - np.roll(corners, 1, axis=1)
    longest = np.linalg.norm(edges, axis=2).max(1)
    steps = np.clip(np.ceil(longest / SPACING), 1, MOST_SAMPLES).astype(int)
    points, owners = [], []
    for count in np.unique(steps):
        i, j = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
        inside = i + j < count
        w = (np.stack([i[inside], j[inside]], -1) + 1 / 3) / count
        bary = np.column_stack([w, 1 - w.sum(1)])
        chosen = np.flatnonzero(steps == count)
        points.append(np.einsum("sc,tcx->tsx", bary, corners[chosen]).reshape(-1, 3))
        owners.append(np.repeat(chosen, len(bary)))
    return np.concatenate(points), np.concatenate(owners)


def closest_weights(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,3) barycentric weights of the point of triangle n (N,3,3) closest to point n (N,3)."""
    a = corners[:, 0]
    ab, ac, ap = corners[:, 1] - a, corners[:, 2] - a, points - a
    bb, bc, cc = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    pb, pc = (ap * ab).sum(1), (ap * ac).sum(1)
    area = np.maximum(bb * cc - bc * bc, 1e-18)
    v, w = (cc * pb - bc * pc) / area, (bb * pc - bc * pb) / area
    weights = np.stack([1 - v - w, v, w], -1)
    outside = (weights < 0).any(1)
    if outside.any():
        weights[outside] = _on_edges(corners[outside], points[outside])
    return weights


def _on_edges(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,3) weights of the closest point on the three edges."""
    best = np.full(len(points), np.inf)
    weights = np.zeros((len(points), 3))
    for first, second in ((0, 1), (1, 2), (2, 0)):
        start, along = corners[:, first], corners[:, second] - corners[:, first]
        t = ((points - start) * along).sum(1) / np.maximum((along * along).sum(1), 1e-18)
        t = np.clip(t, 0, 1)
        gap = np.linalg.norm(start + t[:, None] * along - points, axis=1)
        nearer = gap < best
        best[nearer] = gap[nearer]
        weights[nearer] = 0
        weights[nearer, first], weights[nearer, second] = 1 - t[nearer], t[nearer]
    return weights
