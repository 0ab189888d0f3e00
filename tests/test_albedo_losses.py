"""The losses of AlbedoNet: blind to the light's level and tint, not to anything else."""

import pytest
import torch
from torch import Tensor

from df2net_hub.albedo_losses import (
    albedo_edge_loss,
    albedo_level_loss,
    albedo_loss,
    fit_scale,
)

LOSSES = [albedo_loss, albedo_edge_loss, albedo_level_loss]
SHAPES = [albedo_loss, albedo_edge_loss]


@pytest.fixture
def case() -> tuple[Tensor, Tensor, Tensor]:
    """A prediction, a truth and a mask without the left column and the lower rows."""
    generator = torch.Generator().manual_seed(0)
    prediction, target = (0.1 + 0.8 * torch.rand(2, 3, 16, 16, generator=generator) for _ in "ab")
    mask = torch.ones(2, 1, 16, 16, dtype=torch.bool)
    mask[..., :1] = False
    mask[..., 12:, :] = False
    return prediction, target, mask


@pytest.mark.parametrize("loss", LOSSES)
def test_the_truth_has_no_loss_and_noise_has(loss, case) -> None:
    prediction, target, mask = case
    assert loss(target, target, mask).item() == pytest.approx(0, abs=1e-6)
    assert loss(prediction * 0.7, target, mask) > 0.02


@pytest.mark.parametrize("loss", SHAPES)
def test_level_and_tint_of_the_light_do_not_change_the_loss(loss, case) -> None:
    prediction, target, mask = case
    light = torch.tensor([[0.4, 0.5, 0.9], [1.7, 1.2, 1.1]])[..., None, None]  # of each photo
    expected = loss(prediction, target, mask)
    torch.testing.assert_close(loss(prediction * light, target, mask), expected)
    assert loss(target * light, target, mask).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", SHAPES)
def test_shading_left_in_the_albedo_does_change_the_loss(loss, case) -> None:
    _, target, mask = case
    weak, strong = (1 - share * torch.linspace(0, 1, 16) for share in (0.2, 0.6))
    assert 0.001 < loss(target * weak, target, mask) < loss(target * strong, target, mask)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_off_the_mask_does_not_count(loss, case) -> None:
    prediction, target, mask = case
    changed = torch.where(mask, prediction, torch.rand_like(prediction))
    torch.testing.assert_close(loss(changed, target, mask), loss(prediction, target, mask))


@pytest.mark.parametrize("loss", LOSSES)
def test_an_empty_mask_and_black_pixels_give_finite_loss_and_gradient(loss, case) -> None:
    _, target, mask = case
    prediction = torch.zeros_like(target, requires_grad=True)
    loss(prediction, target, mask).backward()
    assert torch.isfinite(prediction.grad).all()
    assert loss(prediction, target, mask & False).item() == 0


@pytest.mark.parametrize("loss", LOSSES)
def test_every_photo_counts_alike_and_one_without_a_face_as_nothing(loss, case) -> None:
    prediction, target, mask = case
    mask[1, :, 4:] = False  # a third of the first photo's pixels
    photos = [loss(*(maps[n : n + 1] for maps in (prediction, target, mask))) for n in range(2)]
    torch.testing.assert_close(loss(prediction, target, mask), sum(photos) / 2)
    mask[1] = False
    torch.testing.assert_close(loss(prediction, target, mask), photos[0] / 2)


def test_the_level_loss_is_the_log_ratio_of_the_means() -> None:
    target, mask = torch.full((1, 3, 8, 8), 0.4), torch.ones(1, 1, 8, 8, dtype=torch.bool)
    assert albedo_level_loss(target / 2, target, mask).item() == pytest.approx(0.691, abs=2e-3)


def test_a_skin_half_as_bright_weighs_as_much(case) -> None:
    prediction, target, mask = case
    darker = albedo_loss(prediction / 2, target / 2, mask)
    torch.testing.assert_close(darker, albedo_loss(prediction, target, mask))


def test_the_fitted_scale_is_the_light_that_was_applied(case) -> None:
    _, target, mask = case
    light = torch.tensor([0.5, 1.0, 2.0])[None, :, None, None]
    torch.testing.assert_close(fit_scale(target / light, target, mask), light.expand(2, 3, 1, 1))
    gray = fit_scale(target / 0.25, target, mask, gray=True)
    torch.testing.assert_close(gray, torch.full((2, 1, 1, 1), 0.25))
