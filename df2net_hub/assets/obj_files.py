"""Read Wavefront OBJ files: vertices, texture coordinates, triangles; polygons become fans."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ObjMesh:
    """One OBJ file, in its own units.

    Attributes:
        vertices: (V,3) float64.
        uv: (U,2) float64; U is 0 where the file has no texture coordinates.
        triangles: (T,3) int32 into `vertices`.
        uv_triangles: (T,3) int32 into `uv`, or None where a face has no texture coordinates.
    """

    vertices: np.ndarray
    uv: np.ndarray
    triangles: np.ndarray
    uv_triangles: np.ndarray | None


def read_obj(path: str | Path, group: str | None = None) -> ObjMesh:
    """Read a mesh; with `group`, only the faces below `g group` (vertices are all kept).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no text, a line is cut short, no face, or an index points outside.
    """
    path = Path(path)
    vertices: list[str] = []
    uv: list[str] = []
    faces: list[list[str]] = []
    groups, inside = set(), group is None
    for number, line in enumerate(_lines(path), 1):
        if line.startswith("v "):
            vertices.append(line[2:])
        elif line.startswith("vt "):
            uv.append(line[3:])
        elif line.startswith("g "):
            groups.add(line[2:].strip())
            inside = group is None or line[2:].strip() == group
        elif line.startswith("f ") and inside:
            faces.append(line.split()[1:])
            if len(faces[-1]) < 3:
                raise ValueError(f"{path}, line {number}: a face of {len(faces[-1])} corners")
    if not faces:
        where = "" if group is None else f" in group {group!r}; its groups: {sorted(groups)[:8]}"
        raise ValueError(f"{path} holds no faces{where}; is it a whole OBJ file?")
    points, texture = _numbers(vertices, 3, path, "v"), _numbers(uv, 2, path, "vt")
    try:
        corners = _corner_indices(faces, len(points), len(texture))
    except ValueError as error:
        raise ValueError(f"{path} has a face that cannot be read: {error}") from error
    for what, column, bound in (("vertices", 0, len(points)), ("texture points", 1, len(texture))):
        if column < corners.shape[2] and not 0 <= corners[..., column].min():
            raise ValueError(f"{path}: a face points before the first of its {bound} {what}")
        if column < corners.shape[2] and not corners[..., column].max() < bound:
            raise ValueError(
                f"{path}: a face points at number {corners[..., column].max() + 1} of {bound} "
                f"{what}; is the file cut short?"
            )
    has_uv = corners.shape[2] > 1
    return ObjMesh(points, texture, corners[..., 0], corners[..., 1] if has_uv else None)


def read_obj_vertices(path: str | Path, count: int) -> np.ndarray:
    """(count,3) float64: only the vertices, for one file of a series of the same topology.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no text, a line is cut short, or another number of vertices.
    """
    path = Path(path)
    points = _numbers([line[2:] for line in _lines(path) if line.startswith("v ")], 3, path, "v")
    if len(points) != count:
        raise ValueError(
            f"{path} has {len(points)} vertices, the neutral mesh has {count}; is it cut short, or "
            "from another version of the model?"
        )
    return points


def _lines(path: Path) -> Iterable[str]:
    if not path.is_file():
        raise FileNotFoundError(f"no OBJ file at {path}")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no OBJ file: it is not text") from error


def _numbers(lines: list[str], width: int, path: Path, tag: str) -> np.ndarray:
    """(N,width), whatever stands behind the first `width` numbers (such as vertex colors)."""
    try:
        rows = [line.split()[:width] for line in lines]
        values = np.array(rows, np.float64).reshape(-1, width)
    except ValueError as error:
        raise ValueError(
            f"{path} has a {tag!r} line that is not {width} numbers; is it cut short?"
        ) from error
    if not np.isfinite(values).all():
        raise ValueError(f"{path} has a {tag!r} line that holds NaN or infinity")
    return values


def _corner_indices(faces: list[list[str]], num_vertices: int, num_uv: int) -> np.ndarray:
    """(T,3,2) int32 vertex and texture indices from 0, or (T,3,1) without texture coordinates."""
    with_uv = num_uv > 0 and all(len(c.split("/")) > 1 and c.split("/")[1] for c in faces[0])
    counts = (num_vertices, num_uv)[: 1 + with_uv]
    fans = []
    for face in faces:
        corners = []
        for corner in face:
            fields = corner.split("/")
            if len(fields) < len(counts):
                raise ValueError(f"corner {corner!r} has no texture coordinate")
            indices = [int(field) for field in fields[: len(counts)]]
            corners.append(
                [i - 1 if i > 0 else n + i for i, n in zip(indices, counts, strict=True)]
            )
        fans += [(corners[0], corners[i], corners[i + 1]) for i in range(1, len(corners) - 1)]
    return np.array(fans, np.int32)
