"""Make a `MorphableModel` of a mesh that knows neither parts nor texture coordinates.

Basel's and FLAME's meshes are like that. The face is cut out along the outline of ICT-FaceKit's
narrow face, texture coordinates are cylindrical, loose balls behind the lids are eyeballs.
"""

from dataclasses import dataclass, field

import numpy as np

from df2net_hub.assets.warp import LANDMARKS68, thin_plate_warp
from df2net_hub.synthesis.morphable import MorphableModel

# Edge of ICT-FaceKit's narrow face: azimuth about the vertical [rad] at heights y [cm].
OUTLINE_Y = np.array(
    [-10.3, -10.1, -9.4, -8.2, -6.8, -5.3, -3.6, -1.8, 0.6, 1.8, 3.0, 4.1, 5.1, 6.1, 7.0, 7.8, 8.3,
     8.8, 9.2, 9.45, 9.56]
)  # fmt: skip
OUTLINE_AZIMUTH = np.array(
    [0.0, 0.19, 0.41, 0.65, 0.84, 0.99, 1.1, 1.17, 1.19, 1.23, 1.22, 1.19, 1.14, 1.07, 0.99, 0.89,
     0.79, 0.69, 0.56, 0.44, 0.0]
)  # fmt: skip
EYE_CORNERS_CM = (5.0, 14.0)  # distance of the outer corners; 9 on an adult
EYE_DISTANCE_CM = 3.0  # how far an eyeball's middle may lie from the middle of its lids


@dataclass(frozen=True)
class RawHead:
    """A head in our axes [cm], vertices in the source's order.

    Attributes:
        source: what to call it in messages.
        vertices: (V,3); triangles: (T,3), wound either way.
        identity, expression: (K,V,3) and (E,V,3) offsets, weights as in `MorphableModel`.
        landmarks68: (68,) vertices.
        colors, color_modes: as in `MorphableModel`.
    """

    source: str
    vertices: np.ndarray
    triangles: np.ndarray
    identity: np.ndarray
    landmarks68: np.ndarray
    expression: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    expression_names: tuple[str, ...] = ()
    colors: np.ndarray | None = None
    color_modes: np.ndarray | None = None


