"""A morphable head: mean shape, identity and expression offsets, texture coordinates, named parts.

The paper renders its first kind of data (Sec. 3.2) from such a model. One `.npz` layout holds it
(docs/assets.md has the table); `df2net_hub.assets` converts other formats into it, and
`procedural_head` makes a small head of the same layout from formulas.
"""

import logging
import os
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

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
REQUIRED_PARTS = ("face_narrow",)
SMALLEST_AREA = 1e-9  # [cm^2]; a triangle below has no normal in single precision
LARGEST_FLAT_SHARE = 0.05
FACES_ARE_WRONG = "the file is damaged or was written with another vertex order; convert it anew"


@dataclass(frozen=True)
class Sheet:
    """Part of a head: which (N,) of its vertices, and triangles (M,3) int32 that count in these.

    `areas` (M,) is twice the area of each triangle of the mean shape [cm^2].
    """

    vertices: np.ndarray
    triangles: np.ndarray
    areas: np.ndarray


@dataclass(frozen=True)
class MorphableModel:
    """Head geometry [cm], x to the subject's left, y up, z out of the face.

    Attributes:
        vertices: (V,3) float32 mean shape.
        triangles: (T,3) int32 into `vertices`.
        uv: (U,2) float32 texture coordinates; u in [0,1] is the face tile, [1,2] other skin.
        uv_triangles: (T,3) int32 into `uv`.
        identity: (K,V,3) float32 offsets, weights drawn from N(0,1).
        expression: (E,V,3) float32 offsets, weights 0 to 1; E may be 0.
        expression_names: E names such as `jawOpen`.
        landmarks68: (68,) int32 vertex of each Multi-PIE landmark.
        parts: vertex range of each named part; `face_narrow` is always there.
        colors: (V,3) float32 mean linear RGB, or None where the model has no color.
        color_modes: (C,V,3) float32 offsets to `colors`, weights drawn from N(0,1), or None.
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
    colors: np.ndarray | None = None
    color_modes: np.ndarray | None = None

    def shape(self, identity_weights: np.ndarray, expression_weights: np.ndarray) -> np.ndarray:
        """(V,3) float32 vertices [cm] for K identity and E expression weights."""
        by_mode = self.identity.reshape(len(self.identity), -1)  # (K,3V)
        # Not by BLAS, which wakes threads that then wait for longer than the sum takes.
        shape = np.einsum("k,kn->n", identity_weights.astype(np.float32), by_mode)
        shape += self.vertices.ravel()
        for index in np.flatnonzero(expression_weights):  # a face moves few of its muscles
            shape += np.float32(expression_weights[index]) * self.expression[index].ravel()
        return shape.reshape(-1, 3)

    def vertex_flags(self, part_names: tuple[str, ...]) -> np.ndarray:
        """(V,) bool, true for the vertices of the named parts; not to be written to."""
        return self._flags(part_names)[0]

    def triangle_flags(self, part_names: tuple[str, ...]) -> np.ndarray:
        """(T,) bool, true for triangles whose first vertex lies in the named parts; read only."""
        return self._flags(part_names)[1]

    def _flags(self, part_names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        if part_names not in self._known_flags:
            flags = np.zeros(len(self.vertices), bool)
            for name in part_names:
                if name in self.parts:
                    flags[self.parts[name]] = True
            both = flags, flags[self.triangles[:, 0]]
            for each in both:
                each.setflags(write=False)
            self._known_flags[part_names] = both
        return self._known_flags[part_names]

    @cached_property
    def _known_flags(self) -> dict[tuple[str, ...], tuple[np.ndarray, np.ndarray]]:
        return {}

    @cached_property
    def skin(self) -> Sheet:
        """The skin alone, of which hair, beards and collars are made."""
        use = self.vertex_flags(SKIN_PARTS)
        number = np.cumsum(use, dtype=np.int32) - 1
        triangles = self.triangles[use[self.triangles].all(1)]
        a, b, c = (self.vertices[triangles[:, k]] for k in range(3))
        areas = np.linalg.norm(np.cross(b - a, c - a), axis=1).astype(np.float32)
        return Sheet(np.flatnonzero(use), np.ascontiguousarray(number[triangles]), areas)


def load_morphable(path: str | Path) -> MorphableModel:
    """Read a morphable head from an `.npz` file, less transparent eye shells and lash cards.

    Triangles without area are left out, with their number in the log.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no whole `.npz`; an array is missing, has another shape, holds NaN;
            an index points outside; parts overlap; more than 5% of the triangles have no area.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no morphable model at {path}; see docs/assets.md")
    arrays = read_npz(path)
    _check_shapes(arrays, path)
    _check_values(arrays, path)
    parts = _checked_parts(arrays, path)
    kept = np.zeros(len(arrays["vertices"]), bool)
    for part in parts.values():
        kept[part] = True
    keep = kept[arrays["triangles"]].all(1)
    keep &= ~_flat_triangles(arrays, keep, path)
    colors, color_modes = arrays.get("colors"), arrays.get("color_modes")
    return MorphableModel(
        vertices=arrays["vertices"].astype(np.float32),
        triangles=np.ascontiguousarray(arrays["triangles"][keep], np.int32),
        uv=arrays["uv"].astype(np.float32),
        uv_triangles=np.ascontiguousarray(arrays["uv_triangles"][keep], np.int32),
        identity=np.ascontiguousarray(arrays["identity"], np.float32),
        expression=np.ascontiguousarray(arrays["expression"], np.float32),
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        landmarks68=arrays["landmarks68"].astype(np.int32),
        parts=parts,
        colors=None if colors is None else colors.astype(np.float32),
        color_modes=None if color_modes is None else np.ascontiguousarray(color_modes, np.float32),
    )


