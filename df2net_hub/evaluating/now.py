"""The NoW challenge (Sanyal et al., CVPR 2019) in the layout of its release.

    ROOT/imagepathsvalidation.txt                          lines SUBJECT/CHALLENGE/NAME.jpg
    ROOT/NoW_Dataset/final_release_version/iphone_pictures/SUBJECT/CHALLENGE/NAME.jpg
    ROOT/scans/SUBJECT/*.obj                               the subject's scan [mm]
    ROOT/scans_lmks_onlypp/SUBJECT/*.pp                    its seven landmarks, picked in MeshLab

No camera lays a scan on a photo, so depth cannot be compared pixel by pixel: reconstructions are
brought onto the scan, and distances between surfaces are measured (`scan_distance`).
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from df2net_hub.evaluating.scan_distance import OrientedPoints

IMAGE_LIST = "imagepathsvalidation.txt"
PHOTOS = Path("NoW_Dataset/final_release_version/iphone_pictures")
SCANS = Path("scans")
SCAN_LANDMARKS = Path("scans_lmks_onlypp")
# Outer and inner corner of the right eye, inner and outer corner of the left, bottom of the nose,
# right and left corner of the mouth; and where they are among the 68 of dlib.
NUM_LANDMARKS = 7
AMONG_68 = (36, 39, 42, 45, 33, 48, 54)
# The part of the scan that counts: a ball around a point between the bottom and the bridge of the
# nose, its radius a share of the mean of the eyes' distance and the nose's length.
CENTER_SHARE, RADIUS_SHARE = 0.3, 1.4


@dataclass(frozen=True)
class NowPhoto:
    """A photo of the challenge and what belongs to it."""

    photo: Path
    scan: Path
    landmarks: Path
    subject: str
    challenge: str  # multiview_neutral, multiview_expressions, multiview_occlusions or selfie

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.challenge}/{self.photo.stem}"


@dataclass(frozen=True, eq=False)
class NowScan:
    """What is compared of a scan.

    Attributes:
        surface: vertices near the face's middle [mm] and their normals.
        landmarks: (7,3) [mm].
    """

    surface: OrientedPoints
    landmarks: np.ndarray

    def axes(self) -> np.ndarray:
        """(3,3) columns: to the face's left, up and forward, from the landmarks."""
        left = self.landmarks[2:4].mean(0) - self.landmarks[:2].mean(0)
        up = self.landmarks[:4].mean(0) - self.landmarks[4:].mean(0)
        forward = np.cross(left, up)
        left, forward = (one / np.linalg.norm(one) for one in (left, forward))
        return np.column_stack([left, np.cross(forward, left), forward])


def is_now(folder: Path) -> bool:
    """Whether a folder is laid out as NoW's release."""
    return (folder / IMAGE_LIST).is_file()


def now_photos(folder: Path, limit: int | None = None) -> list[NowPhoto]:
    """The photos that the list of the validation set names, in its order.

    Raises:
        FileNotFoundError: a photo, scan or file of landmarks is missing.
        ValueError: the list is empty, or a line is no SUBJECT/CHALLENGE/NAME.
    """
    lines = (folder / IMAGE_LIST).read_text(encoding="utf-8").split()[:limit]
    if not lines:
        raise ValueError(f"{folder / IMAGE_LIST} names no photo")
    photos = []
    for line in lines:
        parts = Path(line).parts[-3:]
        if len(parts) != 3:
            raise ValueError(f"{folder / IMAGE_LIST}: {line!r} is no SUBJECT/CHALLENGE/NAME.jpg")
        subject, challenge, name = parts
        photo = folder / PHOTOS / subject / challenge / name
        if not photo.is_file():
            raise FileNotFoundError(f"{photo} is missing, which {IMAGE_LIST} names")
        scan = _only(folder / SCANS / subject, "*.obj")
        landmarks = _only(folder / SCAN_LANDMARKS / subject, "*.pp")
        photos.append(NowPhoto(photo, scan, landmarks, subject, challenge))
    return photos


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"{folder} holds no {pattern}; download NoW's scans again")
    return found[0]


def read_scan(photo: NowPhoto) -> NowScan:
    """The part of a photo's scan that counts.

    Raises:
        ValueError: a file without mesh or without seven landmarks, or they do not meet.
    """
    landmarks = read_picked_points(photo.landmarks)
    nose_bottom, bridge = landmarks[4], landmarks[1:3].mean(0)
    center = nose_bottom + CENTER_SHARE * (bridge - nose_bottom)
    eyes = np.linalg.norm(landmarks[0] - landmarks[3])
    radius = RADIUS_SHARE * (eyes + np.linalg.norm(bridge - nose_bottom)) / 2
    mesh = read_mesh(photo.scan)
    near = np.linalg.norm(mesh.vertices - center, axis=1) <= radius
    if not near.any():
        raise ValueError(f"{photo.scan} has no vertex near the landmarks of {photo.landmarks}")
    points, normals = np.asarray(mesh.vertices)[near], np.asarray(mesh.vertex_normals)[near]
    scan = NowScan(OrientedPoints(points, normals), landmarks)
    if (normals @ scan.axes()[:, 2]).mean() > 0:
        return scan
    return NowScan(OrientedPoints(points, -normals), landmarks)  # its triangles turn the other way


def read_mesh(path: Path) -> trimesh.Trimesh:
    """An OBJ or PLY, its vertices as they stand in the file.

    Raises:
        ValueError: there is no triangle in it.
    """
    mesh = trimesh.load(path, force="mesh", process=False)
    if not isinstance(mesh, trimesh.Trimesh) or len(mesh.faces) == 0:
        raise ValueError(f"{path} holds no triangles")
    return mesh


def read_picked_points(path: Path) -> np.ndarray:
    """(7,3) points of a MeshLab file of picked points, in the order of the file.

    Raises:
        ValueError: no such file inside, or another number of points.
    """
    try:
        points = [
            [float(point.attrib[axis]) for axis in "xyz"]
            for point in ElementTree.parse(path).getroot().iter("point")
        ]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no MeshLab file of picked points: {error!r}") from error
    if len(points) != NUM_LANDMARKS:
        raise ValueError(f"{path} must hold {NUM_LANDMARKS} points, got {len(points)}")
    return np.array(points)
