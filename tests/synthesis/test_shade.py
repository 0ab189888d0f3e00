"""What skin mirrors: surroundings, or the head itself."""

import numpy as np
import pytest

from df2net_hub.synthesis.shade import ROUGH, mirrored_open

SIZE, MIDDLE = 301, 150


def share(solid: np.ndarray, height: float, turned: float, toward: float = 0.0) -> float:
    """Of the middle pixel, its normal `turned` [rad] from the view toward an angle, 0 right."""
    x, y = np.sin(turned) * np.cos(toward), np.sin(turned) * np.sin(toward)
    numbers = (np.float32(number) for number in (height, x, y, np.cos(turned)))
    return float(mirrored_open(solid.astype(np.float32), MIDDLE, MIDDLE, *numbers))


def nothing() -> np.ndarray:
    solid = np.full((SIZE, SIZE), -np.inf)
    solid[MIDDLE, MIDDLE] = 0
    return solid


@pytest.mark.parametrize("turned", [0.0, 0.5, 1.2, 1.5])
def test_with_nothing_around_all_that_skin_mirrors_is_surroundings(turned: float) -> None:
    assert share(nothing(), 0.0, turned) == 1


@pytest.mark.parametrize("toward", [0.0, np.pi / 2, np.pi, -np.pi / 2])
def test_a_jaw_mirrors_the_neck_below_it_and_not_what_is_elsewhere(toward: float) -> None:
    columns, rows = np.meshgrid(np.arange(SIZE) - MIDDLE, MIDDLE - np.arange(SIZE))
    away = columns * np.cos(toward) + rows * np.sin(toward)
    neck = np.where(away > 4, -30.0, np.where(away < -4, -60.0, 0.0))
    assert share(neck, 0.0, np.radians(80), toward) == 0  # the ray falls by 70 degrees
    assert share(neck, 0.0, np.radians(80), toward + np.pi) < 0.2
    assert share(neck, 0.0, np.radians(20), toward) == 1  # it climbs by 50
    gone = np.where(away > 0.5, -np.inf, neck)
    assert share(gone, 0.0, np.radians(80), toward) == 1


@pytest.mark.parametrize("degrees", [86.0, 80.0, 75.0, 60.0])
def test_the_rim_of_a_ball_mirrors_itself_with_the_part_of_the_cone_below_it(
    degrees: float,
) -> None:
    radius, turned = 5000.0, np.radians(degrees)
    columns, rows = np.meshgrid(np.arange(SIZE) - MIDDLE, MIDDLE - np.arange(SIZE))
    out = radius * np.sin(turned) + columns
    inside = radius**2 - out**2 - rows**2
    ball = np.where(inside > 0, np.sqrt(np.maximum(inside, 0)), -np.inf)
    above_tangent = np.pi / 2 - turned  # how far the mirrored ray is
    expected = min(0.5 + 0.5 * above_tangent / ROUGH, 1)
    found = share(ball, radius * np.cos(turned), turned)
    assert found == pytest.approx(expected, abs=0.03)


def test_a_wall_beside_the_ray_hides_half_of_what_is_mirrored() -> None:
    columns = np.arange(SIZE) - MIDDLE
    turned = np.radians(30)  # the ray climbs by 30 degrees
    wall = np.tile(np.where(columns > 2, columns * np.tan(np.radians(30)), 0.0), (SIZE, 1))
    assert share(wall, 0.0, turned) == pytest.approx(0.5, abs=0.01)
    high = np.tile(np.where(columns > 2, columns * 4.0, 0.0), (SIZE, 1))
    assert share(high, 0.0, turned) == 0
