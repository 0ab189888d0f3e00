"""Light: panoramas become harmonics that shade as the panorama does."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.shading import harmonics
from df2net_hub.synthesis.light import (
    Catchlight,
    Light,
    panorama_directions,
    project_to_harmonics,
    sample_light,
)
from df2net_hub.synthesis.shade import MIRROR_SIZE, mirrored

NONE = np.zeros((0, 3), np.float32)


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


def test_most_faces_have_a_catchlight_and_a_lamp_in_front_is_the_one() -> None:
    panoramas = np.random.default_rng(1).random((3, 16, 32, 3)).astype(np.float32)
    lights = [sample_light(np.random.default_rng(i), panoramas) for i in range(300)]
    shown = [light for light in lights if light.catchlight is not None]
    assert 0.7 < len(shown) / len(lights) < 0.9
    by_lamp = [light for light in shown if len(light.directions) and light.directions[0, 2] > 0.3]
    assert by_lamp and len(by_lamp) < len(shown)
    for light in shown:
        assert np.linalg.norm(light.catchlight.toward) == pytest.approx(1, abs=1e-6)
        assert light.catchlight.toward[2] > 0
    for light in by_lamp:
        np.testing.assert_array_equal(light.catchlight.toward, light.directions[0])


def test_a_catchlight_shows_at_the_normal_that_mirrors_it() -> None:
    toward = np.array([0.6, 0, 0.8], np.float32)
    dark = Light(np.zeros((3, 9)), NONE, NONE, np.full((8, 16, 3), 0.01, np.float32))
    lit = replace(dark, catchlight=Catchlight(toward, 0.2, np.float32([2, 3, 4])))
    mirror, glints = mirrored(lit)
    np.testing.assert_array_equal(mirror, mirrored(dark)[0])
    added = glints - mirrored(dark)[1]
    axis = np.linspace(-1, 1, MIRROR_SIZE)
    half = (toward + [0, 0, 1]) / np.linalg.norm(toward + [0, 0, 1])
    column, row = (np.abs(axis - half[i]).argmin() for i in (0, 1))
    np.testing.assert_allclose(added[row, column], [2, 3, 4], rtol=1e-4)
    rows, columns = np.nonzero(added[..., 0] > 0)
    reach = np.hypot(axis[rows], axis[columns] - half[0]).max()
    assert reach == pytest.approx(0.2, abs=0.03)
