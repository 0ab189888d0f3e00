"""Errors whose place on the face is known."""

import numpy as np
import pytest
from view_makers import SIZE, landmarks68

from df2net_hub.evaluating.mean_error import (
    LEAST_SEEN,
    MIDDLE,
    PLACES_MM,
    PX_PER_MM,
    SIDE,
    MeanErrors,
)


def at(landmark: int) -> tuple[int, int]:
    """Row and column of a landmark's place on the mean face."""
    x, y = np.rint(PLACES_MM[landmark] * PX_PER_MM + MIDDLE).astype(int)
    return y, x


@pytest.mark.parametrize("landmark", [30, 33, 36, 45, 48, 57])
def test_an_error_at_a_landmark_comes_to_lie_at_its_place(landmark: int) -> None:
    points = landmarks68()
    y, x = np.mgrid[:SIZE, :SIZE]
    spot = np.exp(-((x - points[landmark, 0]) ** 2 + (y - points[landmark, 1]) ** 2) / 8)
    means = MeanErrors()
    means.add(points, {"one": spot})
    found = means.means()["one"]
    assert found[at(landmark)] == pytest.approx(1, abs=0.1)
    assert found[at(8)] == pytest.approx(0, abs=0.02) and np.isnan(found[0, 0])


def test_turned_and_larger_faces_are_laid_over_the_others() -> None:
    points = landmarks68()
    turned = points[:, ::-1] * [1, -1] * 0.5 + [4, 60]  # by a quarter, half as large
    y, x = np.mgrid[:SIZE, :SIZE]
    means = MeanErrors()
    for place in (points, turned):
        spot = np.where((x - place[30, 0]) ** 2 + (y - place[30, 1]) ** 2 < 9, 2.0, 0.0)
        means.add(place, {"one": spot})
    assert means.means()["one"][at(30)] == pytest.approx(2)


def test_signs_cancel_and_methods_are_kept_apart() -> None:
    means = MeanErrors()
    for sign in (1.0, -1.0):
        flat = np.full((SIZE, SIZE), sign)
        means.add(landmarks68(), {"both": flat, "near": np.abs(flat)})
    found = means.means()
    assert found["both"][at(30)] == 0 and found["near"][at(30)] == 1


def test_a_place_that_few_views_show_has_no_mean() -> None:
    means = MeanErrors()
    half = np.where(np.arange(SIZE) < SIZE // 2, 1.0, np.nan)[None].repeat(SIZE, 0)
    means.add(landmarks68(), {"one": half})
    for _ in range(2):
        means.add(landmarks68(), {})
    assert 1 / 3 < LEAST_SEEN
    assert np.isnan(means.means()["one"]).all()
    means.add(landmarks68(), {"one": half})
    found = means.means()["one"]
    assert found[at(36)] == 1 and np.isnan(found[at(45)])


def test_nothing_was_added() -> None:
    assert MeanErrors().means() == {}


def test_the_mean_face_is_even_on_both_sides_and_lies_in_the_picture() -> None:
    assert PLACES_MM.shape == (60, 2)
    mirrored = PLACES_MM * [-1, 1]
    nearest = np.abs(mirrored[:, None] - PLACES_MM[None]).sum(-1).min(1)
    assert nearest.max() <= 1
    pixels = PLACES_MM * PX_PER_MM + MIDDLE
    assert pixels.min() > 0 and pixels.max() < SIDE