def build_head(raw: RawHead) -> MorphableModel:
    """Orient, cut into parts, lay out the texture.

    Raises:
        ValueError: the landmarks say that axes or unit are wrong; an index points outside.
    """
    num = len(raw.vertices)
    if raw.triangles.min() < 0 or raw.triangles.max() >= num:
        raise ValueError(f"{raw.source}: a triangle points outside its {num} vertices")
    landmarks = raw.vertices[raw.landmarks68]
    check_axes(landmarks, raw.source)
    triangles = _facing_out(raw)
    part_of = _part_of_vertices(raw, triangles)
    names = [name for name in PART_ORDER if (part_of == PART_ORDER.index(name)).any()]
    order = np.argsort(part_of, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(num)
    sizes = [int((part_of == PART_ORDER.index(name)).sum()) for name in names]
    ends = np.cumsum(sizes)
    parts = {n: slice(int(e - s), int(e)) for n, s, e in zip(names, sizes, ends, strict=True)}
    if "face_narrow" not in parts:
        raise ValueError(f"{raw.source}: no vertex lies inside the face; are the landmarks right?")
    faces = rank[triangles].astype(np.int32)
    vertices = raw.vertices[order]
    uv, uv_triangles = cylindrical_uv(vertices, faces, parts["face_narrow"].stop, landmarks)
    empty = np.zeros((0, num, 3), np.float32)
    return MorphableModel(
        vertices=vertices.astype(np.float32),
        triangles=faces,
        uv=uv,
        uv_triangles=uv_triangles,
        identity=raw.identity[:, order].astype(np.float32),
        expression=raw.expression[:, order].astype(np.float32) if len(raw.expression) else empty,
        expression_names=raw.expression_names,
        landmarks68=rank[raw.landmarks68].astype(np.int32),
        parts=parts,
        colors=None if raw.colors is None else raw.colors[order].astype(np.float32),
        color_modes=None
        if raw.color_modes is None
        else raw.color_modes[:, order].astype(np.float32),
    )


PART_ORDER = ["face_narrow", "head_and_neck", "eyeball_left", "eyeball_right"]


def check_axes(landmarks: np.ndarray, source: str) -> None:
    """Raise ValueError unless (68,3) landmarks look along +z, y up, subject's left at +x, in cm."""
    right, left = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    mouth, nose = landmarks[48:60].mean(0), landmarks[30]
    apart = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    low, high = EYE_CORNERS_CM
    wrong = {
        "the left eye lies at smaller x than the right one": left[0] <= right[0],
        "the mouth lies above the eyes": mouth[1] >= (left[1] + right[1]) / 2,
        "the nose tip lies behind the eyes": nose[2] <= (left[2] + right[2]) / 2,
        f"the outer eye corners are {apart:.3g} cm apart, expected {low:g} to {high:g}": not (
            low <= apart <= high
        ),
    }
    for what, found in wrong.items():
        if found:
            raise ValueError(
                f"{source}: {what}; expected x to the subject's left, y up, z out of the face: "
                "check the landmarks and the unit of the file"
            )


def _facing_out(raw: RawHead) -> np.ndarray:
    """(T,3) triangles, turned if those around the nose tip face into the head."""
    near = np.linalg.norm(raw.vertices - raw.vertices[raw.landmarks68[30]], axis=1) < 1.5
    some = raw.triangles[near[raw.triangles].all(1)]
    some = some if len(some) else raw.triangles[(raw.triangles == raw.landmarks68[30]).any(1)]
    a, b, c = (raw.vertices[some[:, k]] for k in range(3))
    inward = np.cross(b - a, c - a)[:, 2].sum() < 0
    return raw.triangles[:, ::-1] if inward else raw.triangles


def _part_of_vertices(raw: RawHead, triangles: np.ndarray) -> np.ndarray:
    """(V,) index into `PART_ORDER`."""
    component = connected_components(triangles, len(raw.vertices))
    main = np.bincount(component).argmax()
    part = np.where(inside_face(raw) & (component == main), 0, 1)
    points = raw.vertices[raw.landmarks68]
    for name, eye in (("eyeball_left", points[42:48]), ("eyeball_right", points[36:42])):
        for number in np.unique(component[component != main]):
            members = component == number
            middle = raw.vertices[members]
            center = (middle.min(0) + middle.max(0)) / 2
            if len(middle) > 20 and np.linalg.norm(center - eye.mean(0)) < EYE_DISTANCE_CM:
                part[members] = PART_ORDER.index(name)
    return part


def inside_face(raw: RawHead) -> np.ndarray:
    """(V,) bool, vertices inside the outline of the narrow face."""
    to_mean = thin_plate_warp(raw.vertices[raw.landmarks68], LANDMARKS68, smoothing=0.1)
    mean = to_mean(raw.vertices)
    azimuth = np.abs(np.arctan2(mean[:, 0], mean[:, 2]))
    edge = np.interp(mean[:, 1], OUTLINE_Y, OUTLINE_AZIMUTH, left=-1, right=-1)
    return (azimuth <= edge) & (mean[:, 2] > 0)


def connected_components(triangles: np.ndarray, num_vertices: int) -> np.ndarray:
    """(V,) number of the connected piece of the mesh that each vertex belongs to."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import (
        connected_components as label,
    )

    rows = np.concatenate([triangles[:, 0], triangles[:, 1]])
    columns = np.concatenate([triangles[:, 1], triangles[:, 2]])
    ones = np.ones(len(rows), np.int8)
    graph = coo_matrix((ones, (rows, columns)), (num_vertices, num_vertices))
    return np.asarray(label(graph, directed=False)[1])


def cylindrical_uv(
    vertices: np.ndarray, triangles: np.ndarray, num_face: int, landmarks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (U,2) float32 and (T,3) int32: the face over u in [0,1], the rest [1,2].

    `num_face` vertices come first and are the face; `landmarks` (68,3). The axis of the cylinder is
    vertical, a head's radius behind the eyes; the rest of the skin has its seam at the back.
    """
    unit = (landmarks[45, 0] - landmarks[36, 0]) / 9.0
    axis = landmarks[36:48].mean(0) - [0, 0, 9.0 * unit]
    azimuth = np.arctan2(vertices[:, 0] - axis[0], vertices[:, 2] - axis[2])
    y = vertices[:, 1]

    def height(values: np.ndarray) -> np.ndarray:
        low, high = values.min(), values.max()
        return 0.03 + 0.94 * np.clip((y - low) / max(high - low, 1e-9), 0, 1)

    reach = max(1e-3, float(np.abs(azimuth[:num_face]).max()))
    face = np.stack([0.5 + 0.47 * np.clip(azimuth / reach, -1, 1), height(y[:num_face])], -1)
    turn = 2 * np.pi + 0.6  # room for triangles that reach over the seam
    rest = [
        np.stack([1.0 + np.clip((a + np.pi) / turn, 0, 1), height(y)], -1)
        for a in (azimuth, azimuth + 2 * np.pi)
    ]
    corner_azimuth = azimuth[triangles]
    over_seam = np.ptp(corner_azimuth, axis=1) > np.pi
    block = np.where(over_seam[:, None] & (corner_azimuth < 0), 2, 1)
    block[(triangles < num_face).all(1)] = 0
    index = triangles + block * len(vertices)
    used, uv_triangles = np.unique(index, return_inverse=True)
    uv = np.concatenate([face, *rest])[used].astype(np.float32)
    return uv, uv_triangles.reshape(-1, 3).astype(np.int32)
