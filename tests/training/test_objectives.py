"""Which columns a recipe needs, and that each name is the loss it says."""

import pytest
import torch

from df2net_hub import losses
from df2net_hub.training.objectives import TERMS, Seen, columns_for, weighted_losses
from df2net_hub.training.presets import PAPER, LossWeights


def seen(**changes) -> Seen:
    generator = torch.Generator().manual_seed(0)

    def noise(channels: int) -> torch.Tensor:
        return torch.rand(2, channels, 16, 16, generator=generator)

    mask = torch.zeros(2, 1, 16, 16, dtype=torch.bool)
    mask[..., 2:14, 3:13] = True
    batch = {"image": noise(3) * 2 - 1, "mask": mask, "depth": noise(1), "albedo": noise(3)}
    given = {"depth": noise(1), "mask_logits": noise(1), "target_depth": batch["depth"]}
    return Seen(batch, **(given | {"albedo": noise(3)} | changes))


def test_weights_multiply_the_losses_of_their_names():
    one = seen()
    parts = weighted_losses(LossWeights(depth=10, normal=0.5, mask=2), one)
    inner = losses.erode(one.mask)
    normals = [losses.network_normals(depth) for depth in (one.depth, one.target_depth)]
    assert parts == {
        "depth": 10 * losses.depth_loss(one.depth, one.target_depth, one.mask),
        "normal": 0.5 * losses.normal_loss(*normals, inner),
        "mask": 2 * losses.mask_loss(one.mask_logits, one.mask),
    }


@pytest.mark.parametrize("name", list(TERMS))
def test_every_loss_is_finite_and_every_field_has_one(name):
    (value,) = weighted_losses(LossWeights(**{name: 1.0}), seen()).values()
    assert value.shape == () and torch.isfinite(value) and value > 0
    assert set(TERMS) == set(LossWeights.__dataclass_fields__)


def test_a_network_without_a_mask_head_has_no_mask_loss():
    assert "mask" not in weighted_losses(PAPER["dense"].losses, seen(mask_logits=None))


def test_what_is_loaded_is_what_the_losses_read():
    assert columns_for(PAPER["dense"].losses, "truth") == ("depth", "image", "mask")
    assert columns_for(PAPER["fine"].losses, "truth") == ("albedo", "depth", "image", "mask")
    # Sec. 3.5: F-Net's output stands in for the truth, so photos need no depth.
    assert columns_for(PAPER["finer"].losses, "given") == ("albedo", "image", "mask")
    assert columns_for(PAPER["albedo"].losses, "truth") == ("albedo", "image", "mask")


def test_the_first_photos_of_what_was_seen():
    one = seen(mask_logits=None)
    first = one.first(1)
    assert torch.equal(first.depth, one.depth[:1]) and first.mask_logits is None
    assert torch.equal(first.mask, one.mask[:1])
