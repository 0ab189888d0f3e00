"""Open sky over shapes whose share of it is known in closed form."""

import numpy as np
import pytest

from df2net_hub.synthesis.open_sky import open_sky

SIZE = 241
PX_PER_CM = 40.0  # looks reach 6 cm: the whole picture
UP = np.array([0, 0, 1], np.float32)


def grid():
    """Coordinates x right and y up [px] from the middle."""
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    return column - SIZE // 2, SIZE // 2 - row


def groove(depth=80.0):
    """Heights and normals of a groove with walls of 45 degrees from top to bottom."""
    x, _ = grid()
    wall = np.abs(x) < depth
    normal = np.zeros((SIZE, SIZE, 3), np.float32)
    normal[..., 0] = np.where(wall, -np.sign(x), 0) / np.sqrt(2)
    normal[..., 2] = np.where(wall, np.sqrt(0.5), 1)
    return np.minimum(np.abs(x), depth), normal


def test_nothing_is_in_the_way_of_a_ball():
    x, y = grid()
    reach = np.hypot(x, y)
    height = np.sqrt(np.where(reach < 100, 100**2 - reach**2, np.nan))
    normal = np.nan_to_num(np.stack([x, y, height], -1) / 100)
    height = np.where(np.isfinite(height), height, -np.inf)
    share, bent = open_sky(height, height, normal, PX_PER_CM)
    np.testing.assert_allclose(share[reach < 90], 1, atol=2e-3)
    np.testing.assert_allclose(bent[reach < 90], 0, atol=2e-3)
    np.testing.assert_allclose(share[reach > 108], 1, atol=1e-6)
    np.testing.assert_allclose(bent[reach > 108], 0, atol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.8, -2.0])
def test_a_plane_sees_all_of_its_hemisphere_however_it_leans(slope):
    x, _ = grid()
    normal = np.tile(np.float32([-slope, 0, 1]) / np.hypot(slope, 1), (SIZE, SIZE, 1))
    share, bent = open_sky(slope * x, slope * x, normal, PX_PER_CM)
    np.testing.assert_allclose(share, 1, atol=3e-3)
    np.testing.assert_allclose(bent, 0, atol=3e-3)


@pytest.mark.parametrize("along", [10.5, 20.5, 40.5, 60.5])
def test_the_wall_of_a_groove_sees_half_of_one_less_the_cosine_to_the_other_rim(along):
    height, normal = groove()
    share, bent = open_sky(height, height, normal, PX_PER_CM)
    # From a point that far from the middle: between the way up its own wall and the other rim.
    rim = np.array([-80 - along, 80 - along]) / np.hypot(80 + along, 80 - along)
    exact = (1 - rim @ np.sqrt([0.5, 0.5])) / 2
    found = share[SIZE // 2, SIZE // 2 + np.array([int(along), -int(along)])]
    # The groove ends at the picture's edge, so a little more is open than of an endless one.
    assert (found > exact - 0.01).all() and (found < exact + 0.06).all()
    np.testing.assert_allclose(*found, atol=0.02)


def test_what_is_open_to_a_groove_lies_above_it():
    height, normal = groove()
    _, bent = open_sky(height, height, normal, PX_PER_CM)
    here = SIZE // 2, SIZE // 2 + 6
    assert normal[here] @ UP < 0.75
    open_way = normal[here] + bent[here]
    assert open_way @ UP > 0.95
    np.testing.assert_allclose(np.linalg.norm(open_way), 1, atol=0.02)


def test_hair_hides_sky_from_skin_that_has_none_over_it():
    flat, normal = np.zeros((SIZE, SIZE), np.float32), np.tile(UP, (SIZE, SIZE, 1))
    x, _ = grid()
    hair = np.where(x > 20, 200, flat).astype(np.float32)
    share, bent = open_sky(flat, hair, normal, PX_PER_CM)
    assert 0.5 < share[SIZE // 2, SIZE // 2 + 14] < 0.6  # half of it beside an endless wall
    assert bent[SIZE // 2, SIZE // 2 + 14, 0] < -0.3
    assert share[SIZE // 2, 10] > share[SIZE // 2, 60] > share[SIZE // 2, 110]
