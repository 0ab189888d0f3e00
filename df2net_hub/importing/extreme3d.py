"""What "Extreme 3D Face Reconstruction" writes (Tran et al., CVPR 2018).

Of github.com/anhttran/extreme_3d_faces: `demoCode/testBatchModel.py INPUTS OUT` writes, through
`FaceServices2.cpp`,

    OUT/imgs/NAME.png                      the photo it worked on, cut to the face, 500 x 500
    OUT/3D/NAME_withBump_aligned.ply       the detailed surface, what the photo shows of it
    OUT/3D/NAME_foundation_aligned.ply     the smooth morphable face in the photo's pose
    OUT/3D/NAME_foundation_frontal.ply     the same vertices looking forward
    OUT/3D/NAME_final_frontal.ply          detailed, hidden parts filled in by symmetry, no pose

There is no camera file. "Aligned" meshes stand in the frame of a pinhole camera that is fixed in
the code: focal length 1000 px, middle at (250, 250), x right, y up, z toward the camera, what is
seen has z < 0; a unit is a millimeter of the Basel face. The pose is not written either, but
follows exactly from the two foundation meshes. `withBump_aligned` is read: `final_frontal` adds
only what the photo does not show, which no pair contains.
"""

from pathlib import Path

import numpy as np

from df2net_hub.importing.cameras import Camera
from df2net_hub.importing.frontal import fit_rotation
from df2net_hub.importing.mesh_files import read_mesh
from df2net_hub.importing.surface import FaceSurface, Rejected

PICTURE_SIDE, FOCAL_LENGTH = 500, 1000.0  # fservice.init(500, 500, 1000.0f)


def read_extreme3d(path: Path, photo: np.ndarray) -> FaceSurface:
    """The surface of `NAME_withBump_aligned.ply`; its pose from the foundation meshes beside it.

    Raises:
        Rejected: no mesh, a damaged one, foundation meshes that do not match, a picture that is not
            500 x 500.
    """
    if photo.shape[:2] != (PICTURE_SIDE, PICTURE_SIDE):
        raise Rejected("photo that is not the 500 x 500 picture of imgs/ that Extreme3D worked on")
    mesh = read_mesh(path)
    camera = Camera(
        kind="pinhole",
        rotation=np.eye(3),
        translation=np.zeros(3),
        lens={
            "fx": FOCAL_LENGTH,
            "fy": FOCAL_LENGTH,
            "cx": PICTURE_SIDE / 2,
            "cy": PICTURE_SIDE / 2,
            "axes": "opengl",
        },
        frontal=False,
        mm_per_unit=1.0,
    )
    placed = camera.place(photo, mesh.vertices, mesh.triangles)
    return FaceSurface(
        photo,
        placed.pixels,
        placed.shape,
        placed.triangles,
        pose_from_foundations(path),
        placed.mm_per_px,
    )


def pose_from_foundations(path: Path) -> np.ndarray | None:
    """Rotation (3,3) from the photo's pose to the front; None if not both meshes are there."""
    stem = path.name.removesuffix("_withBump_aligned.ply")
    aligned, frontal = (
        path.with_name(f"{stem}_foundation_{w}.ply") for w in ("aligned", "frontal")
    )
    if not (aligned.is_file() and frontal.is_file()):
        return None
    rotation, _, _ = fit_rotation(read_mesh(aligned).vertices, read_mesh(frontal).vertices)
    return rotation
