"""The numbers of validation: px of a 512 crop and degrees."""

import math

import pytest
import torch

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.training.validation import depth_error_px, normal_error_deg

MASK = torch.zeros(1, 1, 32, 32, dtype=torch.bool)
MASK[..., 2:-2, 2:-2] = True


def plane(slope: float) -> torch.Tensor:
    """Rises by `slope` px for each px to the right."""
    px = torch.arange(32.0) * CROP_SIZE / 32
    return (slope * px / DEPTH_UNIT_PX).expand(1, 1, 32, 32)


def test_height_is_taken_out_and_the_rest_is_px_of_the_large_crop():
    truth = plane(0.0)
    assert depth_error_px(truth + 0.3, truth, MASK) == pytest.approx(0, abs=1e-4)
    steps = torch.where(torch.arange(32) < 16, 1.0, -1.0).expand(1, 1, 32, 32) * 4 / DEPTH_UNIT_PX
    assert float(depth_error_px(steps, truth, MASK)) == pytest.approx(4, rel=1e-4)


def test_a_tilt_is_its_angle():
    angle = normal_error_deg(plane(1.0), plane(0.0), MASK)
    assert float(angle) == pytest.approx(45, abs=0.1)
    angle = normal_error_deg(plane(math.tan(math.radians(20))), plane(0.0), MASK)
    assert float(angle) == pytest.approx(20, abs=0.1)
