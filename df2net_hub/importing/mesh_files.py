"""Meshes as files: OBJ, PLY, GLB and whatever else trimesh reads, in the order they were written.

No file of these formats can run code. Textures and materials are not looked for: the photo is the
texture.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from df2net_hub.importing.surface import Rejected

MESH_SUFFIXES = (".obj", ".ply", ".glb", ".gltf", ".stl", ".off")


@dataclass(frozen=True, eq=False)
class MeshFile:
    """A mesh as its file holds it: (V,3) float64, (T,3) int32, (V,3) uint8 RGB or None."""

    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray | None


def read_mesh(path: Path) -> MeshFile:
    """Read a mesh without merging or reordering its vertices.

    Raises:
        Rejected: no such file, a damaged one, or one without triangles.
    """
    import trimesh

    if not path.is_file():
        raise Rejected("no mesh for the photo")
    options: dict[str, Any] = {"skip_materials": True} if path.suffix.lower() == ".obj" else {}
    try:
        mesh = trimesh.load(path, process=False, force="mesh", **options)
    except Exception as error:  # trimesh raises whatever its parsers stumble over
        raise Rejected(f"{path.suffix} file that trimesh cannot read") from error
    triangles = np.asarray(getattr(mesh, "faces", np.empty((0, 3))))
    vertices = np.asarray(getattr(mesh, "vertices", np.empty((0, 3))), np.float64)
    if len(triangles) == 0 or triangles.ndim != 2 or triangles.shape[1] != 3:
        raise Rejected(f"{path.suffix} file without triangles")
    if triangles.min() < 0 or triangles.max() >= len(vertices):
        raise Rejected(f"{path.suffix} file with triangles of vertices that it does not hold")
    return MeshFile(vertices, triangles.astype(np.int32), _colors(mesh))


def _colors(mesh: Any) -> np.ndarray | None:
    if getattr(getattr(mesh, "visual", None), "kind", None) != "vertex":
        return None
    return np.asarray(mesh.visual.vertex_colors)[:, :3].astype(np.uint8)


def keep_vertices(triangles: np.ndarray, kept: np.ndarray | None, num_vertices: int) -> np.ndarray:
    """The triangles (T,3) whose three vertices are among `kept` (N,); all if that is None.

    Raises:
        Rejected: the mesh has fewer vertices than `kept` names, or none of its triangles is left.
    """
    if kept is None:
        return triangles
    if kept.max() >= num_vertices:
        raise Rejected("the mesh has fewer vertices than the list of vertices to keep names")
    inside = np.zeros(num_vertices, bool)
    inside[kept] = True
    left = triangles[inside[triangles].all(axis=1)]
    if len(left) == 0:
        raise Rejected("no triangle is left of the vertices to keep")
    return left


def read_vertex_list(path: Path) -> np.ndarray:
    """Indices of vertices, counted from 0, from a text file or an `.npy`: (N,) int64.

    Raises:
        ValueError: the file holds no such list.
        FileNotFoundError: no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no list of vertices at {path}")
    try:
        numbers = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no list of numbers ({error})") from error
    indices = np.atleast_1d(numbers).ravel().astype(np.int64)
    if len(indices) == 0 or (indices != np.ravel(numbers)).any() or indices.min() < 0:
        raise ValueError(f"{path} must hold whole numbers of 0 or more, one per vertex to keep")
    return indices
