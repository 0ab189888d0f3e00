"""A morphable head: mean shape, identity and expression offsets, texture coordinates, named parts.

The paper renders its first kind of data (Sec. 3.2) from such a model. The `.npz` layout read here
is that of the ICT-FaceKit arrays; `procedural_head` makes a small head of the same layout from
formulas, so that tests and smoke runs need no data.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Transparent shells around the eye and alpha-textured lash cards have no place in a depth map.
SHELL_PARTS = ("lacrimal_fluid", "eye_blend", "eye_occlusion", "eyelashes")
# What the depth map of a face covers, as far as it is visible.
FACE_PARTS = (
    "face_narrow",
    "mouth_socket",
    "eye_sockets",
    "gums_and_tongue",
    "teeth",
    "eyeball_left",
    "eyeball_right",
)
SKIN_PARTS = ("face_narrow", "face_outer", "head_and_neck")
REQUIRED_PARTS = ("face_narrow", "eyeball_left", "eyeball_right")


@dataclass(frozen=True)
class MorphableModel:
    """Head geometry [cm], x to the subject's left, y up, z out of the face.

    Attributes:
        vertices: (V,3) float32 mean shape.
        triangles: (T,3) int32 into `vertices`.
        uv: (U,2) float32 texture coordinates; u in [0,1] is the face tile, [1,2] other skin.
        uv_triangles: (T,3) int32 into `uv`.
        identity: (K,V,3) float32 offsets, weights drawn from N(0,1).
        expression: (E,V,3) float32 offsets, weights 0 to 1.
        expression_names: E names such as `jawOpen`.
        landmarks68: (68,) int32 vertex of each Multi-PIE landmark.
        parts: vertex range of each named part.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    expression_names: tuple[str, ...]
    landmarks68: np.ndarray
    parts: dict[str, slice]

    def shape(self, identity_weights: np.ndarray, expression_weights: np.ndarray) -> np.ndarray:
        """(V,3) vertices [cm] for K identity and E expression weights."""
        offsets = np.tensordot(identity_weights.astype(np.float32), self.identity, 1)
        return (
            self.vertices
            + offsets
            + np.tensordot(expression_weights.astype(np.float32), self.expression, 1)
        )

    def vertex_flags(self, part_names: tuple[str, ...]) -> np.ndarray:
        """(V,) bool, true for the vertices of the named parts."""
        flags = np.zeros(len(self.vertices), bool)
        for name in part_names:
            if name in self.parts:
                flags[self.parts[name]] = True
        return flags

    def triangle_flags(self, part_names: tuple[str, ...]) -> np.ndarray:
        """(T,) bool, true for triangles whose first vertex lies in the named parts."""
        return self.vertex_flags(part_names)[self.triangles[:, 0]]


def load_morphable(path: str | Path) -> MorphableModel:
    """Read a morphable head from an `.npz` file, less transparent eye shells and lash cards.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an array is missing, has another shape, holds NaN, or an index points outside.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no morphable model at {path}; docs/data.md says where to get one")
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    _check_arrays(arrays, path)
    names = [str(name) for name in arrays["part_names"]]
    parts = {
        name: slice(int(first), int(end))
        for name, (first, end) in zip(names, arrays["part_ranges"], strict=True)
        if name not in SHELL_PARTS
    }
    missing = [name for name in REQUIRED_PARTS if name not in parts]
    if missing:
        raise ValueError(f"{path}: part {missing[0]!r} is missing from part_names; it has {names}")
    kept = np.zeros(len(arrays["vertices"]), bool)
    for part in parts.values():
        kept[part] = True
    keep_triangle = kept[arrays["triangles"]].all(1)
    return MorphableModel(
        vertices=arrays["vertices"].astype(np.float32),
        triangles=np.ascontiguousarray(arrays["triangles"][keep_triangle], np.int32),
        uv=arrays["uv"].astype(np.float32),
        uv_triangles=np.ascontiguousarray(arrays["uv_triangles"][keep_triangle], np.int32),
        identity=arrays["identity"].astype(np.float32),
        expression=arrays["expression"].astype(np.float32),
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        landmarks68=arrays["landmarks68"].astype(np.int32),
        parts=parts,
    )


def _check_arrays(arrays: dict[str, np.ndarray], path: Path) -> None:
    v = len(arrays["vertices"]) if "vertices" in arrays else 0
    t = len(arrays["triangles"]) if "triangles" in arrays else 0
    expected = {
        "vertices": (v, 3),
        "triangles": (t, 3),
        "uv": (None, 2),
        "uv_triangles": (t, 3),
        "identity": (None, v, 3),
        "expression": (None, v, 3),
        "expression_names": (None,),
        "landmarks68": (68,),
        "part_names": (None,),
        "part_ranges": (None, 2),
    }
    for name, shape in expected.items():
        if name not in arrays:
            raise ValueError(f"{path}: array {name!r} is missing; found {sorted(arrays)}")
        got = arrays[name].shape
        if len(got) != len(shape) or any(
            s not in (None, g) for s, g in zip(shape, got, strict=True)
        ):
            raise ValueError(f"{path}: array {name!r} has shape {got}, expected {shape}")
        if arrays[name].dtype.kind == "f" and not np.isfinite(arrays[name]).all():
            raise ValueError(f"{path}: array {name!r} holds NaN or infinity")
    for name, bound in (("triangles", v), ("uv_triangles", len(arrays["uv"])), ("landmarks68", v)):
        if arrays[name].size and not 0 <= arrays[name].min() <= arrays[name].max() < bound:
            raise ValueError(f"{path}: array {name!r} points outside its {bound} vertices")
