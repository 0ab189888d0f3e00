"""Bins: borders, tones of skin of known angle, where light comes from."""

import numpy as np
import pytest

from df2net_hub.evaluating.traits import bins_of, light_kind, skin_tone
from df2net_hub.synthesis.light import project_to_harmonics


@pytest.mark.parametrize(
    ("yaw", "name"),
    [(0, "0 to 15 deg"), (-14.9, "0 to 15 deg"), (15, "15 to 30 deg"), (-80, "over 45 deg")],
)
def test_yaw_is_binned_by_its_size(yaw: float, name: str) -> None:
    assert bins_of({"yaw": yaw}) == {"yaw": name}


def test_what_is_not_known_makes_no_bin() -> None:
    assert bins_of({"mood": None, "skin": "tan", "age": 0.5, "light": ""}) == {
        "age": "middle",
        "skin tone": "tan",
    }


@pytest.mark.parametrize(
    ("color", "tone"),
    [((240, 215, 200), "very light"), ((190, 150, 120), "intermediate"), ((70, 45, 35), "dark")],
)
def test_skin_is_named_by_its_typology_angle(color: tuple, tone: str) -> None:
    albedo = np.full((4, 4, 3), color, np.uint8)
    assert skin_tone(albedo, np.ones((4, 4), bool)) == tone
    assert skin_tone(albedo, np.zeros((4, 4), bool)) is None


def test_light_is_named_by_the_side_it_comes_from() -> None:
    sphere = np.ones((32, 64, 3), np.float32)
    assert light_kind(project_to_harmonics(sphere)) == "even"
    above = sphere * 0
    above[:4] = 1
    assert light_kind(project_to_harmonics(above)) == "above"
    below = above[::-1]
    assert light_kind(project_to_harmonics(below)) == "below"
    names = set()
    for column in (0, 16, 32, 48):
        lamp = sphere * 0
        lamp[14:18, column : column + 2] = 1
        names.add(light_kind(project_to_harmonics(lamp)))
    assert names == {"front", "side", "behind"}
