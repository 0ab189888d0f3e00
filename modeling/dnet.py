"""D-Net: photo to dense depth by a U-Net. DF2Net (ICCV 2019) Sec. 3.3, Figure 2.

Layers as in the authors' release (8 levels, 64 channels): encoder LeakyReLU(0.2) -> conv -> BN,
decoder ReLU -> transposed conv -> BN -> dropout, three 3x3 layers at full resolution, no activation
at the end.
Ours besides: any width and number of levels, fewer channels at full resolution, a smaller working
size, a face-mask head.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.working_size import enlarged, require_halvings, shrunk
from df2net_hub.registry import register_model

DROPOUT_LEVELS = 3  # the deepest decoder levels that drop channels


@dataclass(frozen=True)
class DNetConfig:
    """Sizes of D-Net; the defaults are the paper's."""

    width: int = 64  # channels of the first level; the deepest have 8 times as many
    levels: int = 8  # halvings of the resolution
    working_size: int = 0  # side [px] to which larger photos are brought; 0: the photo's own
    dropout: float = 0.5  # of whole channels in the three deepest decoder levels, in training
    mask_head: bool = False  # one more output channel: logits of the face mask
    tail_width: int = 0  # channels at full resolution, where they cost most; 0: as many as `width`

    def __post_init__(self) -> None:
        require(
            self.width > 0 and self.width % 2 == 0,
            f"DNetConfig.width must be even and positive, got {self.width}",
        )
        require(
            self.tail_width >= 0 and self.tail_width % 2 == 0,
            f"DNetConfig.tail_width must be even and 0 or more, got {self.tail_width}",
        )
        require(self.levels >= 2, f"DNetConfig.levels must be 2 or more, got {self.levels}")
        require(
            self.working_size >= 0 and self.working_size % 2**self.levels == 0,
            f"DNetConfig.working_size must be 0 or a multiple of 2**levels = {2**self.levels}, "
            f"got {self.working_size}",
        )
        require(0 <= self.dropout < 1, f"DNetConfig.dropout must be in [0,1), got {self.dropout}")


class Down(nn.Module):
    """LeakyReLU -> 4x4 convolution of stride 2 -> BN; the outermost has no activation before it."""

    def __init__(
        self, in_channels: int, out_channels: int, activate: bool, normalize: bool
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels) if normalize else nn.Identity()
        self.activate = activate

    def forward(self, features: Tensor) -> Tensor:
        if self.activate:
            features = F.leaky_relu(features, 0.2)
        return self.norm(self.conv(features))


class Up(nn.Module):
    """ReLU -> 4x4 transposed convolution of stride 2 -> BN -> dropout of whole channels."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, features: Tensor) -> Tensor:
        return self.dropout(self.norm(self.conv(F.relu(features))))


@register_model(
    "dnet_small",
    slot="dense",
    config=DNetConfig(
        width=24, levels=6, working_size=128, dropout=0.0, mask_head=True, tail_width=8
    ),
    description="ours: the U-Net slimmer, at 128 px, with a face-mask head",
)
@register_model(
    "dnet_base", slot="dense", config=DNetConfig(), description="the paper's and the release's"
)
class DNet(StageModel):
    """Photo to dense depth; see `DNetConfig`."""

    config_class = DNetConfig

    def __init__(self, config: DNetConfig = DNetConfig()) -> None:
        super().__init__(config)
        width, levels = config.width, config.levels
        channels = [width * min(8, 2**level) for level in range(levels)]
        full = config.tail_width or width
        self.encoder = nn.ModuleList(
            Down(before, after, activate=level > 0, normalize=0 < level < levels - 1)
            for level, (before, after) in enumerate(zip([3, *channels], channels, strict=False))
        )
        self.decoder = nn.ModuleList()  # deepest first
        for level in reversed(range(levels)):
            joined = channels[level] * (1 if level == levels - 1 else 2)
            dropout = config.dropout if level >= levels - DROPOUT_LEVELS else 0.0
            self.decoder.append(Up(joined, channels[level - 1] if level else full, dropout))
        outputs = 2 if config.mask_head else 1
        tail: list[nn.Module] = [nn.ReLU()]
        for before, after in ((full, full), (full, full // 2)):
            conv = nn.ConvTranspose2d(before, after, 3, 1, 1, bias=False)
            tail += [conv, nn.BatchNorm2d(after), nn.ReLU()]
        self.tail = nn.Sequential(
            *tail, nn.ConvTranspose2d(full // 2, outputs, 3, 1, 1, bias=False)
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Dense depth of `photo` (B,3,H,W) in [-1,1]: (B,1,H,W), or (B,2,H,W) with mask logits.

        A photo whose longer side exceeds the working size is brought down to it, its depth back up.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        small = shrunk(photo, self.config.working_size)
        if small is None:
            return self._run(photo)
        height, width = photo.shape[-2:]
        maps = self._run(F.interpolate(photo, small, mode="area"))
        depth = enlarged(maps[:, :1], (height, width))
        if not self.config.mask_head:
            return depth
        logits = F.interpolate(maps[:, 1:], (height, width), mode="bilinear", align_corners=False)
        return torch.cat([depth, logits], 1)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, self.config.levels)
        features, skips = photo, []
        for down in self.encoder:
            features = down(features)  # (B,C,H/2^l,W/2^l)
            skips.append(features)
        features = self.decoder[0](skips.pop())
        for up in list(self.decoder)[1:]:
            features = up(torch.cat([features, skips.pop()], 1))  # [decoder, encoder]
        features = self.tail[:-1](features)  # (B,C/2,H,W) of C channels at full resolution
        # Not under autocast: bfloat16 would round depth to 0.25 px and more, which normals show.
        with torch.autocast(features.device.type, enabled=False):
            return self.tail[-1](features.to(self.tail[-1].weight.dtype))  # (B,1|2,H,W)
