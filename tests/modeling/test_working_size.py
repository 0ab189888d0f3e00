"""To what size photos are brought, and which sizes D-Net cannot halve."""

import pytest
import torch

from df2net_hub.modeling.working_size import require_halvings, shrunk


@pytest.mark.parametrize(
    ("size", "working", "expected"),
    [
        ((64, 64), 0, None),
        ((64, 64), 64, None),
        ((32, 64), 128, None),
        ((64, 64), 32, (32, 32)),
        ((64, 128), 32, (16, 32)),
        ((90, 60), 30, (30, 20)),
    ],
)
def test_the_longer_side_comes_to_the_working_size(size, working, expected):
    assert shrunk(torch.zeros(1, 3, *size), working) == expected


def test_sizes_that_halve_to_the_end_pass_and_others_are_named():
    require_halvings(torch.zeros(1, 3, 16, 24), 3)
    with pytest.raises(ValueError, match="3 levels .* multiples of 8, got 16 x 20"):
        require_halvings(torch.zeros(1, 3, 16, 20), 3)
