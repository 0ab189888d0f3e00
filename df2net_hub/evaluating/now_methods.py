"""What is judged on NoW: stages of a pipeline, a mean head, meshes that others wrote.

A method is a callable from a photo to the surfaces that it gives there: name -> `Candidate`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from df2net_hub.evaluating.now import AMONG_68, NUM_LANDMARKS, NowPhoto, NowScan, read_mesh
from df2net_hub.evaluating.scan_distance import Surface
from df2net_hub.face_pose import face_pose
from df2net_hub.faces import Detector
from df2net_hub.geometry import DEPTH_UNIT_PX, rotation
from df2net_hub.mesh import depth_to_mesh
from df2net_hub.modeling.cascade import SLOTS
from df2net_hub.photos import load_photo
from df2net_hub.pipelines.df2net import DF2NetPipeline
from df2net_hub.similarity import Similarity, fit_similarity
from df2net_hub.synthesis.morphable import MorphableModel

MEAN_HEAD = "mean head"
TRIANGLES = 60_000  # of a stage's mesh: 0.8 mm a pixel, which distances from triangles do not feel
# First guesses where there are no landmarks: around the pose that the depth map shows, which of a
# face seen half from the side can be wrong by 30 degrees.
TURNS = (-30.0, -15.0, 0.0, 15.0, 30.0)  # to the side [deg]
NODS = (-15.0, 0.0, 15.0)  # [deg]
LIFTS = (-12.0, 0.0, 12.0)  # along the face [mm]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A surface to be brought onto a scan.

    Attributes:
        surface: the mesh.
        frontal: (3,3) rotation after which it looks along z, y up; None if landmarks are known.
        landmarks: (7,3) on the mesh, in the order of `now`; None if not known.
    """

    surface: Surface
    frontal: np.ndarray | None = None
    landmarks: np.ndarray | None = None

    def starts(self, scan: NowScan) -> list[Similarity]:
        """First guesses of where it lies in the scan's space."""
        if self.landmarks is not None:
            return [fit_similarity(self.landmarks, scan.landmarks)]
        assert self.frontal is not None
        middle, aim = self.surface.vertices.mean(0), scan.surface.points.mean(0)
        axes = scan.axes()
        guesses = []
        for yaw, nod, lift in product(np.radians(TURNS), np.radians(NODS), LIFTS):
            turn = axes @ rotation(yaw, nod, 0) @ self.frontal
            guesses.append(Similarity(1.0, turn, aim + lift * axes[:, 1] - turn @ middle))
        return guesses


NowMethod = Callable[[NowPhoto], dict[str, Candidate]]


@dataclass(frozen=True, eq=False)
class NowStages:
    """The stages of a pipeline: the visible part of the face, without landmarks."""

    pipe: DF2NetPipeline
    detector: str | Detector = "dlib"

    def __call__(self, photo: NowPhoto) -> dict[str, Candidate]:
        faces = self.pipe(load_photo(photo.photo), self.detector).faces
        if not faces:
            return {}
        face = faces[0]
        pose = face_pose(face.depth / DEPTH_UNIT_PX, face.mask)
        frontal = rotation(*np.radians([pose.yaw, pose.pitch, pose.roll])).T
        found = {}
        for name in SLOTS:
            mesh = depth_to_mesh(
                face.stages[name], face.mask, face.crop, face.mm_per_px, decimate_to=TRIANGLES
            )
            found[name] = Candidate(Surface(mesh.vertices, mesh.faces, is_part=True), frontal)
        return found


@dataclass(frozen=True, eq=False)
class NowMeanHead:
    """The mean shape of a morphable head, the same for every photo."""

    head: MorphableModel

    def __call__(self, photo: NowPhoto) -> dict[str, Candidate]:
        del photo
        landmarks = self.head.vertices[self.head.landmarks68[list(AMONG_68)]]
        whole = Surface(self.head.vertices, self.head.triangles, is_part=False)
        return {MEAN_HEAD: Candidate(whole, landmarks=landmarks.astype(np.float64))}


@dataclass(frozen=True)
class NowMeshes:
    """Meshes of another method as NoW wants them handed in.

    FOLDER/SUBJECT/CHALLENGE/NAME.obj or .ply, any unit, beside it the seven landmarks as NAME.npy
    (7,3) or NAME.txt, seven lines of three numbers.
    """

    name: str
    folder: Path

    @classmethod
    def open(cls, name: str, folder: Path, photos: Sequence[NowPhoto]) -> "NowMeshes":
        """The meshes of a folder.

        Raises:
            FileNotFoundError: there is none of any photo.
        """
        meshes = cls(name, folder)
        if not any(meshes.path(photo) for photo in photos):
            raise FileNotFoundError(
                f"{folder} holds a mesh of none of the {len(photos)} photos, such as "
                f"{photos[0].name}.obj or .ply"
            )
        return meshes

    def path(self, photo: NowPhoto) -> Path | None:
        """The file of a photo's mesh."""
        for suffix in (".obj", ".ply"):
            path = self.folder / f"{photo.name}{suffix}"
            if path.is_file():
                return path
        return None

    def __call__(self, photo: NowPhoto) -> dict[str, Candidate]:
        path = self.path(photo)
        if path is None:
            return {}
        mesh = read_mesh(path)
        surface = Surface(mesh.vertices, mesh.faces, is_part=False)
        return {self.name: Candidate(surface, landmarks=read_landmarks(path))}


def read_landmarks(mesh: Path) -> np.ndarray:
    """(7,3) landmarks that lie beside a mesh.

    Raises:
        FileNotFoundError: neither file is there.
        ValueError: other values than 7 x 3 numbers.
    """
    for path in (mesh.with_suffix(".npy"), mesh.with_suffix(".txt")):
        if not path.is_file():
            continue
        try:
            is_text = path.suffix == ".txt"
            values = np.loadtxt(path) if is_text else np.load(path, allow_pickle=False)
            points = np.asarray(values, np.float64)
        except (ValueError, OSError, EOFError) as error:
            raise ValueError(f"{path} cannot be read as landmarks: {error}") from error
        if points.shape != (NUM_LANDMARKS, 3) or not np.isfinite(points).all():
            raise ValueError(f"{path} must hold 7 x 3 finite numbers, got shape {points.shape}")
        return points
    raise FileNotFoundError(
        f"{mesh} has no landmarks beside it, {mesh.stem}.npy or {mesh.stem}.txt"
    )
