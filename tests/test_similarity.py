"""Similarities that are known, a mirror image, and points that say nothing."""

import numpy as np
import pytest

from df2net_hub.geometry import rotation
from df2net_hub.similarity import Similarity, fit_similarity

MOVED = Similarity(1.7, rotation(0.4, -0.2, 0.1), np.array([20.0, -5.0, 300.0]))


def test_a_similarity_is_found_from_its_points() -> None:
    points = np.random.default_rng(0).normal(size=(7, 3))
    found = fit_similarity(points, MOVED(points))
    assert found.scale == pytest.approx(1.7)
    np.testing.assert_allclose(found.rotation, MOVED.rotation, atol=1e-12)
    np.testing.assert_allclose(found.shift, MOVED.shift, atol=1e-10)
    np.testing.assert_allclose(found.inverse(found(points)), points, atol=1e-12)


def test_a_mirror_image_is_not_turned_inside_out() -> None:
    points = np.random.default_rng(0).normal(size=(9, 3))
    found = fit_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    assert found.scale < 1


@pytest.mark.parametrize(
    ("points", "message"), [(np.zeros((2, 3)), "three pairs"), (np.ones((5, 3)), "several places")]
)
def test_points_that_say_nothing_are_refused(points: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_similarity(points, points)
