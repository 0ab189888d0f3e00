"""What the pipeline gives back: a photograph's faces, and what a face can do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import trimesh

from df2net_hub.export import save_face
from df2net_hub.faces import FaceBox
from df2net_hub.mesh import depth_to_mesh
from df2net_hub.outline import inside_outline
from df2net_hub.preview import preview_picture


@dataclass(frozen=True, eq=False)
class Face:
    """One face; units and axes as in `geometry`."""

    depth: np.ndarray = field(repr=False)  # (512,512) float32 [px of the crop], 0 outside the mask
    mask: np.ndarray = field(repr=False)  # (512,512) bool, the face
    normals: np.ndarray = field(repr=False)  # (512,512,3) float32, unit
    box: FaceBox  # the square of the photo that the crop covers
    mm_per_px: float  # length of a crop pixel, assuming 63 mm between the eyes
    stages: dict[str, np.ndarray] = field(repr=False)  # "dense", "fine", "finer", each like `depth`
    crop: np.ndarray = field(repr=False)  # (512,512,3) uint8 RGB, the photo in `box`

    def to_mesh(self, decimate_to: int | None = None) -> trimesh.Trimesh:
        """The surface [mm], textured with the crop; at most `decimate_to` triangles."""
        return depth_to_mesh(
            self.depth,
            self.mask,
            self.crop,
            self.mm_per_px,
            decimate_to=decimate_to,
            inside=inside_outline(self.mask),
        )

    def save(
        self, folder: str | Path, stem: str = "face", formats: Sequence[str] = ("glb",)
    ) -> list[Path]:
        """Write the face into `folder`, made if need be; the files that came to be.

        Formats: `glb`, `obj`, `ply`, `stl` (meshes, mm), `npy`, `png16` (depth maps); see `export`.
        """
        return save_face(self, Path(folder), stem, formats)

    def preview(self) -> np.ndarray:
        """The photo and the stages from three sides, in one picture (H,W,3) uint8."""
        return preview_picture(self.crop, self.mask, self.stages)


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """The faces of one photograph, largest first; none if none was found."""

    photo_path: Path | None  # None if the photo was given as an image or array
    photo_size: tuple[int, int]  # width and height [px]
    faces: tuple[Face, ...]
