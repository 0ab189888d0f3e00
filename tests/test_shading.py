"""Shape from shading: Eq. 3 and Eq. 4 against cases with a known answer."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from df2net_hub.losses import erode, network_normals
from df2net_hub.shading import fit_light, harmonics, shade


def sphere_normals(size: int) -> tuple[Tensor, Tensor]:
    axis = torch.linspace(-0.95, 0.95, size)
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    square = x * x + y * y
    mask = square < 0.9
    z = torch.sqrt((1 - square).clamp(min=0.01))
    normals = torch.nn.functional.normalize(torch.stack([x, y, z]), dim=0)
    return normals[None], mask[None, None]


def random_scene(photos: int, size: int, seed: int) -> dict[str, Tensor]:
    """Bumpy heads under random lights with random albedo and ragged masks; the photo in float64."""
    generator = torch.Generator().manual_seed(seed)
    axis = torch.linspace(-1, 1, size)
    square = (axis[:, None] ** 2 + axis**2).expand(photos, 1, size, size)
    coarse = torch.randn(photos, 1, 8, 8, generator=generator)
    bumps = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    depth = 1.5 * (1 - square).clamp(min=0).sqrt() + 0.05 * bumps
    pixels = torch.rand(photos, 1, size, size, generator=generator)
    scene = {
        "normals": network_normals(depth),
        "mask": erode(square < 0.85) & (pixels > 0.3),
        "albedo": 0.1 + 0.8 * torch.rand(photos, 3, size, size, generator=generator),
        "light": 0.2 * torch.randn(photos, 3, 9, generator=generator),
    }
    scene["light"][..., 0] += 0.8
    exact = [scene[name].double() for name in ("albedo", "normals", "light")]
    return {**scene, "image": shade(*exact).float()}


def fitted(scene: dict[str, Tensor], ridge: float = 0.0) -> Tensor:
    return fit_light(*(scene[name] for name in ("image", "albedo", "normals", "mask")), ridge)


def test_harmonics_of_the_frontal_normal_are_the_closed_form_constants():
    values = harmonics(np.array([0.0, 0.0, 1.0]))
    expected = np.zeros(9)
    expected[0] = math.pi * math.sqrt(1 / (4 * math.pi))
    expected[1] = 2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))
    expected[4] = math.pi / 4 * math.sqrt(5 / (16 * math.pi)) * 2
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_arrays_and_tensors_give_the_same_harmonics_along_any_axis():
    normals = np.random.default_rng(0).normal(size=(5, 3))
    expected = harmonics(normals)
    np.testing.assert_allclose(harmonics(torch.from_numpy(normals)).numpy(), expected)
    np.testing.assert_allclose(harmonics(normals.T, 0).T, expected)
    np.testing.assert_allclose(harmonics(torch.from_numpy(normals.T), 0).numpy().T, expected)


def test_shading_is_albedo_times_the_sum_of_light_and_harmonics():
    scene = random_scene(2, 12, seed=1)
    basis = harmonics(scene["normals"], 1)
    expected = scene["albedo"] * torch.einsum("bci,bihw->bchw", scene["light"], basis)
    shaded = shade(scene["albedo"], scene["normals"], scene["light"])
    torch.testing.assert_close(shaded, expected)


@pytest.mark.parametrize("seed", range(4))
def test_light_is_recovered_from_exact_normals_and_albedo(seed):
    scene = random_scene(3, 48, seed)
    torch.testing.assert_close(fitted(scene), scene["light"], atol=1e-4, rtol=0)


def test_light_is_recovered_on_crops_of_any_shape():
    normals, mask = sphere_normals(48)
    generator = torch.Generator().manual_seed(0)
    light = torch.randn(1, 3, 9, generator=generator) * 0.05
    light[..., 0] = 0.8
    albedo = 0.3 + 0.5 * torch.rand(1, 3, 48, 48, generator=generator)
    whole = (shade(albedo, normals, light), albedo, normals, mask)
    found = fit_light(*(maps[..., 5:46, :] for maps in whole))
    torch.testing.assert_close(found, light, atol=1e-4, rtol=0)


def test_the_fit_is_least_squares_where_no_light_fits():
    """Against a solver that knows nothing of normal equations."""
    scene = random_scene(1, 24, seed=2)
    noise = torch.randn(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    scene["image"] = scene["image"] + 0.1 * noise
    inside = scene["mask"][0, 0]
    basis = harmonics(scene["normals"], 1)[0][:, inside].double().T  # (pixels,9)
    for channel in range(3):
        design = basis * scene["albedo"][0, channel][inside].double()[:, None]
        target = scene["image"][0, channel][inside].double()
        expected = torch.linalg.lstsq(design, target).solution
        found = fitted(scene)[0, channel].double()
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


def test_a_ridge_draws_the_light_toward_zero():
    scene = random_scene(1, 24, seed=3)
    sizes = [fitted(scene, ridge).norm() for ridge in (0.0, 1e-4, 1e-2, 1.0)]
    assert sizes == sorted(sizes, reverse=True)


def test_float64_photos_are_fitted_in_float64():
    scene = {
        name: maps.double() for name, maps in random_scene(1, 32, seed=0).items() if name != "mask"
    }
    scene["mask"] = random_scene(1, 32, seed=0)["mask"]
    scene["image"] = shade(scene["albedo"], scene["normals"], scene["light"])
    torch.testing.assert_close(fitted(scene), scene["light"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32_inside_autocast(kind):
    scene = random_scene(2, 32, seed=0)
    scene = {name: maps if name == "mask" else maps.to(kind) for name, maps in scene.items()}
    given = scene["albedo"], scene["normals"], scene["light"]
    with torch.autocast("cpu", torch.bfloat16):
        light, shaded = fitted(scene, 1e-4), shade(*given)
    assert light.dtype == shaded.dtype == torch.float32
    whole = {name: maps if name == "mask" else maps.float() for name, maps in scene.items()}
    torch.testing.assert_close(light, fitted(whole, 1e-4))
    torch.testing.assert_close(shaded, shade(*(maps.float() for maps in given)))


def test_fit_ignores_what_lies_outside_the_mask():
    normals, mask = sphere_normals(32)
    light = torch.zeros(1, 3, 9)
    light[..., 0], light[..., 2] = 0.7, 0.1
    albedo = torch.full((1, 3, 32, 32), 0.5)
    image = torch.where(mask, shade(albedo, normals, light), torch.tensor(9.0))
    torch.testing.assert_close(fit_light(image, albedo, normals, mask), light, atol=1e-4, rtol=0)


@pytest.mark.parametrize("ridge", [0.0, 1e-4])
def test_a_single_normal_gives_a_finite_light_that_still_shades_right(ridge):
    normals = torch.zeros(1, 3, 4, 4)
    normals[:, 2] = 1
    albedo, image = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.25)
    mask = torch.ones(1, 1, 4, 4, dtype=torch.bool)
    light = fit_light(image, albedo, normals, mask, ridge)
    assert light.abs().max() < 10
    torch.testing.assert_close(shade(albedo, normals, light), image, atol=1e-3, rtol=0)


@pytest.mark.parametrize("ridge", [0.0, 1e-4])
def test_empty_tiny_and_black_faces_give_a_finite_light(ridge):
    scene = random_scene(3, 16, seed=0)
    scene["mask"][0] = False
    scene["mask"][1] = False
    scene["mask"][1, 0, 8, 8] = True
    scene["albedo"][2] = 0
    light = fitted(scene, ridge)
    assert light.abs().max() < 10
    assert not light[0].any() and not light[2].any()
    shaded = shade(scene["albedo"], scene["normals"], light)[1, :, 8, 8]
    torch.testing.assert_close(shaded, scene["image"][1, :, 8, 8], atol=1e-3, rtol=1e-3)


def test_no_gradient_runs_through_the_light():
    scene = random_scene(1, 16, seed=0)
    for name in ("image", "albedo", "normals"):
        scene[name].requires_grad_(True)
    assert not fitted(scene).requires_grad
