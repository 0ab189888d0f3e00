"""Maker of a tiny folder in the layout of NoW; a module of its own, as several tests share it."""

from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from df2net_hub.evaluating.now import AMONG_68, IMAGE_LIST, PHOTOS, SCAN_LANDMARKS, SCANS
from df2net_hub.synthesis.procedural import procedural_head

TO_MM = 10.0


def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices [mm], triangles and the seven landmarks of the head from formulas."""
    model = procedural_head()
    vertices = model.vertices.astype(np.float64) * TO_MM
    return vertices, model.triangles, vertices[model.landmarks68[list(AMONG_68)]]


def picked_points(points: np.ndarray) -> str:
    """A file of MeshLab's."""
    lines = [
        f' <point x="{x:.6f}" y="{y:.6f}" z="{z:.6f}" name="{number}" active="1"/>'
        for number, (x, y, z) in enumerate(points)
    ]
    return "\n".join(["<!DOCTYPE PickedPoints>", "<PickedPoints>", *lines, "</PickedPoints>"])


def write_now(root: Path, photos: list[str]) -> Path:
    """A folder with `photos`, SUBJECT/CHALLENGE/NAME.jpg, gray, and each subject's scan."""
    vertices, triangles, landmarks = head()
    for line in photos:
        path = root / PHOTOS / line
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (128,) * 3).save(path)
        subject = Path(line).parts[0]
        (root / SCANS / subject).mkdir(parents=True, exist_ok=True)
        (root / SCAN_LANDMARKS / subject).mkdir(parents=True, exist_ok=True)
        mesh = trimesh.Trimesh(vertices, triangles, process=False)
        mesh.export(root / SCANS / subject / "natural_head_rotation.000001.obj")
        text = picked_points(landmarks)
        (root / SCAN_LANDMARKS / subject / "natural_head_rotation.000001.pp").write_text(text)
    (root / IMAGE_LIST).write_text("\n".join(photos) + "\n")
    return root
