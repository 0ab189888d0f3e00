"""Pairs of photos that other methods reconstructed: the second of the paper's kinds (Sec. 3.2)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from df2net_hub.faces import Detector, get_detector
from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.importing.cameras import Camera, read_camera
from df2net_hub.importing.depth_maps import DepthStatement, read_depth_map, read_statement
from df2net_hub.importing.extreme3d import read_extreme3d
from df2net_hub.importing.frontal import fit_rotation, head_angles
from df2net_hub.importing.inputs import Input
from df2net_hub.importing.mesh_files import keep_vertices, read_mesh, read_vertex_list
from df2net_hub.importing.prnet import read_position_map, read_prnet_mesh
from df2net_hub.importing.projection import View, frontal_view, photo_view
from df2net_hub.importing.squares import square_in_frontal_view, square_in_photo
from df2net_hub.importing.surface import FaceSurface, Rejected, weak_perspective
from df2net_hub.importing.tddfa import read_tddfa_mesh
from df2net_hub.pairs import MAX_RELIEF_PX, encode_row
from df2net_hub.photos import PhotoError, load_photo

Row = dict[str, Any]
VIEWS = ("frontal", "photo")


@dataclass(frozen=True)
class ReconstructedPairs:
    """Makes the pair of input `index`, for `shards.write_set`; plain values, so that it travels.

    Attributes:
        layout: a name of `inputs.LAYOUTS`.
        inputs: what `inputs.find_inputs` found.
        view: "frontal" (the paper's) or "photo".
        size: side of the pictures [px].
        detector: name of the face detector.
        vertices: file of the vertices to keep, of a mesh that always has the same.
        reference: frontal mesh of the same vertices: a mesh file, or PRNet's `.npy` (y down).
        camera: JSON for all meshes; else each has its own beside it.
        depth: JSON, what the values of depth maps mean.
    """

    layout: str
    inputs: tuple[Input, ...]
    view: str = "frontal"
    size: int = CROP_SIZE
    detector: str = "dlib"
    vertices: str | None = None
    reference: str | None = None
    camera: str | None = None
    depth: str | None = None

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise ValueError(f"the view must be one of {', '.join(VIEWS)}, got {self.view!r}")
        if self.layout == "depth" and self.depth is None:
            raise ValueError(
                "depth maps need a statement of their unit and sign; see docs/import.md"
            )
        if self.layout == "depth" and self.view == "frontal":
            raise ValueError("a depth map has no pose: it is imported with the view 'photo'")
        if self.layout in ("prnet", "3ddfa") and self.view == "frontal" and self.reference is None:
            raise ValueError(
                f"{self.layout} writes no pose: give a frontal reference of the same vertices, or "
                "take the view 'photo'; docs/import.md says where references are"
            )
        self.reader()  # says what is wrong with the options before any work is done

    def reader(self) -> "SurfaceReader":
        """The options as read from their files; raises what those raise."""
        return SurfaceReader(
            self.layout,
            None if self.vertices is None else read_vertex_list(Path(self.vertices)),
            None if self.reference is None else read_reference(Path(self.reference)),
            None if self.camera is None else read_camera(self.camera),
            None if self.depth is None else read_statement(self.depth),
        )

    def open(self) -> Callable[[int], Row | str]:
        """Load what all inputs share; the callable makes a row, or says why there is none."""
        reader, detect = self.reader(), get_detector(self.detector)

        def make(index: int) -> Row | str:
            try:
                surface = reader.read(self.inputs[index])
                return make_row(self.inputs[index].name, surface, self.view, detect, self.size)
            except PhotoError:
                return "photo that cannot be read"
            except Rejected as reason:
                return str(reason)

        return make


@dataclass(frozen=True, eq=False)
class SurfaceReader:
    """Reads any layout's files; the fields are those of `ReconstructedPairs`, loaded."""

    layout: str
    kept: np.ndarray | None
    reference: np.ndarray | None
    camera: Camera | None
    statement: DepthStatement | None

    def read(self, given: Input) -> FaceSurface:
        """The surface over the photo of one input.

        Raises:
            PhotoError: the photo cannot be read.
            Rejected: its geometry cannot be read or does not fit.
        """
        if not given.geometry:
            raise Rejected("no geometry for the photo")
        photo = load_photo(given.photo)
        mask = read_mask(Path(given.mask)) if given.mask else None
        path = Path(given.geometry)
        if self.layout == "depth":
            assert self.statement is not None
            return read_depth_map(path, photo, self.statement, mask)
        if self.layout == "extreme3d":
            return read_extreme3d(path, photo)
        if self.layout == "mesh":
            surface, vertices = self._stated(path, photo, given.camera)
        elif path.suffix == ".npy":
            points, triangles = read_position_map(path, self.kept)
            surface, vertices = weak_perspective(photo, points, triangles), points
        else:
            read = read_tddfa_mesh if self.layout == "3ddfa" else read_prnet_mesh
            points, triangles = read(path, photo)
            surface, vertices = weak_perspective(photo, points, triangles), points
        frontal = surface.frontal
        if frontal is None and self.reference is not None:
            frontal = fit_rotation(surface.shape, self.reference)[0]
        if path.suffix == ".npy":
            return replace(surface, frontal=frontal, visible=mask)
        triangles = keep_vertices(surface.triangles, self.kept, len(vertices))
        return replace(surface, triangles=triangles, frontal=frontal, visible=mask)

    def _stated(self, path: Path, photo: np.ndarray, beside: str) -> tuple[FaceSurface, np.ndarray]:
        camera = self.camera
        if camera is None:
            if not beside:
                raise Rejected("mesh without a camera: no JSON beside it and no --camera")
            try:
                camera = read_camera(beside)
            except ValueError as error:
                raise Rejected("camera file that says too little or the wrong") from error
        mesh = read_mesh(path)
        if not np.isfinite(mesh.vertices).all():
            raise Rejected("the mesh has vertices that are not finite")
        return camera.place(photo, mesh.vertices, mesh.triangles), mesh.vertices


def read_reference(path: Path) -> np.ndarray:
    """Vertices (V,3) of a frontal mesh, y up: a mesh file, or `.npy` as PRNet's, which is y down.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not vertices.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no frontal reference at {path}")
    if path.suffix != ".npy":
        return read_mesh(path).vertices
    try:
        vertices = np.asarray(np.load(path, allow_pickle=False), np.float64)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no array of numbers ({error})") from error
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise ValueError(f"{path} must hold (V,3) finite numbers, got {vertices.shape}")
    return vertices * [1, -1, 1]


def read_mask(path: Path) -> np.ndarray:
    """A mask picture (H,W) as bool: more than half white.

    Raises:
        Rejected: it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L")) > 127
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Rejected("mask that cannot be read") from error


def make_row(name: str, surface: FaceSurface, view: str, detect: Detector, size: int) -> Row:
    """One pair of the schema of `pairs`.

    Raises:
        Rejected: the pose is not known, the face hardly visible, or the relief out of range.
    """
    if view == "frontal" and surface.frontal is None:
        raise Rejected("mesh of unknown pose: give a frontal reference, or take the photo's view")
    try:
        if view == "frontal":
            box = square_in_frontal_view(surface, detect)
            seen: View = frontal_view(surface, box, size)
            angles = head_angles(np.eye(3))
        else:
            box = square_in_photo(surface, detect)
            seen = photo_view(surface, box, size)
            angles = {} if surface.frontal is None else head_angles(surface.frontal)
    except Rejected:
        raise
    except ValueError as error:  # a crop that misses the photo or is many times as large
        raise Rejected("the mesh lies outside the photo: another photo, size or camera") from error
    relief = seen.height_px - seen.height_px[seen.mask].mean(dtype=np.float64)
    depth = relief * (CROP_SIZE / size) / DEPTH_UNIT_PX
    if np.abs(depth[seen.mask]).max() * DEPTH_UNIT_PX > MAX_RELIEF_PX:
        raise Rejected("relief of more than 255 px: depth of another unit or sign")
    mm = None if surface.mm_per_px is None else surface.mm_per_px * box.side / CROP_SIZE
    return encode_row(
        id=name,
        source="reconstructed",
        image=seen.image,
        mask=seen.mask,
        depth=depth.astype(np.float32),
        normals=seen.normals,
        camera={**angles, "mm_per_px": mm},
    )
