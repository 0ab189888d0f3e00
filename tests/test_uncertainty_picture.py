"""The picture of the expected error: what is colored, and that colors mean millimeters."""

import numpy as np

from df2net_hub.uncertainty_picture import uncertainty_picture

GRAY = np.full((40, 200, 3), 120, np.uint8)
LEFT = np.zeros((40, 200), bool)
LEFT[:, :100] = True


def test_only_the_face_is_colored_and_alike_errors_look_alike() -> None:
    error = np.where(np.arange(40)[:, None] < 20, 1.0, 5.0) * np.ones((40, 200))
    picture = uncertainty_picture(GRAY, LEFT, error)
    assert picture.shape == (98, 200, 3) and picture.dtype == np.uint8
    assert (picture[:40, 100:] == 120).all()
    for rows in (slice(0, 20), slice(20, 40)):
        assert (picture[rows, :100] == picture[rows.start, 0]).all()
    sure, unsure = picture[0, 0].astype(int), picture[30, 0].astype(int)
    assert sure[2] > sure[0] and unsure[0] > unsure[2]  # blue, and red


def test_the_scale_has_the_colors_of_the_face() -> None:
    error = np.linspace(0, 6, 168)[None].repeat(40, 0)
    error = np.pad(error, ((0, 0), (16, 16)), "edge")
    black = np.zeros_like(GRAY)
    picture = uncertainty_picture(black, np.ones_like(LEFT), error).astype(int)
    face, bar = picture[10, 16:184], picture[50, 16:184]
    assert np.abs(face - (0.6 * bar).round()).max() <= 1


def test_more_than_the_scale_is_its_end() -> None:
    pictures = [uncertainty_picture(GRAY, LEFT, np.full((40, 200), mm)) for mm in (6.0, 60.0)]
    assert np.array_equal(*pictures)
