"""Clay is lit from the upper left; rows and columns are where they belong."""

import numpy as np
import torch

from df2net_hub.training.objectives import Seen
from df2net_hub.training.pictures import LABEL, TILE, clay, learning_picture


def dome(size: int = 64) -> torch.Tensor:
    line = torch.linspace(-1, 1, size)
    radius = line[None] ** 2 + line[:, None] ** 2
    return (1.5 * (1 - radius).clamp(min=0).sqrt()).expand(1, 1, size, size)


def test_a_dome_is_bright_where_the_lamp_is():
    shown = clay(dome(), torch.ones(1, 1, 64, 64, dtype=torch.bool))[0, 0]
    assert shown[16, 20] > shown[48, 44] + 0.3
    outside = clay(dome(), torch.zeros(1, 1, 64, 64, dtype=torch.bool))
    assert (outside == 1).all()


def test_columns_are_photo_depth_target_and_shading():
    batch = {
        "image": torch.full((2, 3, 64, 64), -1.0),
        "mask": torch.ones(2, 1, 64, 64, dtype=torch.bool),
        "albedo": torch.full((2, 3, 64, 64), 0.5),
    }
    depth = dome().expand(2, 1, 64, 64)
    picture = learning_picture(Seen(batch, depth=depth, target_depth=0 * depth))
    assert picture.shape == (LABEL + 2 * TILE, 4 * TILE, 3)
    columns = picture[LABEL:].reshape(2, TILE, 4, TILE, 3)
    assert columns[:, :, 0].max() == 0  # a black photo
    flat = columns[0, 4:-4, 2, 4:-4]
    assert flat.std() < 2 and columns[0, :, 1].std() > 20
    np.testing.assert_array_equal(columns[0], columns[1])
