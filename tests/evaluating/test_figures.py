"""Figures show what they say: colors of heat maps, light on clay, curves in their place."""

import numpy as np
from view_makers import MM_PER_PX, dome, view

from df2net_hub.evaluating.figures import (
    COLORS,
    EMPTY,
    LABEL,
    MOST_MM,
    MOST_PERCENT,
    TILE,
    clay,
    draw_curves,
    heat,
    heat_figure,
    mean_error_figure,
    signed,
    surfaces_figure,
    true_relief_mm,
)
from df2net_hub.evaluating.methods import DepthMap
from df2net_hub.evaluating.run import CURVE_MM, Pictured


def test_heat_runs_from_dark_blue_over_green_to_dark_red() -> None:
    colors = heat(np.array([[0, MOST_PERCENT / 2, 3 * MOST_PERCENT, np.nan]]))[0].astype(int)
    assert colors[0].max() < 80 and colors[1].argmax() == 1 and colors[2].argmax() == 0
    assert (colors[3] == EMPTY).all()


def test_relief_is_measured_between_percentiles() -> None:
    depth = np.linspace(0, 100, 10201).reshape(101, 101)
    assert abs(true_relief_mm(depth, np.ones(depth.shape, bool)) - 98) < 0.1


def test_clay_is_lit_from_the_upper_left() -> None:
    depth, mask = dome()
    shown = clay(depth, mask, MM_PER_PX)[..., 0].astype(int)
    assert shown[20, 20] > shown[44, 44] + 60
    assert (shown[~mask] == EMPTY).all()
    assert (clay(depth, np.zeros_like(mask), MM_PER_PX) == EMPTY).all()


def test_a_method_without_a_map_leaves_an_empty_tile() -> None:
    shown = view()
    errors = {"a": np.where(shown.mask, 1.0, np.nan)}
    one = Pictured(shown, {"a": DepthMap(shown.depth_mm, shown.mask)}, errors)
    sheet = surfaces_figure([one, one], ["a", "b"])
    assert sheet.shape == (LABEL + 2 * TILE, 4 * TILE, 3)
    assert (sheet[LABEL:, 2 * TILE : 3 * TILE] == EMPTY).all()
    np.testing.assert_array_equal(sheet[LABEL:, TILE : 2 * TILE], sheet[LABEL:, 3 * TILE :])
    warm = heat_figure([one], ["a", "b"])
    assert warm.shape[1] == 3 * TILE and (warm[LABEL : LABEL + TILE, 2 * TILE :] == EMPTY).all()


def test_too_near_is_red_too_far_is_blue_and_right_is_white() -> None:
    near, far, right, more, none = signed(np.array([[2.0, -2.0, 0, 3 * MOST_MM, np.nan]]))[0]
    assert near.argmax() == 0 and far.argmax() == 2 and (right == 255).all()
    assert more[1] < near[1] and (none == EMPTY).all()


def test_mean_errors_have_a_tile_for_each_method_and_a_scale_from_blue_to_red() -> None:
    sheet = mean_error_figure({"a": np.full((80, 80), 2.0), "b": np.full((80, 80), np.nan)})
    assert (sheet[LABEL : LABEL + TILE, :TILE] == signed(np.full((1, 1), 2.0))).all()
    assert (sheet[LABEL : LABEL + TILE, TILE:] == EMPTY).all()
    scale = sheet[LABEL + TILE + 12].astype(int)
    assert scale[TILE // 4 + 2].argmax() == 2 and scale[-TILE // 4 - 3].argmax() == 0


def test_curves_are_drawn_higher_where_the_share_is_larger() -> None:
    low, high = (np.minimum(CURVE_MM / at, 1) for at in (12, 3))
    sheet = draw_curves({"low": low, "high": high}).astype(int)
    red, blue = (np.abs(sheet[:, 400] - color).max(-1) < 60 for color in COLORS[1::-1])
    assert np.flatnonzero(red).max() < np.flatnonzero(blue).min()
