"""A residual D-Net: photo to dense depth with most of the work at an eighth to a 32nd of the size.

Ours, in the place of the paper's D-Net (Sec. 3.3) for machines without a GPU. The paper's U-Net
spends half of its time at full resolution, where a few channels keep no processor busy. Here two
strided convolutions lead at once to a quarter of the size, residual blocks (He et al., CVPR 2016)
work there and below, and a pixel shuffle (Shi et al., CVPR 2016) leads back to the full size.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.working_size import at_working_size, require_halvings
from df2net_hub.registry import register_model


@dataclass(frozen=True)
class ResidualDNetConfig:
    """Sizes of the residual D-Net."""

    widths: tuple[int, ...] = (16, 32, 64, 160, 256)  # channels at 1/2, 1/4, 1/8, ... of the size
    blocks: tuple[int, ...] = (0, 1, 1, 3, 2)  # residual blocks of each level of the encoder
    working_size: int = 128  # side [px] to which larger photos are brought; 0: the photo's own
    mask_head: bool = True

    def __post_init__(self) -> None:
        require(
            len(self.widths) >= 2 and all(width > 0 for width in self.widths),
            f"ResidualDNetConfig.widths must be two or more positive numbers, got {self.widths}",
        )
        require(
            len(self.blocks) == len(self.widths) and all(count >= 0 for count in self.blocks),
            f"ResidualDNetConfig.blocks must be as many numbers of 0 or more as widths, "
            f"{len(self.widths)}, got {self.blocks}",
        )
        step = 2 ** len(self.widths)
        require(
            self.working_size >= 0 and self.working_size % step == 0,
            f"ResidualDNetConfig.working_size must be 0 or a multiple of 2**levels = {step}, "
            f"got {self.working_size}",
        )


class Block(nn.Module):
    """Two 3x3 convolutions added to what came in; the second one's BN begins at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, features: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(features)))
        return F.relu(features + self.norm2(self.conv2(inner)))


class Down(nn.Sequential):
    """4x4 convolution of stride 2 -> BN -> ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class Join(nn.Module):
    """Features from below at twice their size plus the encoder's, then a residual block."""

    def __init__(self, below: int, channels: int) -> None:
        super().__init__()
        self.lift = nn.Conv2d(below, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.block = Block(channels)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        lifted = F.interpolate(self.norm(self.lift(below)), scale_factor=2, mode="nearest")
        return self.block(F.relu(lifted + skip))


@register_model(
    "dnet_residual",
    slot="dense",
    config=ResidualDNetConfig(),
    description="ours: residual blocks at 1/4 size and below, works at 128 px",
)
class ResidualDNet(StageModel):
    """Photo to dense depth; see `ResidualDNetConfig`."""

    config_class = ResidualDNetConfig

    def __init__(self, config: ResidualDNetConfig = ResidualDNetConfig()) -> None:
        super().__init__(config)
        widths = config.widths
        self.downs = nn.ModuleList(
            Down(before, after) for before, after in zip([3, *widths], widths, strict=False)
        )
        self.levels = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(widths, config.blocks, strict=True)
        )
        self.joins = nn.ModuleList(
            Join(below, width)
            for width, below in reversed(list(zip(widths, widths[1:], strict=False)))
        )
        outputs = 2 if config.mask_head else 1
        self.last = nn.Conv2d(widths[0], 4 * outputs, 3, padding=1)  # 2 x 2 pixels of each map

    def forward(self, photo: Tensor) -> Tensor:
        """Dense depth of `photo` (B,3,H,W) in [-1,1]: (B,1,H,W), or (B,2,H,W) with mask logits.

        A photo whose longer side exceeds the working size is brought down to it, its depth back up.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return at_working_size(self._run, photo, self.config.working_size)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, len(self.downs))
        features, skips = photo, []
        for down, level in zip(self.downs, self.levels, strict=True):
            features = level(down(features))
            skips.append(features)
        features = skips.pop()
        for join in self.joins:
            features = join(features, skips.pop())
        # Not under autocast: bfloat16 would round depth to 0.25 px and more, which normals show.
        with torch.autocast(features.device.type, enabled=False):
            return F.pixel_shuffle(self.last(features.to(self.last.weight.dtype)), 2)
