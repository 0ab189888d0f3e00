"""Disturbances: as large as they say, smooth, another for each photo, and in training alone."""

import torch

from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.training.disturb import SLOPE, disturbed
from df2net_hub.training.stage import StageTrainer, open_network, seen_by
from tests.training_runs import quick


def drawn(count: int, side: int, strength: float = 1.0) -> torch.Tensor:
    """(B,S,S) what is added to a flat depth [px of the crop]."""
    torch.manual_seed(0)
    return disturbed(torch.zeros(count, 1, side, side), strength)[:, 0] * DEPTH_UNIT_PX


def test_a_disturbance_is_as_large_as_its_strength_says() -> None:
    relief = drawn(2000, 32)
    # Tilts alone: a slope in x and y of deviation SLOPE, uniformly 0 to 2 times as strong, whose
    # mean square is 4/3; measured across the mirror's axis, where relief is symmetric.
    across = (relief - relief.flip(-1))[:, 16, -1]
    assert abs(across.square().mean().sqrt() / (512 * SLOPE * (4 / 3) ** 0.5) - 1) < 0.1
    # Over the crop tilts make 512 SLOPE sqrt(2 / 12 * 4 / 3) = 6.0 px, the relief the rest.
    assert abs(relief.mean()) < 0.2 and 2.3 < (relief.var() - 6.03**2).sqrt() < 3.2
    torch.testing.assert_close(drawn(4, 32, 0.5), drawn(4, 32) / 2)
    assert not drawn(4, 32, 0.0).any()


def test_a_disturbance_is_smooth_and_the_same_at_every_resolution() -> None:
    large, small = drawn(8, 512), drawn(8, 128)
    steps = (large.diff(dim=-1)).abs().amax((1, 2))  # px of height per px
    assert (steps < 0.6).all() and (steps > 0.001).all()
    area = torch.nn.functional.avg_pool2d(large[:, None], 4)[:, 0]
    torch.testing.assert_close(area, small, atol=0.3, rtol=0)


def test_each_photo_has_its_own_and_the_seed_repeats_them() -> None:
    first, second = drawn(2, 32), drawn(2, 32)
    assert torch.equal(first, second)
    assert (first[0] - first[1]).abs().max() > 1


def test_a_refining_stage_is_disturbed_in_training_alone_and_held_to_the_truth(
    tiny, tmp_path
) -> None:
    config = quick("unused", tiny, tmp_path, stage="fine", disturb=1.0).for_stage("fine")
    network = open_network(config)
    batch = {
        "id": ["one"],
        "image": torch.zeros(1, 3, 64, 64),
        "depth": torch.ones(1, 1, 64, 64),
        "mask": torch.ones(1, 1, 64, 64, dtype=torch.bool),
    }
    trainer = StageTrainer(network, "fine", network.fine, config.disturb)
    with torch.no_grad():
        dense, _ = network.see(batch["image"])
        at_rest = seen_by(trainer.eval(), "fine", batch, config.target)
        torch.manual_seed(0)
        training = seen_by(trainer.train(), "fine", batch, config.target)
        torch.manual_seed(0)
        expected = disturbed(dense, 1.0)
    assert torch.equal(at_rest.given, dense)
    assert torch.equal(training.given, expected) and (expected - dense).abs().max() > 0.005
    assert torch.equal(training.target_depth, batch["depth"])
