"""Light: panoramas become harmonics that shade as the panorama does."""

import numpy as np

from df2net_hub.shading import harmonics
from df2net_hub.synthesis.light import panorama_directions, project_to_harmonics, sample_light


def test_a_uniform_white_sky_shades_every_normal_with_one():
    sh = project_to_harmonics(np.ones((64, 128, 3), np.float32))
    normals = panorama_directions(8, 16).reshape(-1, 3)
    np.testing.assert_allclose(harmonics(normals) @ sh.T, 1.0, atol=2e-3)


def test_light_from_the_right_shades_normals_that_point_right():
    directions = panorama_directions(64, 128)
    panorama = np.repeat((directions[..., :1] > 0.9).astype(np.float32), 3, -1)
    sh = project_to_harmonics(panorama)
    right, left = harmonics(np.array([[1.0, 0, 0], [-1.0, 0, 0]])) @ sh.T
    # The exact irradiance over pi of a cap of cos > 0.9 seen head on is 1 - 0.9^2.
    np.testing.assert_allclose(right, 1 - 0.9**2, atol=0.02)
    assert (left < 0.02).all()


def test_lights_are_the_same_for_the_same_generator_state():
    panoramas = np.random.default_rng(0).random((3, 16, 32, 3)).astype(np.float32)
    first = sample_light(np.random.default_rng(5), panoramas)
    second = sample_light(np.random.default_rng(5), panoramas)
    np.testing.assert_array_equal(first.sh, second.sh)
    np.testing.assert_array_equal(first.directions, second.directions)
