"""Cavity maps: furrows are darker the deeper they are, and nothing else is."""

import numpy as np
import pytest

from df2net_hub.synthesis.cavities import (
    DEVIATION,
    OF_CREASES,
    OF_WRINKLES,
    ROOT_FROM,
    SURE,
    WIDE_CM,
    cavity_map,
    sample_cavities,
)

SIZE, TEXEL_CM = 128, 0.04


def furrow(depth: float, deviation_cm: float = 0.04) -> np.ndarray:
    """A furrow across the middle [cm]."""
    away = (np.arange(SIZE) - SIZE // 2) * TEXEL_CM / deviation_cm
    return np.tile(-depth * np.exp(-(away**2) / 2), (SIZE, 1)).astype(np.float32)


def lost(height: np.ndarray, darkness: float = 1.0) -> float:
    """Log light that is lost in the middle."""
    return -float(np.log(cavity_map(height, TEXEL_CM, darkness)[SIZE // 2, SIZE // 2]))


def test_a_furrow_is_as_dark_as_the_depth_that_is_told_from_its_darkness() -> None:
    depth, deviation = 0.03, 0.04
    dark = lost(furrow(depth, deviation))
    # Less what a Gaussian of WIDE_CM leaves of one of `deviation`.
    below = depth * (1 - deviation / np.hypot(deviation, WIDE_CM))
    assert SURE * WIDE_CM * dark / np.sqrt(dark + ROOT_FROM) == pytest.approx(below, rel=0.02)


def test_deeper_is_darker_and_darkness_multiplies_the_loss() -> None:
    losses = [lost(furrow(depth)) for depth in (0.005, 0.02, 0.08)]
    assert losses == sorted(losses) and 0 < losses[0] < 0.03 and losses[2] > 0.3
    assert lost(furrow(0.02), 2.5) == pytest.approx(2.5 * losses[1], rel=1e-4)


def test_slopes_hills_and_wide_hollows_are_as_bright_as_before() -> None:
    ramp = np.tile(np.linspace(0, 1, SIZE, dtype=np.float32), (SIZE, 1))
    middle = np.s_[SIZE // 2 - 20 : SIZE // 2 + 20, SIZE // 2 - 20 : SIZE // 2 + 20]
    np.testing.assert_allclose(cavity_map(ramp, TEXEL_CM, 1.0)[middle], 1, atol=1e-4)
    assert lost(-furrow(0.03)) == 0
    assert lost(furrow(0.03, deviation_cm=1.0)) < 0.05 * lost(furrow(0.03))


def test_people_differ_and_creases_of_photographs_are_darkened_by_themselves() -> None:
    darkness = []
    for seed in range(200):
        wrinkled, creased = (
            np.log(sample_cavities(np.random.default_rng(seed), *maps, TEXEL_CM)[64, 64])
            for maps in ((furrow(0.02), None), (0 * furrow(1), -furrow(0.02)))
        )
        assert wrinkled / creased == pytest.approx(OF_WRINKLES / OF_CREASES, rel=1e-3)
        darkness.append(np.log(-wrinkled / lost(furrow(0.02))))
    assert np.mean(darkness) == pytest.approx(np.log(OF_WRINKLES), abs=0.1)
    assert np.std(darkness) == pytest.approx(DEVIATION, abs=0.06)


def test_wrinkles_and_creases_darken_together() -> None:
    both, wrinkles, creases = (
        sample_cavities(np.random.default_rng(3), *maps, TEXEL_CM)[64, 64]
        for maps in (
            (furrow(0.02), -furrow(0.05)),
            (furrow(0.02), None),
            (0 * furrow(1), -furrow(0.05)),
        )
    )
    assert both == pytest.approx(wrinkles * creases, rel=1e-5)