def save_morphable(model: MorphableModel, path: str | Path) -> None:
    """Write `model` as the `.npz` that `load_morphable` reads; `path` is replaced at once or not.

    Offsets are stored as float16: off by at most 1/2048 of their length.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ranges = [(part.start, part.stop) for part in model.parts.values()]
    arrays: dict[str, np.ndarray] = {
        "vertices": model.vertices.astype(np.float32),
        "triangles": model.triangles.astype(np.int32),
        "uv": model.uv.astype(np.float32),
        "uv_triangles": model.uv_triangles.astype(np.int32),
        "identity": model.identity.astype(np.float16),
        "expression": model.expression.astype(np.float16),
        "expression_names": np.array(model.expression_names, np.str_),
        "landmarks68": model.landmarks68.astype(np.int32),
        "part_names": np.array(list(model.parts), np.str_),
        "part_ranges": np.array(ranges, np.int32).reshape(-1, 2),
    }
    if model.colors is not None:
        arrays["colors"] = model.colors.astype(np.float32)
    if model.color_modes is not None:
        arrays["color_modes"] = model.color_modes.astype(np.float16)
    unfinished = path.with_name(path.name + ".part")
    try:
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type, unused-ignore]
        load_morphable(unfinished)  # what cannot be read back must not replace what can
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` file; nothing in it is ever run.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no `.npz`, is cut short, or an array in it is a pickle.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file at {path}")
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (ValueError, OSError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path} cannot be read as an .npz of plain arrays ({error}); it may be cut short or "
            "hold pickled objects: download it again, or convert it as docs/assets.md says"
        ) from error


def _check_shapes(arrays: dict[str, np.ndarray], path: Path) -> None:
    counted = ("vertices", "triangles", "expression", "part_names")
    v, t, e, p = (len(np.atleast_1d(arrays.get(name, ()))) for name in counted)
    expected: dict[str, tuple[str, tuple[int | None, ...]]] = {  # kinds of dtype, shape
        "vertices": ("f", (v, 3)),
        "triangles": ("iu", (t, 3)),
        "uv": ("f", (None, 2)),
        "uv_triangles": ("iu", (t, 3)),
        "identity": ("f", (None, v, 3)),
        "expression": ("f", (None, v, 3)),
        "expression_names": ("U", (e,)),
        "landmarks68": ("iu", (68,)),
        "part_names": ("U", (p,)),
        "part_ranges": ("iu", (p, 2)),
        "colors": ("f", (v, 3)),
        "color_modes": ("f", (None, v, 3)),
    }
    for name, (kinds, shape) in expected.items():
        if name not in arrays:
            if name in ("colors", "color_modes"):
                continue
            raise ValueError(f"{path}: array {name!r} is missing; found {sorted(arrays)}")
        got = arrays[name].shape
        if len(got) != len(shape) or any(
            s not in (None, g) for s, g in zip(shape, got, strict=True)
        ):
            wanted = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
            raise ValueError(f"{path}: array {name!r} has shape {got}, expected {wanted}")
        if arrays[name].dtype.kind not in kinds:
            what = {"f": "floating-point numbers", "iu": "integers", "U": "text"}[kinds]
            raise ValueError(f"{path}: array {name!r} is {arrays[name].dtype}, expected {what}")
    if not v or not t:
        raise ValueError(f"{path}: 'vertices' or 'triangles' is empty; {FACES_ARE_WRONG}")


def _check_values(arrays: dict[str, np.ndarray], path: Path) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{path}: array {name!r} holds NaN or infinity; convert it anew")
    v = len(arrays["vertices"])
    for name, bound in (("triangles", v), ("uv_triangles", len(arrays["uv"])), ("landmarks68", v)):
        if arrays[name].size and not 0 <= arrays[name].min() <= arrays[name].max() < bound:
            raise ValueError(
                f"{path}: array {name!r} points outside its {bound} vertices; {FACES_ARE_WRONG}"
            )
    if "colors" in arrays and not -0.01 <= arrays["colors"].min() <= arrays["colors"].max() <= 1.01:
        low, high = arrays["colors"].min(), arrays["colors"].max()
        raise ValueError(
            f"{path}: array 'colors' spans {low:.3g} to {high:.3g}, expected linear RGB in [0, 1]"
        )
    if "color_modes" in arrays and "colors" not in arrays:
        raise ValueError(f"{path}: array 'color_modes' is there without 'colors'")


def _checked_parts(arrays: dict[str, np.ndarray], path: Path) -> dict[str, slice]:
    """The parts that are drawn."""
    names = [str(name) for name in arrays["part_names"]]
    ranges = arrays["part_ranges"].astype(int)
    v, end_before, before = len(arrays["vertices"]), 0, ""
    for index in np.argsort(ranges[:, 0], kind="stable"):
        name, (first, end) = names[index], ranges[index]
        if names.count(name) > 1:
            raise ValueError(f"{path}: part {name!r} stands twice in 'part_names'")
        if not 0 <= first < end <= v:
            raise ValueError(
                f"{path}: array 'part_ranges' gives part {name!r} the vertices {first} to {end}, "
                f"expected a range inside 0 to {v}"
            )
        if first < end_before:
            raise ValueError(
                f"{path}: array 'part_ranges': parts {before!r} and {name!r} overlap at "
                f"vertex {first}"
            )
        end_before, before = end, name
    parts = {
        name: slice(int(first), int(end))
        for name, (first, end) in zip(names, ranges, strict=True)
        if name not in SHELL_PARTS
    }
    for name in REQUIRED_PARTS:
        if name not in parts:
            raise ValueError(f"{path}: part {name!r} is missing from 'part_names'; it has {names}")
    return parts


def _flat_triangles(arrays: dict[str, np.ndarray], drawn: np.ndarray, path: Path) -> np.ndarray:
    """(T,) bool, the triangles without area."""
    corners = arrays["vertices"].astype(np.float64)[arrays["triangles"]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = np.linalg.norm(normals, axis=1) < 2 * SMALLEST_AREA
    count, total = int((flat & drawn).sum()), int(drawn.sum())
    if count > LARGEST_FLAT_SHARE * total:
        raise ValueError(
            f"{path}: array 'triangles': {count} of {total} triangles have no area, at most "
            f"{LARGEST_FLAT_SHARE:.0%} may; {FACES_ARE_WRONG}"
        )
    if count:
        log.warning("%s: %d of %d triangles have no area and are left out", path, count, total)
    return flat
