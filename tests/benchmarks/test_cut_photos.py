"""Photos that end within a face show their edge beyond, and count where they show the face."""

import numpy as np
import pytest
from benchmark_scripts import script

from df2net_hub.evaluating.views import View


def view() -> View:
    rows, columns = np.mgrid[0:64, 0:64]
    photo = np.stack([rows, columns, rows + columns], -1).astype(np.uint8)
    mask = (np.abs(rows - 32) <= 20) & (np.abs(columns - 30) <= 10)
    depth = (0.1 * (rows - 32) ** 2 / 20).astype(np.float32)
    return View("a", photo, depth, mask, 0.5, True)


@pytest.mark.parametrize(
    ("side", "first_row", "last_row", "first_column"),
    [("top", 22, 52, 20), ("bottom", 12, 42, 20), ("left", 12, 52, 25)],
)
def test_a_cut_photo_repeats_its_edge_and_the_mask_ends_there(
    side: str, first_row: int, last_row: int, first_column: int
) -> None:
    ended = script("cut_photos").cut(view(), side, 0.25)
    rows, columns = np.nonzero(ended.mask)
    assert (rows.min(), rows.max(), columns.min()) == (first_row, last_row, first_column)
    assert np.array_equal(ended.photo[ended.mask], view().photo[ended.mask])
    beyond, edge = {
        "top": (ended.photo[:22], ended.photo[22]),
        "bottom": (ended.photo[43:], ended.photo[42]),
        "left": (ended.photo[:, :25], ended.photo[:, 25:26]),
    }[side]
    assert (beyond == edge).all()


def test_errors_are_taken_where_the_photo_shows_the_face() -> None:
    cut_photos = script("cut_photos")
    ended = cut_photos.cut(view(), "top", 0.25)
    wrong_beyond = np.where(ended.mask, 2 * view().depth_mm + 3, 99)
    mm, deg = cut_photos.errors(wrong_beyond, ended)
    assert mm == pytest.approx(0, abs=1e-4) and 0 < deg < 12  # scaled: the angle tells
