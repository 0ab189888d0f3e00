"""Fr-Net: the finest relief as a residual, by multi-resolution hypercolumn blocks. DF2Net Sec. 3.5.

Layers as in the authors' release at width 8, less two convolutions per block that the release
carries and never uses. `multi_resolution=False` is the alternative of Sec. 4.1.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.hypercolumn import (
    Fuse,
    Head,
    Trunk,
    activated,
    conv3x3,
    he_initialize,
    upsample,
)
from df2net_hub.registry import register_model


@dataclass(frozen=True)
class FrNetConfig:
    """Sizes of Fr-Net; the defaults are the paper's."""

    width: int = 8  # channels of each input's first layer
    multi_resolution: bool = True  # correct at 1/4, 1/2 and full size; False: the trunk alone
    depth_range: float = 1.0  # the residual is depth_range x Tanh [network depth]
    zero_init: bool = False  # begin with a residual of zero

    def __post_init__(self) -> None:
        require(self.width > 0, f"FrNetConfig.width must be positive, got {self.width}")
        require(
            self.depth_range > 0,
            f"FrNetConfig.depth_range must be positive, got {self.depth_range}",
        )


class Block(nn.Module):
    """One resolution: the coarser map and the photo fused, brought up x2, joined with the trunk."""

    def __init__(self, trunk_channels: int, width: int) -> None:
        super().__init__()
        self.fuse = Fuse(width)
        self.conv = conv3x3(2 * width, 2 * width)
        self.joined = nn.ModuleList(
            [
                conv3x3(4 * width + trunk_channels, 8 * width),
                *(conv3x3(8 * width, 8 * width) for _ in range(2)),
            ]
        )
        self.head = Head(8 * width, width)

    def forward(self, coarser: Tensor, photo: Tensor, trunk: Tensor) -> Tensor:
        """Map (B,1,2h,2w) from `coarser` (B,1,h,w), a photo so large, and `trunk` (B,C,2h,2w)."""
        fused = self.fuse(coarser, photo)
        column = torch.cat([fused, activated(self.conv, fused)], 1)
        features = torch.cat([upsample(column, 2), trunk], 1)
        for conv in self.joined:
            features = activated(conv, features)
        return self.head(features)


@register_model(
    "frnet_plain",
    slot="finer",
    config=FrNetConfig(multi_resolution=False),
    description="Sec. 4.1: without multi-resolution blocks",
)
@register_model(
    "frnet_small",
    slot="finer",
    config=FrNetConfig(width=2, depth_range=0.25, zero_init=True),
    description="ours: a quarter of the channels, starts at no relief",
)
@register_model(
    "frnet_base", slot="finer", config=FrNetConfig(), description="the paper's and the release's"
)
class FrNet(StageModel):
    """Photo and depth to a residual depth; see `FrNetConfig`."""

    config_class = FrNetConfig

    def __init__(self, config: FrNetConfig = FrNetConfig()) -> None:
        super().__init__(config)
        width = config.width
        self.trunk = Trunk(width)
        # Without the blocks the head reads the full-size hypercolumn, as F-Net's does.
        self.head = Head((8 if config.multi_resolution else 14) * width, width)
        if config.multi_resolution:
            self.half_block = Block(8 * width, width)
            self.full_block = Block(4 * width, width)
        he_initialize(self)
        if config.zero_init:
            (self.full_block.head if config.multi_resolution else self.head).start_at_zero()

    def forward(self, photo: Tensor, depth: Tensor) -> Tensor:
        """Residual depth (B,1,H,W) for `depth` (B,1,H,W), `photo` (B,3,H,W) in [-1,1]."""
        columns = self.trunk(depth, photo)
        if not self.config.multi_resolution:
            joined = [columns.conv2, upsample(columns.conv4, 2), upsample(columns.conv7, 4)]
            return self.config.depth_range * self.head(torch.cat(joined, 1))
        quarter = self.head(columns.conv7)  # (B,1,H/4,W/4)
        hyper2 = torch.cat([columns.conv3, columns.conv4], 1)  # (B,8w,H/2,W/2)
        hyper1 = torch.cat([columns.fused, columns.conv2], 1)  # (B,4w,H,W)
        half = self.half_block(quarter, F.avg_pool2d(photo, 4), hyper2)  # (B,1,H/2,W/2)
        full = self.full_block(half, F.avg_pool2d(photo, 2), hyper1)  # (B,1,H,W)
        return self.config.depth_range * full
