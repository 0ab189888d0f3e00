"""From linear light to photographs."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import to_linear
from df2net_hub.synthesis.camera import (
    defocused,
    noise_levels,
    photograph,
    to_srgb,
)
from df2net_hub.synthesis.render import Render

SIZE = 64


def half_and_half() -> Render:
    """A gray face on the left half, with stripes; the right half far behind it."""
    row, column = np.mgrid[0:SIZE, 0:SIZE]
    left = column < SIZE // 2
    stripes = np.repeat((0.2 + 0.2 * (row % 4 < 2))[..., None], 3, -1).astype(np.float32)
    height = np.where(left, 0, -SIZE).astype(np.float32)
    normals = np.zeros((SIZE, SIZE, 3), np.float32)
    ones = np.ones((SIZE, SIZE), np.float32)
    return Render(stripes, ones, height, normals, height, left, stripes, np.zeros((68, 2)))


def test_to_srgb_is_the_inverse_of_to_linear():
    picture = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    back = to_srgb(to_linear(picture / 255))
    np.testing.assert_array_equal(back, picture)
    assert (to_srgb(np.full((2, 2, 3), 7, np.float32)) == 255).all()
    assert (to_srgb(np.full((2, 2, 3), -1, np.float32)) == 0).all()


def test_noise_grows_with_light_but_shows_in_the_darks():
    levels = noise_levels(0.02)
    assert levels[128] == pytest.approx(0.02 * 255)
    linear = ((np.arange(256) + 0.5) / 256) ** 2.2
    in_linear_light = levels * np.gradient(linear)
    assert (np.diff(in_linear_light[30:250]) > 0).all()
    assert levels[40] > levels[200] > 0
    assert (noise_levels(0.0) == 0).all()


@pytest.mark.parametrize("seed", range(12))
def test_a_photograph_is_bytes_that_the_generator_alone_decides(seed):
    made = half_and_half()
    first, second = (
        photograph(rng, made, np.full((SIZE, SIZE, 3), 0.2, np.float32))
        for rng in (np.random.default_rng(seed), np.random.default_rng(seed))
    )
    assert first.shape == (SIZE, SIZE, 3) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)
    assert first.std() > 1


def test_photographs_differ_in_exposure_noise_and_color():
    made = half_and_half()
    behind = np.zeros((SIZE, SIZE, 3), np.float32)
    pictures = [photograph(np.random.default_rng(n), made, behind) for n in range(60)]
    face = np.array([picture[:, : SIZE // 2 - 8].mean((0, 1)) for picture in pictures])
    assert np.ptp(face.mean(1)) > 60
    colorful = np.ptp(face, axis=1)
    assert (colorful < 2.5).any() and (colorful > 6).any()


def test_background_shows_only_where_nothing_covers_it():
    made = half_and_half()
    right = ~made.mask
    open_right = replace(
        made,
        image=made.image * made.mask[..., None],
        coverage=made.mask.astype(np.float32),
        front_px=np.where(made.mask, made.front_px, np.nan),
    )
    dark, light = (np.full((SIZE, SIZE, 3), value, np.float32) for value in (0.0, 3.0))
    one, other = (photograph(np.random.default_rng(3), open_right, b) for b in (dark, light))
    far = right & (np.arange(SIZE) > SIZE // 2 + 8)
    near = made.mask & (np.arange(SIZE) < SIZE // 2 - 8)
    assert other[far].mean() - one[far].mean() > 150
    assert abs(other[near].mean() - one[near].mean()) < 8


def test_focus_on_the_face_blurs_only_what_lies_behind():
    made = half_and_half()
    image, coverage = defocused(made, 3.0)
    inside = np.s_[8:-8, 8 : SIZE // 2 - 12]
    np.testing.assert_allclose(image[inside], made.image[inside], atol=1e-3)
    behind = np.s_[8:-8, SIZE // 2 + 12 : -8]
    assert image[behind].std() < 0.3 * made.image[behind].std()
    np.testing.assert_allclose(coverage, 1, atol=1e-4)
