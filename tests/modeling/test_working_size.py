"""To what size photos are brought, and which sizes D-Net cannot halve."""

import pytest
import torch

from df2net_hub.modeling.working_size import enlarged, require_halvings, shrunk


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


@pytest.mark.parametrize("times", [1.5, 2, 4])
def test_slopes_and_bends_stay_what_they_are_when_a_map_is_enlarged(times):
    """Of height s x + b x^2 the slope at each enlarged pixel is s + 2 b x, without waves."""
    small, large = 32, int(32 * times)

    def middles(count: int) -> torch.Tensor:
        return (torch.arange(count, dtype=torch.float64) + 0.5) / count - 0.5

    for slope, bend in ((1.0, 0.0), (0.5, 0.8)):
        x = middles(small)
        heights = (slope * x + bend * x**2).expand(2, 1, small, small)
        rows, columns = enlarged(heights.mT, (large, large)), enlarged(heights, (large, large))
        torch.testing.assert_close(rows.mT, columns)
        away = slice(int(3 * times), -int(3 * times))  # from the edges
        found = columns[0, 0, large // 2].diff()[away] * large
        between = (middles(large)[1:] + middles(large)[:-1])[away] / 2
        torch.testing.assert_close(found, slope + 2 * bend * between, rtol=1e-6, atol=1e-6)


def test_sizes_that_halve_to_the_end_pass_and_others_are_named():
    require_halvings(torch.zeros(1, 3, 16, 24), 3)
    with pytest.raises(ValueError, match="3 levels .* multiples of 8, got 16 x 20"):
        require_halvings(torch.zeros(1, 3, 16, 20), 3)
