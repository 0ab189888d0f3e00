"""The paper's protocol on maps whose error is known."""

import numpy as np
import pytest

from df2net_hub.evaluation import (
    depth_errors,
    detail_scores,
    high_pass,
    ransac_scale_shift,
    shift_only_error,
)


def dome(size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    depth = (120 * np.sqrt(np.clip(1 - 0.6 * (x * x + y * y), 0, 1))).astype(np.float32)
    return depth, x * x + y * y < 0.9


def errors(predicted, truth, mask):
    return depth_errors(predicted, mask, truth, mask, 0.5, np.random.default_rng(0))


def test_a_perfect_map_scores_zero():
    truth, mask = dome()
    found = errors(truth, truth, mask)
    assert found.mean < 1e-4 and found.normal_deg < 0.05 and found.covered == 1.0


def test_scale_and_shift_do_not_count():
    truth, mask = dome()
    assert errors(0.7 * truth + 12, truth, mask).mean < 1e-4


def test_a_known_error_scores_that_error():
    truth, mask = dome()
    wave = np.where(np.arange(64) % 2 == 0, 1.0, -1.0)[None].astype(np.float32)
    found = errors(truth + wave, truth, mask)
    np.testing.assert_allclose([found.mean, found.median], 1.0, atol=0.05)
    assert 1.0 < found.largest90 < 1.3  # the fit trades a little of the wave against the scale


def test_outliers_do_not_move_the_fit():
    truth, mask = dome()
    predicted = 0.5 * truth + 3
    rng = np.random.default_rng(1)
    hit = rng.random(truth.shape) < 0.25
    predicted[hit] += 200
    scale, shift = ransac_scale_shift(predicted[mask], truth[mask], rng)
    np.testing.assert_allclose([scale, shift], [2.0, -6.0], atol=1e-3)


def test_a_flat_map_is_only_shifted():
    truth, mask = dome()
    found = errors(np.zeros_like(truth), truth, mask)
    spread = np.abs(truth[mask] - np.median(truth[mask])).mean()
    assert 0.5 * spread < found.mean < 2 * spread


def test_the_numbers_repeat():
    truth, mask = dome()
    noisy = truth + np.random.default_rng(2).normal(0, 1, truth.shape)
    assert errors(noisy, truth, mask) == errors(noisy, truth, mask)


def test_masks_that_do_not_meet_are_an_error():
    truth, mask = dome()
    with pytest.raises(ValueError, match="too few"):
        depth_errors(truth, ~mask, truth, mask, 0.5, np.random.default_rng(0))


def test_only_the_shift_is_fitted_where_the_scale_is_held():
    truth = np.linspace(0, 10, 101)
    assert shift_only_error(truth + 4, truth) == pytest.approx(0, abs=1e-9)
    assert shift_only_error(2 * truth, truth) == pytest.approx(np.abs(truth - 5).mean())


def test_a_plane_and_a_slope_have_no_relief_far_from_the_edge():
    mask = np.ones((64, 64), bool)
    slope = np.arange(64.0)[None].repeat(64, 0)
    for depth in (np.full((64, 64), 9.0), slope):
        np.testing.assert_allclose(high_pass(depth, mask, 1.0)[16:-16, 16:-16], 0, atol=1e-4)


def test_detail_is_one_for_the_same_waves_of_any_strength_and_zero_for_none():
    mask = np.ones((64, 64), bool)
    waves = np.sin(np.arange(64) * 2 * np.pi / 6)[None].repeat(64, 0)
    angle, alike = detail_scores(0.3 * waves, waves, mask, 1.0)
    assert alike > 0.97 and angle > 10
    assert detail_scores(0 * waves, waves, mask, 1.0)[1] == 0
    assert abs(detail_scores(waves.T, waves, mask, 1.0)[1]) < 0.02
    assert detail_scores(-waves, waves, mask, 1.0)[1] < -0.97
