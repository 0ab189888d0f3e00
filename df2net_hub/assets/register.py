"""Bring a head of another mesh, and its offsets, to the vertices of a morphable model.

Matched vertices -> thin-plate warp of the model's mean head onto the other head -> nearest surface
points that face the same way -> what the warp lacks there, made smooth. So lids and lips keep the
model's fine mesh, and everything wider than `SMOOTH_CM` is the other head's.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from df2net_hub.assets.obj_files import ObjMesh
from df2net_hub.assets.surface import Surface
from df2net_hub.assets.warp import thin_plate_warp
from df2net_hub.similarity import Similarity, fit_similarity
from df2net_hub.synthesis.morphable import SKIN_PARTS, MorphableModel
from df2net_hub.synthesis.raster import vertex_normals

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SMOOTH_CM = 0.35  # deviation of the Gaussian that the smoothing comes near to
FARTHEST_CM = 1.0  # no surface point beyond is the same place of the face
NEAR_CM = 2.0  # teeth and gums follow the skin and sockets around them, so far away
AROUND = 100  # of whose nearest vertices
SMALLEST_EDGE_CM = 0.05
SURROUNDED = ("face_narrow", "mouth_socket", "eye_sockets")
EYES = {"eyeball_left": slice(42, 48), "eyeball_right": slice(36, 42)}  # lids of each


@dataclass(frozen=True)
class Registration:
    """How one mesh lies on a morphable model.

    Attributes:
        vertices: (V,3) float32, the other head on the model's vertices, in its frame [cm].
        place: from the other mesh's frame and unit to the model's.
        triangles: (N,3) vertices of the other mesh around each place that was found.
        weights: (N,3), barycentric.
        spread: from offsets of the places found to offsets of all vertices.
    """

    vertices: np.ndarray
    place: Similarity
    triangles: np.ndarray
    weights: np.ndarray
    spread: "_Spread"

    def carry(self, offsets: np.ndarray) -> np.ndarray:
        """(V,3) float32 offsets [cm] of the model's vertices for `offsets` (M,3) of the mesh's."""
        there = np.einsum("nc,ncx->nx", self.weights, offsets[self.triangles])
        turned = self.place.scale * there @ self.place.rotation.T
        return self.spread(turned).astype(np.float32)


def register(model: MorphableModel, source: ObjMesh, matches: np.ndarray) -> Registration:
    """Find the places of the model's vertices on `source` through `matches` (M,2), its and ours.

    Raises:
        ValueError: too few matches, all in one plane, or no surface near the model.
    """
    ours, theirs = model.vertices[matches[:, 1]].astype(float), source.vertices[matches[:, 0]]
    place = fit_similarity(theirs, ours)
    mesh = place(source.vertices)
    # The matches are good to a millimeter or so; a warp exact in them would dent the skin.
    warp = thin_plate_warp(ours, mesh[matches[:, 0]], smoothing=0.05)
    warped = warp(model.vertices.astype(float))
    skin = np.flatnonzero(model.vertex_flags(SKIN_PARTS))
    normals = vertex_normals(warped.astype(np.float32), model.triangles)[skin]
    triangle, weights, distance = Surface(mesh, source.triangles).nearest(warped[skin], normals)
    good = distance < FARTHEST_CM
    if not good.any():
        raise ValueError("no surface of the source lies near the model; check the matched vertices")
    found, corners = skin[good], source.triangles[triangle[good]]
    nearest = np.einsum("nc,ncx->nx", weights[good], mesh[corners])
    spread = _Spread(model, found)
    vertices = (warped + spread(nearest - warped[found])).astype(np.float32)
    return Registration(vertices, place, corners, weights[good], spread)


class _Spread:
    """Make offsets of some vertices a smooth field over all of a model's vertices.

    Args:
        model: the head. found: (N,) the vertices whose offsets are known.
    """

    def __init__(self, model: MorphableModel, found: np.ndarray) -> None:
        from scipy.sparse import diags, eye
        from scipy.sparse.linalg import splu

        count = len(model.vertices)
        self.known = np.zeros(count)
        self.known[found] = 1
        self.found = found
        heat = SMOOTH_CM**2 / 4 * _laplacian(model)  # two steps of the heat equation, half each
        faint = 1e-9  # parts that touch no skin, such as teeth, have no other anchor
        self.first = splu((diags(self.known + faint) + heat).tocsc())
        self.again = splu((eye(count) + heat).tocsc())
        self.inside = _inside(model)

    def __call__(self, offsets: np.ndarray) -> np.ndarray:
        """(V,3) for `offsets` (N,3) of the known vertices."""
        given = np.zeros((len(self.known), 3))
        given[self.found] = offsets
        return np.asarray(self.inside @ self.again.solve(self.first.solve(given)))


def _laplacian(model: MorphableModel) -> "csr_matrix":
    """(V,V) minus the Laplacian of the surface [1/cm^2].

    With n neighbors at distance h it is 4 / (n h^2) times the sum of differences, as in the plane.
    """
    from scipy.sparse import coo_matrix, diags

    count = len(model.vertices)
    edges = np.concatenate([model.triangles[:, [i, j]] for i, j in ((0, 1), (1, 2), (2, 0))])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    length = np.linalg.norm(np.diff(model.vertices[edges], axis=1)[:, 0], axis=1)
    weights = 1 / np.maximum(length, SMALLEST_EDGE_CM) ** 2
    ends = np.concatenate([edges, edges[:, ::-1]]).T
    graph = coo_matrix((np.tile(weights, 2), ends), (count, count)).tocsr()
    neighbors = np.maximum(np.diff(graph.indptr), 1)
    graph = diags(4 / neighbors) @ graph
    return diags(np.asarray(graph.sum(1)).ravel()) - graph


def _inside(model: MorphableModel) -> "csr_matrix":
    """(V,V) map of offsets: eyeballs move with their lids, teeth and gums with what is around."""
    from scipy.sparse import eye, lil_matrix
    from scipy.spatial import cKDTree

    move = lil_matrix(eye(len(model.vertices)))
    around = np.flatnonzero(model.vertex_flags(SURROUNDED))
    for name in ("gums_and_tongue", "teeth"):
        if name in model.parts:
            rows = np.arange(len(model.vertices))[model.parts[name]]
            tree = cKDTree(model.vertices[around])
            distance, near = tree.query(model.vertices[rows], k=min(AROUND, len(around)))
            weights = np.exp(-0.5 * (distance / NEAR_CM) ** 2)
            weights /= weights.sum(1, keepdims=True)
            move[rows] = 0
            move[rows[:, None], around[near]] = weights
    for name, lids in EYES.items():
        if name in model.parts:
            rows = np.arange(len(model.vertices))[model.parts[name]]
            move[rows] = 0
            move[np.ix_(rows, model.landmarks68[lids])] = 1 / 6
    return move.tocsr()
