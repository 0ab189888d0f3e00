"""What 3DDFA_V2 writes (Guo et al., ECCV 2020): github.com/cleardusk/3DDFA_V2, serialization.py.

`demo.py -o obj` and `-o ply` give `NAME_obj.obj` and `NAME_ply.ply`: x and z in pixels of the
photo, y = height - row, z larger = nearer with its smallest value at 0. The OBJ carries the colors
of the photo to 1/100, the PLY none. All faces of a photo lie in one file, one after the other with
the same triangles; the largest is taken. The pose is not in the files.
"""

from pathlib import Path

import numpy as np

from df2net_hub.importing.image_meshes import ImageFrame, points_by_color
from df2net_hub.importing.mesh_files import MeshFile, read_mesh

MOST_FACES = 64


def read_tddfa_mesh(path: Path, photo: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (V,3) x right, y down, z nearer [px of the photo] and triangles (T,3).

    Raises:
        Rejected: no mesh, a damaged one, or an OBJ whose colors are missing or not the photo's.
    """
    mesh = largest_face(read_mesh(path))
    frame = ImageFrame(1.0, photo.shape[0])
    if path.suffix.lower() == ".obj":
        return points_by_color(photo, mesh.vertices, mesh.colors, [frame]), mesh.triangles
    return frame.points(mesh.vertices), mesh.triangles


def largest_face(mesh: MeshFile) -> MeshFile:
    """The face that covers most of the picture of those that a file repeats one after the other."""
    num_vertices, num_triangles = len(mesh.vertices), len(mesh.triangles)
    for count in range(MOST_FACES, 1, -1):
        if num_vertices % count or num_triangles % count:
            continue
        step = num_vertices // count
        faces = mesh.triangles.reshape(count, -1, 3) - np.arange(count)[:, None, None] * step
        if (faces == faces[0]).all():
            groups = mesh.vertices.reshape(count, step, 3)
            best = int(np.argmax(np.prod(np.ptp(groups[..., :2], axis=1), axis=1)))
            rows = slice(best * step, (best + 1) * step)
            colors = None if mesh.colors is None else mesh.colors[rows]
            return MeshFile(groups[best], np.ascontiguousarray(faces[0]), colors)
    return mesh
