"""Rolled heads are looked at upright; what only seems rolled is left alone."""

import numpy as np
import pytest
import torch

from df2net_hub.pipelines.face_mask import MOST_DOUBT
from df2net_hub.pipelines.upright import Look, looked_at, turned, turned_mask, upright_look

NOTHING = torch.zeros(1, 1, 1, 1)


class Head:
    """Looks at a rolled head: the more is left the worse it is seen; its roll is told to 35 deg."""

    def __init__(self, roll: float, seems: float = 0.0) -> None:
        self.roll, self.seems = roll, seems
        self.rolls: list[float] = []

    def __call__(self, roll: float) -> Look:
        self.rolls.append(roll)
        left = abs((self.roll - roll + 180) % 360 - 180)
        doubt = float(np.interp(left, [0, 30, 45, 60, 180], [0.05, 0.055, 0.11, 0.25, 0.35]))
        told = self.roll - roll + self.seems if left < 35 else 3.0
        return Look(roll, NOTHING, NOTHING, NOTHING, doubt, told)


@pytest.mark.parametrize("roll", [-34, -28, 20, 28, 34, 50, -60, 70])
def test_a_rolled_head_is_brought_upright(roll: float) -> None:
    assert upright_look(Head(roll)).roll == pytest.approx(roll, abs=15)


def test_what_the_detector_knows_is_where_the_search_begins() -> None:
    head = Head(118)
    assert upright_look(head, 90.0).roll == pytest.approx(118)
    assert head.rolls[0] == 90


@pytest.mark.parametrize("roll", [0, 10, -14])
def test_an_upright_head_takes_one_look(roll: float) -> None:
    head = Head(roll)
    assert upright_look(head).roll == 0
    assert head.rolls == [0]


def test_a_head_that_only_seems_rolled_stays_as_it_is() -> None:
    head = Head(0, seems=27)  # as some that are turned far to the side
    assert upright_look(head).roll == 0
    assert head.rolls == [0, 27, -27]


def test_a_roll_told_the_wrong_way_round_shows() -> None:
    head = Head(42)

    def look(roll: float) -> Look:
        seen = head(roll)
        return seen._replace(doubt=0.09, roll_seen=-30.0) if roll == 0 else seen

    assert upright_look(look).roll == pytest.approx(42, abs=13)
    assert head.rolls[:3] == [0, -30, 30]


def test_what_is_left_of_a_roll_is_turned_back_next() -> None:
    head = Head(40)

    def look(roll: float) -> Look:
        seen = head(roll)
        return seen._replace(doubt=0.09, roll_seen=20.0) if roll == 0 else seen

    assert upright_look(look).roll == pytest.approx(40)


def test_where_no_look_is_sure_the_first_one_counts() -> None:
    def look(roll: float) -> Look:
        return Look(roll, NOTHING, NOTHING, NOTHING, 0.3 if roll < 40 else 1.1 * MOST_DOUBT, 0.0)

    assert upright_look(look).roll == 0


def test_without_a_mask_head_nothing_is_known_of_roll_and_doubt() -> None:
    look = looked_at(90.0, NOTHING, torch.rand(1, 1, 64, 64), None)
    assert (look.roll, look.doubt, look.roll_seen) == (90, 0, 0)
    assert upright_look(lambda roll: look, 90.0) is look


def rolled_egg(roll: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Network depth and mask logits (1,1,512,512) of an egg with a nose, turned by `roll`."""
    y, x = np.mgrid[1:-1:512j, -1:1:512j] / 0.7
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    x, y = cos * x + sin * y, cos * y - sin * x
    front = np.sqrt(np.clip(1 - x**2 - (y / 1.3) ** 2, 0, None))
    height = 0.75 * front + 0.35 * np.exp(-((x / 0.13) ** 2) - ((y + 0.1) / 0.25) ** 2)
    logits = np.where(front > 0.25, 6.0, -6.0)
    return torch.from_numpy(height)[None, None].float(), torch.from_numpy(logits)[None, None]


@pytest.mark.parametrize("roll", [0, 25, -25])
def test_roll_and_doubt_are_those_of_depth_and_mask(roll: float) -> None:
    look = looked_at(0.0, NOTHING, *rolled_egg(roll))
    assert look.roll_seen == pytest.approx(roll, abs=6)
    assert look.doubt == pytest.approx(1 / (1 + np.exp(6)) / 0.35, abs=0.005)


def test_an_empty_mask_is_all_doubt() -> None:
    depth = torch.zeros(1, 1, 64, 64)
    assert looked_at(0.0, NOTHING, depth, depth - 5).doubt == 1


def test_a_speck_has_no_roll() -> None:
    logits = torch.full((1, 1, 512, 512), -9.0)
    logits[0, 0, 250:260, 250:260] = 9
    assert looked_at(0.0, NOTHING, torch.zeros_like(logits), logits).roll_seen == 0


def test_maps_turn_counterclockwise_about_their_middle() -> None:
    rows, columns = np.mgrid[:65, :65].astype(np.float32)
    np.testing.assert_allclose(turned(rows, 90), np.rot90(rows), atol=1e-3)
    slope = turned(columns, 30)[32]
    np.testing.assert_allclose(slope, 32 + (np.arange(65) - 32) * np.cos(np.pi / 6), atol=0.05)
    assert turned(rows, 0) is rows


def test_a_mask_does_not_grow_beyond_the_crop() -> None:
    mask = np.ones((64, 64), bool)
    assert turned_mask(mask, 90).all()
    corners = turned_mask(mask, 45)
    assert not corners[:8, :8].any() and corners[20:44, 20:44].all()
    assert corners.mean() == pytest.approx(2 * (np.sqrt(2) - 1), abs=0.02)  # an octagon
