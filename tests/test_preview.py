"""The preview picture of a ball, whose light, outline and extent are known."""

import numpy as np
import pytest

from df2net_hub.mesh import DEPTH_JUMP_PX
from df2net_hub.preview import BACKGROUND, LABEL, TILE, preview_picture

SIZE = 256
PAPER = np.full(3, BACKGROUND)


def ball(radius: float, center: tuple[float, float] = (127.5, 127.5)):
    """The front of a ball, cut off where it is steep: photo, mask, depth [px]."""
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    square = (columns - center[0]) ** 2 + (rows - center[1]) ** 2
    mask = square < (0.9 * radius) ** 2
    depth = np.where(mask, np.sqrt(np.maximum(radius**2 - square, 0)), 0).astype(np.float32)
    crop = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    crop[..., 0] = 200  # a red photo
    return crop, mask, depth


def tiles(picture: np.ndarray, columns: int) -> np.ndarray:
    """(3, columns, TILE, TILE, 3)."""
    views = picture[LABEL:].reshape(3, TILE, columns, TILE, 3)
    return views.transpose(0, 2, 1, 3, 4).astype(int)


@pytest.fixture(scope="module")
def views() -> np.ndarray:
    crop, mask, depth = ball(90)
    picture = preview_picture(crop, mask, {"dense": depth, "fine": depth, "finer": depth})
    return tiles(picture, 4)


def drawn(view: np.ndarray) -> np.ndarray:
    return (view != PAPER).any(axis=-1)


def test_the_size_is_the_same_whatever_the_face() -> None:
    expected = (3 * TILE + LABEL, 4 * TILE, 3)
    for crop, mask, depth in (ball(90), ball(20, (60, 60)), ball(400)):
        stages = {"dense": depth, "fine": depth, "finer": depth}
        picture = preview_picture(crop, mask, stages)
        assert (picture.shape, picture.dtype) == (expected, np.uint8)


def test_no_face_gives_background_beside_the_photo() -> None:
    crop, mask, depth = ball(90)
    stages = {"dense": depth, "fine": depth, "finer": depth}
    views = tiles(preview_picture(crop, np.zeros_like(mask), stages), 4)
    assert not drawn(views[:, 1:]).any()
    assert (views[0, 0] == [200, 0, 0]).all()


def test_off_the_mask_is_background_and_on_it_is_none(views: np.ndarray) -> None:
    front = drawn(views[0, 1])
    axis = np.arange(TILE) - (TILE - 1) / 2
    # The face takes 1 / 1.25 of the view.
    distance = np.hypot(axis[:, None], axis[None, :]) / (TILE / 1.25 / 2)
    assert front[distance < 0.97].all()
    assert not front[distance > 1.03].any()


def test_the_side_toward_the_key_light_is_bright_and_the_other_dark(views: np.ndarray) -> None:
    front = views[0, 1].sum(axis=-1)
    middle, off = TILE // 2, TILE // 4
    upper_left = front[middle - off, middle - off]
    lower_right = front[middle + off, middle + off]
    assert upper_left > 1.25 * lower_right
    assert upper_left > front[middle - off, middle + off] > lower_right


@pytest.mark.parametrize("row", [1, 2])
def test_a_turned_surface_has_no_holes(views: np.ndarray, row: int) -> None:
    for column in range(4):
        inside = drawn(views[row, column])
        for line in inside[inside.any(axis=1)]:
            first, last = np.flatnonzero(line)[[0, -1]]
            assert line[first : last + 1].all()


def test_the_two_sides_of_a_symmetric_surface_mirror_each_other(views: np.ndarray) -> None:
    difference = np.abs(views[1, 1] - views[2, 1][:, ::-1])
    assert np.median(difference) == 0
    assert (difference.max(axis=-1) > 16).mean() < 0.02  # the outline may fall between pixels


def test_turning_shows_the_side_that_it_names() -> None:
    crop, mask, depth = ball(90)
    crop[:, : SIZE // 2] = [0, 0, 200]  # the picture's left half is blue, the right one red
    views = tiles(preview_picture(crop, mask, {"finer": depth}), 2)
    for row, more, less in ((1, 2, 0), (2, 0, 2)):
        view = views[row, 0][drawn(views[row, 0])]
        assert (view[:, more] > 100).sum() > 1.8 * (view[:, less] > 100).sum()


def test_the_near_surface_hides_the_far_one() -> None:
    """A red strip stands before a blue wall, and covers another part of it from either side."""
    mask = np.ones((200, 200), dtype=bool)
    depth = np.zeros((200, 200), dtype=np.float32)
    depth[:, 70:130] = DEPTH_JUMP_PX + 1
    crop = np.zeros((200, 200, 3), dtype=np.uint8)
    crop[..., 2] = 200
    crop[:, 70:130] = [200, 0, 0]
    views = tiles(preview_picture(crop, mask, {"finer": depth}), 2)
    for row, sign in ((1, 1), (2, -1)):
        line = views[row, 0][TILE // 2][::sign]
        red = line[:, 0] - line[:, 2] > 100
        blue = line[:, 2] - line[:, 0] > 100
        strip = np.flatnonzero(red)
        assert np.ptp(strip) + 1 == len(strip)
        assert len(strip) == pytest.approx(59 * np.cos(np.radians(50)) * TILE / 200, abs=3)
        # Before the strip lies bare background, for the jump is no surface; after it, blue at once.
        assert (line[strip[0] - 10 : strip[0] - 3] > 220).all()
        assert blue[strip[-1] + 4 : strip[-1] + 10].all()


def test_columns_are_the_stages_in_their_order() -> None:
    crop, mask, depth = ball(90)
    rough = depth + np.where(mask, 2 * np.sin(np.arange(SIZE)[None, :] / 2), 0).astype(np.float32)
    views = tiles(preview_picture(crop, mask, {"dense": depth, "finer": rough}), 3)
    smooth, waves = (np.abs(np.diff(views[0, column, TILE // 2].sum(-1))) for column in (1, 2))
    inner = slice(TILE // 4, 3 * TILE // 4)
    assert waves[inner].mean() > 5 * smooth[inner].mean()
    assert (views[0, 0] == [200, 0, 0]).all()  # the photo is the first
