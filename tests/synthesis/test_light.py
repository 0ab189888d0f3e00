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


def test_white_balance_keeps_the_front_of_a_face_near_neutral():
    panoramas = np.random.default_rng(0).random((3, 16, 32, 3)).astype(np.float32) * [1, 0.6, 0.3]
    ratios = []
    for seed in range(60):
        light = sample_light(np.random.default_rng(seed), panoramas.astype(np.float32))
        normal = np.array([[0, 0.3, 0.954]], np.float32)
        front = (harmonics(normal) @ light.sh.T)[0]
        front = front + (np.maximum(light.directions @ normal[0], 0)[:, None] * light.colors).sum(0)
        ratios.append(front / front.mean())
    assert np.abs(np.array(ratios) - 1).max() < 0.25
    assert np.abs(np.mean(ratios, 0) - 1).max() < 0.12


def test_light_comes_from_the_front_the_sides_and_behind():
    panoramas = np.ones((1, 16, 32, 3), np.float32)
    lights = [sample_light(np.random.default_rng(i), panoramas) for i in range(200)]
    counts = {len(light.directions) for light in lights}
    assert counts == {0, 1, 3}
    depth = np.concatenate([light.directions[:, 2] for light in lights])
    assert (depth < -0.2).mean() > 0.1 and (depth > 0.5).mean() > 0.3
    lengths = np.linalg.norm(np.concatenate([light.directions for light in lights]), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-5)
