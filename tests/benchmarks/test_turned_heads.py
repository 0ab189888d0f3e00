"""A photo is turned together with its truth."""

from dataclasses import replace

import numpy as np
import pytest
from benchmark_scripts import script
from view_makers import view

from df2net_hub.evaluating.views import View


def turned(one: View, roll: float) -> View:
    return script("turned_heads").turned_view(one, roll)


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_quarter_turn_moves_every_pixel(quarters: int) -> None:
    colors = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    upright = replace(view("a"), photo=colors)
    found = turned(upright, 90 * quarters)
    assert np.array_equal(found.mask, np.rot90(upright.mask, quarters))
    assert np.array_equal(found.photo[3:-3, 3:-3], np.rot90(upright.photo, quarters)[3:-3, 3:-3])
    truth = np.rot90(upright.depth_mm, quarters)[found.mask]
    np.testing.assert_allclose(found.depth_mm[found.mask], truth, atol=1e-4)


def test_heights_stay_and_the_mask_stays_inside_what_is_known() -> None:
    upright = view("a")
    found = turned(upright, 30)
    assert 0.8 * upright.mask.sum() < found.mask.sum() <= upright.mask.sum()
    assert np.isnan(found.depth_mm[~found.mask]).all()
    off = found.depth_mm[found.mask] - upright.depth_mm[found.mask]  # a dome looks alike all round
    assert np.nanmean(np.abs(off)) < 1


def test_no_turn_changes_nothing() -> None:
    upright = view("a")
    assert turned(upright, 0) is upright
