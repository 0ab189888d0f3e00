"""The square around a face: the detector's where it found this face, else the mesh's own."""

import numpy as np
import pytest

from df2net_hub.faces import FaceBox
from df2net_hub.importing.squares import (
    best_overlap,
    outline_square,
    square_in_frontal_view,
    square_in_photo,
)
from df2net_hub.importing.surface import Rejected, weak_perspective
from df2net_hub.pipelines.face_mask import MASK_IN_CROP

CENTER = (130.0, 110.0)


def nobody(photo: np.ndarray) -> list[FaceBox]:
    return []


def posed(ellipsoid, turn: np.ndarray):
    photo = ellipsoid.photo(260, 220, CENTER, turn)
    points = ellipsoid.in_photo(CENTER, turn)
    return weak_perspective(photo, points, ellipsoid.triangles, frontal=turn.T)


def test_the_meshs_own_square_has_its_middle_and_the_share_of_training(ellipsoid) -> None:
    box = square_in_photo(posed(ellipsoid, np.eye(3)), nobody)
    side = np.sqrt(np.pi * 60 * 80) / MASK_IN_CROP
    assert box.side == pytest.approx(side, rel=0.01)
    # The middle of pixel (130, 110) lies at 130.5, 110.5 from the photo's edges.
    assert box.x + box.side / 2 == pytest.approx(130.5, abs=0.6)
    assert box.y + box.side / 2 == pytest.approx(110.5, abs=0.6)
    assert box.found_by == "mesh"


def test_the_detectors_square_of_this_face_is_taken(ellipsoid) -> None:
    mine = FaceBox(10, 5, 225, 1.0, "dlib")
    somebody = FaceBox(0, 0, 60, 9.0, "dlib")
    assert square_in_photo(posed(ellipsoid, np.eye(3)), lambda photo: [somebody, mine]) == mine
    assert best_overlap([somebody], mine) == mine


def test_the_frontal_view_has_the_same_square_whatever_the_pose(ellipsoid) -> None:
    straight, turned = (
        square_in_frontal_view(posed(ellipsoid, ellipsoid.turn(yaw)), nobody) for yaw in (0, 35)
    )
    assert turned.side == pytest.approx(straight.side, rel=0.01)


def test_a_detector_sees_the_frontal_view_and_its_square_comes_back_to_scale(ellipsoid) -> None:
    surface = posed(ellipsoid, ellipsoid.turn(20))
    own = square_in_frontal_view(surface, nobody)
    sizes = []

    def half(picture: np.ndarray) -> list[FaceBox]:
        sizes.append(picture.shape)
        n = len(picture)
        return [FaceBox(0.1 * n, 0.2 * n, 0.7 * n, 1.0, "dlib")]

    box = square_in_frontal_view(surface, half)
    assert sizes == [(512, 512, 3)]
    assert box.side == pytest.approx(0.7 * own.side)
    assert box.x == pytest.approx(own.x + 0.1 * own.side)
    assert box.y == pytest.approx(own.y + 0.2 * own.side)


def test_a_mesh_seen_from_its_edge_has_no_square() -> None:
    line = np.array([[0.0, 0], [50, 50], [100, 100]])
    with pytest.raises(Rejected, match="covers nothing"):
        outline_square(line, np.array([[0, 1, 2]], np.int32))
