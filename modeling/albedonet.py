"""AlbedoNet: photo to albedo, what SfSNet does for the paper. DF2Net (ICCV 2019) Sec. 3.2 and 3.4.

Not a copy of SfSNet: a small U-Net predicts how much light falls where, and the photo is divided by
it. What the net says is smooth or coarse, so brows, lips, freckles and stubble stay as sharp as the
photo has them:

    albedo = (photo - highlight) / light,  all in linear light

- light = exp(gray + tint): `gray` at the working size, `tint` (no mean over the channels) eight
  times coarser, so that no tint can take the red from lips or the brown from freckles.
- highlight: the same amount of every channel, at most 0.8 of the darkest one.

The level and the tint of the whole face cannot be known from one photo: a dark face in bright light
looks like a light face in dim light. The net gives what is likeliest over its training pairs.
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.dnet import Down
from df2net_hub.modeling.working_size import shrunk
from df2net_hub.registry import register_model
from df2net_hub.srgb import to_linear, to_srgb

BUNDLED_WEIGHTS = Path(str(files("df2net_hub"))) / "weights" / "albedonet-small"
TINT_LEVEL = 3  # halvings of the working size at which the light's tint is read
LARGEST_HIGHLIGHT = 0.8  # share of the darkest channel
LARGEST_LOG_LIGHT = 4.0  # the light is within exp(-4) and exp(4) of a white lamp's


@dataclass(frozen=True)
class AlbedoNetConfig:
    """Sizes of AlbedoNet."""

    width: int = 16  # channels of the first level; the deepest have 8 times as many
    levels: int = 5  # halvings of the resolution
    working_size: int = 128  # side [px] to which larger photos are brought; 0: the photo's own

    def __post_init__(self) -> None:
        require(self.width > 0, f"AlbedoNetConfig.width must be positive, got {self.width}")
        require(
            self.levels > TINT_LEVEL,
            f"AlbedoNetConfig.levels must be {TINT_LEVEL + 1} or more, got {self.levels}",
        )
        require(
            self.working_size >= 0 and self.working_size % 2**self.levels == 0,
            "AlbedoNetConfig.working_size must be 0 or a multiple of 2**levels = "
            f"{2**self.levels}, got {self.working_size}",
        )


class SmoothUp(nn.Module):
    """Bilinear upsampling by 2, joined with the encoder's features: 3x3 convolution -> BN -> ReLU.

    D-Net's transposed convolutions leave a grid, which a division would print into the albedo.
    """

    def __init__(self, in_channels: int, skip_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels + skip_channels, out_channels, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, features: Tensor, skip: Tensor) -> Tensor:
        features = _resize(features, skip.shape[-2:])
        return F.relu(self.norm(self.conv(torch.cat([features, skip], 1))))


@register_model(
    "albedonet_base",
    slot="albedo",
    config=AlbedoNetConfig(width=32, working_size=256),
    description="photo to albedo, light at 256 px",
)
@register_model(
    "albedonet_small",
    slot="albedo",
    config=AlbedoNetConfig(),
    description="photo to albedo, light at 128 px",
)
class AlbedoNet(StageModel):
    """Photo to albedo; see `AlbedoNetConfig`."""

    config_class = AlbedoNetConfig

    def __init__(self, config: AlbedoNetConfig = AlbedoNetConfig()) -> None:
        super().__init__(config)
        levels = config.levels
        channels = [config.width * min(8, 2**level) for level in range(levels)]
        self.encoder = nn.ModuleList(
            Down(before, after, activate=level > 0, normalize=0 < level < levels - 1)
            for level, (before, after) in enumerate(zip([3, *channels], channels, strict=False))
        )
        skips = [3, *channels[:-1]]  # of each level, from the photo down
        given = [config.width, *channels[:-1]]  # channels that the decoder leaves at each level
        self.decoder = nn.ModuleList()  # deepest first
        features = channels[-1]
        for level in reversed(range(levels)):
            self.decoder.append(SmoothUp(features, skips[level], given[level]))
            features = given[level]
        self.tint = nn.Conv2d(given[TINT_LEVEL], 3, 1)
        self.gray = nn.Conv2d(given[0], 2, 3, 1, 1)
        # It begins with white light that leaves photos as they are, and next to no highlight.
        for values in (*self.tint.parameters(), *self.gray.parameters()):
            nn.init.zeros_(values)
        assert self.gray.bias is not None
        nn.init.constant_(self.gray.bias[1:], -3.0)

    @classmethod
    def from_pretrained(  # type: ignore[override]  # the source may be left out
        cls, source: str | Path | None = None, *, subfolder: str = "", **download: Any
    ) -> "AlbedoNet":
        """Load the bundled weights (None), a folder or "owner/name"; see `StageModel`."""
        return super().from_pretrained(
            BUNDLED_WEIGHTS if source is None else source, subfolder=subfolder, **download
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Albedo (B,3,H,W) in [0,1], sRGB-like, of `photo` (B,3,H,W) in [-1,1].

        `df2net_hub.srgb.to_linear` undoes the encoding. It means something on the face only.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return self.split(photo)[0]

    def split(self, photo: Tensor) -> tuple[Tensor, Tensor]:
        """Albedo as `forward` gives it, and the light (B,3,H,W), linear, 0 and more.

        Where nothing shines and nothing is clipped, linear albedo times light is the linear photo.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        size = photo.shape[-2:]
        gray, tint, shine = self._look(self._working(photo))
        with torch.autocast(photo.device.type, enabled=False):
            linear = to_linear((photo.float() + 1) / 2)  # (B,3,H,W)
            log_light = _resize(gray.float(), size) + _resize(tint.float(), size)  # (B,3,H,W)
            share = LARGEST_HIGHLIGHT * _resize(shine.float(), size).sigmoid()  # (B,1,H,W)
            light = log_light.clamp(-LARGEST_LOG_LIGHT, LARGEST_LOG_LIGHT).exp()
            diffuse = linear - share * linear.amin(1, keepdim=True)
            return to_srgb(diffuse / light), light

    def _working(self, photo: Tensor) -> Tensor:
        height, width = photo.shape[-2:]
        small = shrunk(photo, self.config.working_size)
        if small is not None:
            photo = F.interpolate(photo, small, mode="area")
        step = 2**self.config.levels
        if photo.shape[-2] % step or photo.shape[-1] % step:
            raise ValueError(
                f"AlbedoNet with {self.config.levels} levels needs height and width that are "
                f"multiples of {step} at its working size, got {height} x {width}"
            )
        return photo

    def _look(self, photo: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Gray log light (B,1,h,w), its tint (B,3,h/8,w/8), logits of the highlight (B,1,h,w)."""
        features, skips = photo, []
        for down in self.encoder:
            skips.append(features)
            features = down(features)  # (B,C,h/2^l,w/2^l)
        for up in self.decoder:
            features = up(features, skips.pop())
            if len(skips) == TINT_LEVEL:
                tint = self.tint(features)  # (B,3,h/8,w/8)
        gray = self.gray(features)  # (B,2,h,w)
        return gray[:, :1], tint - tint.mean(1, keepdim=True), gray[:, 1:]


def _resize(maps: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(maps, list(size), mode="bilinear", align_corners=False)
