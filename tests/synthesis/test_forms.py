"""Random forms: as strong and as smooth as stated, alike on both sides if asked to be."""

import numpy as np
import pytest

from df2net_hub.synthesis import forms
from df2net_hub.synthesis.forms import random_forms

FACE = np.random.default_rng(0).uniform([-7, -9, -2], [7, 9, 9], (400, 3))


def moved(points: np.ndarray, heads: int) -> np.ndarray:
    """(heads,N,3) motion on heads of their own."""
    return np.stack([random_forms(np.random.default_rng(seed), points) for seed in range(heads)])


def test_a_head_moves_the_same_again_and_another_one_otherwise() -> None:
    first, again = (random_forms(np.random.default_rng(3), FACE) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = random_forms(np.random.default_rng(4), FACE)
    assert abs(np.corrcoef(first[:, 2], other[:, 2])[0, 1]) < 0.9


def test_forms_are_as_strong_as_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "SYMMETRIC", 0)  # waves that are have their crests at the middle
    found = moved(FACE, 400)
    deviation = np.sqrt((found**2).mean((0, 1)))
    of_all = np.sqrt(sum(size**2 for _, size in forms.SCALES))
    # The strength is uniform from 0 to the strongest: its mean square is a third of that one's.
    expected = forms.MOVES * of_all * forms.STRONGEST / np.sqrt(3)
    np.testing.assert_allclose(deviation, expected, rtol=0.1)
    assert abs(found[..., 2].mean()) < 0.03


def test_symmetric_waves_move_both_sides_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "SYMMETRIC", 1)
    left = random_forms(np.random.default_rng(5), FACE)
    right = random_forms(np.random.default_rng(5), FACE * [-1, 1, 1])
    np.testing.assert_allclose(left, right, atol=1e-6)
    monkeypatch.setattr(forms, "SYMMETRIC", 0)
    askew = random_forms(np.random.default_rng(5), FACE)
    assert np.abs(askew - random_forms(np.random.default_rng(5), FACE * [-1, 1, 1])).max() > 0.05


def test_near_points_move_alike_and_points_beyond_a_scale_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forms, "SCALES", ((2.0, 0.1),))
    monkeypatch.setattr(forms, "SYMMETRIC", 0)
    here, near, far = moved(np.array([[0.0, 0, 0], [0, 0.4, 0], [0, 8, 0]]), 500)[..., 2].T
    assert np.corrcoef(here, near)[0, 1] == pytest.approx(np.exp(-(0.2**2) / 2), abs=0.02)
    assert abs(np.corrcoef(here, far)[0, 1]) < 0.15
