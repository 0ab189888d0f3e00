"""Shade and lashes around an eye drawn as a square hole in skin."""

import numpy as np
import pytest

from df2net_hub.synthesis.lids import (
    BARE_LIDS,
    LOWER_LINE,
    Lids,
    color_beside_lashes,
    light_below_lids,
    sample_lids,
)

PX_PER_CM = 20.0
LIDS = Lids(shade=0.8, reach_cm=0.25, line=0.9, line_cm=0.1)
EYES = np.zeros((60, 80), dtype=bool)
EYES[20:40, 10:30] = EYES[22:42, 50:70] = True
SKIN = ~EYES
SKIN[:10] = False


def test_light_falls_off_below_the_upper_lid_and_not_above_the_lower() -> None:
    share = light_below_lids(EYES, LIDS, PX_PER_CM)
    steps = np.arange(1, 21) / (0.25 * PX_PER_CM)
    expected = 1 - 0.8 * np.exp(-(steps**2))
    for column in (10, 20, 29):
        np.testing.assert_allclose(share[20:40, column], expected, atol=1e-6)
    np.testing.assert_allclose(share[22:42, 60], expected, atol=1e-6)
    assert (share[~EYES] == 1).all()
    assert share[39, 20] > 0.99


def test_lashes_cover_the_skin_above_the_eye_and_less_of_it_below() -> None:
    kept = color_beside_lashes(EYES, SKIN, LIDS, PX_PER_CM)
    width = 0.1 * PX_PER_CM
    above = 1 - 0.9 * np.exp(-((np.arange(1, 6) / width) ** 4))
    np.testing.assert_allclose(kept[19:14:-1, 20], above, atol=1e-6)
    below = 1 - 0.9 * LOWER_LINE * np.exp(-((np.arange(1, 6) / width) ** 4))
    np.testing.assert_allclose(kept[40:45, 20], below, atol=1e-6)
    assert (kept[EYES] == 1).all() and (kept[:, 40] == 1).all()


def test_what_is_no_skin_keeps_its_color_and_ends_the_line() -> None:
    skin = SKIN.copy()
    skin[18] = False  # hair or glasses just above
    kept = color_beside_lashes(EYES, skin, LIDS, PX_PER_CM)
    assert kept[19, 20] < 0.5
    assert (kept[:19, 20] == 1).all()


def test_bare_lids_and_faces_without_eyes_change_nothing() -> None:
    assert (light_below_lids(EYES, BARE_LIDS, PX_PER_CM) == 1).all()
    assert (color_beside_lashes(EYES, SKIN, BARE_LIDS, PX_PER_CM) == 1).all()
    nothing = np.zeros_like(EYES)
    assert (light_below_lids(nothing, LIDS, PX_PER_CM) == 1).all()
    assert (color_beside_lashes(nothing, ~nothing, LIDS, PX_PER_CM) == 1).all()


def test_an_eye_at_the_pictures_edge_is_below_no_lid() -> None:
    eyes = np.zeros((30, 30), dtype=bool)
    eyes[:10, 5:25] = True
    assert (light_below_lids(eyes, LIDS, PX_PER_CM) == 1).all()
    kept = color_beside_lashes(eyes, ~eyes, LIDS, PX_PER_CM)
    assert kept[10, 15] == pytest.approx(1 - 0.9 * LOWER_LINE * np.exp(-(0.5**4)), abs=1e-6)


def test_lids_differ_between_people_and_makeup_darkens_them() -> None:
    plain = [sample_lids(np.random.default_rng(seed), 0.0) for seed in range(200)]
    painted = [sample_lids(np.random.default_rng(seed), 1.0) for seed in range(200)]
    for lids in plain + painted:
        assert 0.75 <= lids.shade <= 1 and 0.3 <= lids.reach_cm <= 0.5
        assert 0.4 <= lids.line <= 0.98
    assert np.std([lids.shade for lids in plain]) > 0.05
    assert all(
        b.line >= a.line and b.line_cm > a.line_cm for a, b in zip(plain, painted, strict=True)
    )
