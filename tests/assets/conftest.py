"""A small head as other formats would hold it: vertices in cm, triangles, landmarks, modes."""

from dataclasses import dataclass

import numpy as np
import pytest

from df2net_hub.synthesis.procedural import procedural_head


@dataclass(frozen=True)
class PlainHead:
    """Arrays without parts or texture coordinates; `vertices` (V,3) [cm]."""

    vertices: np.ndarray
    triangles: np.ndarray
    landmarks68: np.ndarray
    modes: np.ndarray  # (3,V,3) [cm], one standard deviation each


@pytest.fixture(scope="session")
def plain_head() -> PlainHead:
    head = procedural_head()
    num = head.parts["head_and_neck"].stop
    corners = head.triangles[(head.triangles < num).all(1)]
    points = head.vertices.astype(np.float64)
    a, b, c = points[corners].transpose(1, 0, 2)
    corners = corners[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-6]
    return PlainHead(
        points[:num], corners, head.landmarks68, head.identity[:3, :num].astype(np.float64)
    )


def landmark_table(landmarks: np.ndarray) -> str:
    rows = [f"{number},{vertex}" for number, vertex in enumerate(landmarks)]
    return "\n".join(["landmark,vertex", *rows]) + "\n"


@pytest.fixture
def landmarks_csv(plain_head, tmp_path):
    path = tmp_path / "landmarks.csv"
    path.write_text(landmark_table(plain_head.landmarks68))
    return path
