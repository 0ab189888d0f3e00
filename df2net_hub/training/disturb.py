"""Disturbances of the depth that a refining stage is given, so that it is not taken for granted.

Behind the stages before it, a refining stage meets their errors on the pairs it is trained on. On
faces of other making those are larger and of other shape, and more of them pass. With random relief
and a tilt on the depth given to it, and the truth as it is, it learns to mend more than it meets.
"""

import torch
from torch import Tensor

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX
from df2net_hub.modeling.working_size import enlarged

# Squares to a side of the crop whose corners are drawn, and the draw's deviation [px of the crop].
RELIEF = ((26, 0.53), (14, 1.07), (8, 1.87))
SLOPE = 0.025  # deviation of the tilt in x and y [px of height per px]
STRONGEST = 2.0  # times the mean strength


def disturbed(depth: Tensor, strength: float) -> Tensor:
    """`depth` (B,1,S,S) [network depth] and smooth random relief, each photo's as strong as drawn.

    Mirror-symmetric about the crop's middle, as most of what tells faces apart is, and tilted.
    Strengths are uniform from 0 to twice `strength`; the draw follows torch's seed.
    """
    count, side = len(depth), depth.shape[-1]
    relief = torch.zeros(count, 1, side, side, device=depth.device)  # in full precision
    for squares, deviation in RELIEF:
        corners = torch.randn(count, 1, squares, squares, device=depth.device)
        symmetric = (corners + corners.flip(-1)) * (deviation / 2**0.5)
        relief += enlarged(symmetric, (side, side))
    across = torch.linspace(-CROP_SIZE / 2, CROP_SIZE / 2, side, device=depth.device)
    x, y = (SLOPE * torch.randn(2, count, 1, 1, 1, device=depth.device)).unbind()
    relief += x * across + y * across[:, None]
    drawn = strength * STRONGEST * torch.rand(count, 1, 1, 1, device=depth.device)
    return depth + drawn * relief / DEPTH_UNIT_PX
