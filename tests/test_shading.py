"""Shape from shading: Eq. 3 and Eq. 4 against cases with a known answer."""

import math

import numpy as np
import torch

from df2net_hub.shading import fit_light, harmonics, shade


def sphere_normals(size: int) -> tuple[torch.Tensor, torch.Tensor]:
    axis = torch.linspace(-0.95, 0.95, size)
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    square = x * x + y * y
    mask = square < 0.9
    z = torch.sqrt((1 - square).clamp(min=0.01))
    normals = torch.nn.functional.normalize(torch.stack([x, y, z]), dim=0)
    return normals[None], mask[None, None]


def test_harmonics_of_the_frontal_normal_are_the_closed_form_constants():
    values = harmonics(np.array([0.0, 0.0, 1.0]))
    expected = np.zeros(9)
    expected[0] = math.pi * math.sqrt(1 / (4 * math.pi))
    expected[1] = 2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))
    expected[4] = math.pi / 4 * math.sqrt(5 / (16 * math.pi)) * 2
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_arrays_and_tensors_give_the_same_harmonics():
    normals = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(harmonics(torch.from_numpy(normals)).numpy(), harmonics(normals))


def test_light_is_recovered_from_exact_normals_and_albedo():
    normals, mask = sphere_normals(48)
    generator = torch.Generator().manual_seed(0)
    light = torch.randn(1, 3, 9, generator=generator) * 0.05
    light[..., 0] = 0.8
    albedo = 0.3 + 0.5 * torch.rand(1, 3, 48, 48, generator=generator)
    image = shade(albedo, normals, light)
    found = fit_light(image, albedo, normals, mask, ridge=1e-9)
    torch.testing.assert_close(found, light, atol=1e-4, rtol=0)


def test_fit_ignores_what_lies_outside_the_mask():
    normals, mask = sphere_normals(32)
    light = torch.zeros(1, 3, 9)
    light[..., 0], light[..., 2] = 0.7, 0.1
    albedo = torch.full((1, 3, 32, 32), 0.5)
    image = torch.where(mask, shade(albedo, normals, light), torch.tensor(9.0))
    torch.testing.assert_close(
        fit_light(image, albedo, normals, mask, 1e-9), light, atol=1e-4, rtol=0
    )


def test_a_single_normal_gives_a_finite_light_that_still_shades_right():
    normals = torch.zeros(1, 3, 4, 4)
    normals[:, 2] = 1
    albedo, image = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.25)
    mask = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    light = fit_light(image, albedo, normals, mask)
    assert torch.isfinite(light).all()
    torch.testing.assert_close(shade(albedo, normals, light), image, atol=1e-3, rtol=0)
