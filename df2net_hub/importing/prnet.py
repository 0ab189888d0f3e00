"""What PRNet writes (Feng et al., ECCV 2018), as its code does: github.com/yfeng95/PRNet.

- `NAME.obj` of `demo.py` (`--isTexture False --isFront False`, its defaults): `v x y z r g b`, x
  and z in pixels of the picture it worked on, y = h - 1 - row with h the height of the *given*
  photo, z larger = nearer; colors in 0 to 1, those of the picture at the rounded vertex. A photo
  whose longer side has more than 1000 pixels is worked on at 1000.
- `NAME.obj` of `run_basics.py`: the same with y = row, at the photo's size.
- `NAME.npy`: the position map that `PRN.process` returns, (R,R,3) float of column, row and z [px of
  the photo]. Only the pixels listed in PRNet's `Data/uv-data/face_ind.txt` are face, and the
  vertices of its meshes in this order; the file must be given.

Neither holds the pose. Its `Data/uv-data/canonical_vertices.npy` is the frontal reference: the same
vertices, y down.
"""

from pathlib import Path

import numpy as np

from df2net_hub.importing.image_meshes import ImageFrame, points_by_color
from df2net_hub.importing.mesh_files import keep_vertices, read_mesh
from df2net_hub.importing.surface import Rejected

WORKED_ON = 1000  # longer side [px] above which demo.py makes the photo smaller

Mesh = tuple[np.ndarray, np.ndarray]  # points (V,3) x right, y down, z nearer [px]; triangles (T,3)


def read_prnet_mesh(path: Path, photo: np.ndarray) -> Mesh:
    """An OBJ with vertex colors over its photo (H,W,3) uint8.

    Raises:
        Rejected: no mesh, a damaged one, or colors that are missing or not the photo's.
    """
    mesh = read_mesh(path)
    height = photo.shape[0]
    frames = [ImageFrame(1.0, height - 1), ImageFrame(1.0, None)]
    longer = max(photo.shape[:2])
    if longer > WORKED_ON:
        frames.append(ImageFrame(longer / WORKED_ON, height - 1))
    return points_by_color(photo, mesh.vertices, mesh.colors, frames), mesh.triangles


def read_position_map(path: Path, face_indices: np.ndarray | None) -> Mesh:
    """A position map (R,R,3) as a mesh of its face pixels, in the order of the list.

    Raises:
        Rejected: a damaged file, another shape, or no `face_indices`.
    """
    if face_indices is None:
        raise Rejected(
            "position map without PRNet's face_ind.txt, which says which pixels are face"
        )
    try:
        positions = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise Rejected("position map that is no .npy file or is cut off") from error
    if positions.ndim != 3 or positions.shape[0] != positions.shape[1] or positions.shape[2] != 3:
        raise Rejected("position map that is not of shape (R,R,3)")
    side = len(positions)
    points = positions.reshape(-1, 3).astype(np.float64)
    index = np.arange(side * side).reshape(side, side)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]  # reading order
    corners = [np.stack(three, -1).reshape(-1, 3) for three in ((a, c, b), (d, b, c))]
    triangles = keep_vertices(np.concatenate(corners).astype(np.int32), face_indices, side * side)
    # What is off the face was never trained and may lie anywhere.
    new_index = np.zeros(side * side, np.int32)
    new_index[face_indices] = np.arange(len(face_indices))
    return points[face_indices], new_index[triangles]
