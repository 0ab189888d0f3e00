"""D-Net around any encoder of timm: photo to dense depth, for comparing encoders.

Ours, in the place of the paper's D-Net (Sec. 3.3). The encoder's maps, one for each halving of the
size, are joined from the smallest up, as in `dnet_residual`. It begins untrained: weights that
timm offers for download have licenses of their own, which the depth network would inherit.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.residual_unet import Join
from df2net_hub.modeling.working_size import at_working_size, require_halvings
from df2net_hub.registry import register_model


@dataclass(frozen=True)
class TimmDNetConfig:
    """Encoder and sizes of a D-Net around it."""

    encoder: str = "resnet18"  # a name of `timm.list_models()` that gives maps at several sizes
    widths: tuple[int, ...] = (16, 32, 64, 96)  # of the decoder, from the largest map; the smallest
    # map keeps the encoder's own channels, so there is one width less than there are maps
    working_size: int = 128  # side [px] to which larger photos are brought; 0: the photo's own
    mask_head: bool = True

    def __post_init__(self) -> None:
        require(
            len(self.widths) >= 1 and all(width > 0 for width in self.widths),
            f"TimmDNetConfig.widths must be one or more positive numbers, got {self.widths}",
        )
        require(
            self.working_size >= 0,
            f"TimmDNetConfig.working_size must be 0 or more, got {self.working_size}",
        )


@register_model(
    "dnet_timm",
    slot="dense",
    config=TimmDNetConfig(),
    description="ours: any timm encoder, from scratch; needs timm",
)
class TimmDNet(StageModel):
    """Photo to dense depth; see `TimmDNetConfig`.

    Raises:
        ModuleNotFoundError: timm is not installed.
        ValueError: timm has no such encoder, or it has not one map more than there are widths, each
            of half the size of the one before.
    """

    config_class = TimmDNetConfig

    def __init__(self, config: TimmDNetConfig = TimmDNetConfig()) -> None:
        super().__init__(config)
        self.encoder, channels, strides = _encoder(config.encoder)
        require(
            all(after == 2 * before for before, after in zip(strides, strides[1:], strict=False)),
            f"encoder {config.encoder!r} gives maps at 1/{', 1/'.join(map(str, strides))} of the "
            "size; D-Net needs each at half the size of the one before",
        )
        require(
            len(config.widths) == len(channels) - 1,
            f"encoder {config.encoder!r} gives {len(channels)} maps, so TimmDNetConfig.widths must "
            f"be {len(channels) - 1} numbers, got {config.widths}",
        )
        self.halvings = strides[-1].bit_length() - 1
        self.skips = nn.ModuleList(
            nn.Conv2d(given, width, 1)
            for given, width in zip(channels, config.widths, strict=False)
        )
        below = [*config.widths[1:], channels[-1]]
        self.joins = nn.ModuleList(
            Join(given, width) for width, given in zip(config.widths, below, strict=True)
        )
        outputs = 2 if config.mask_head else 1
        self.last = nn.Conv2d(config.widths[0], strides[0] ** 2 * outputs, 3, padding=1)

    def forward(self, photo: Tensor) -> Tensor:
        """Dense depth of `photo` (B,3,H,W) in [-1,1]: (B,1,H,W), or (B,2,H,W) with mask logits.

        A photo whose longer side exceeds the working size is brought down to it, its depth back up.

        Raises:
            ValueError: the working height or width is not a multiple of the smallest map's step.
        """
        return at_working_size(self._run, photo, self.config.working_size)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, self.halvings)
        *maps, features = self.encoder(photo)  # (B,C,H/2,W/2) or (B,C,H/4,W/4) and so on
        for skip, join, given in reversed(list(zip(self.skips, self.joins, maps, strict=True))):
            features = join(features, skip(given))
        step = photo.shape[-1] // features.shape[-1]
        # Not under autocast, as in `dnet_residual`.
        with torch.autocast(features.device.type, enabled=False):
            return F.pixel_shuffle(self.last(features.to(self.last.weight.dtype)), step)


def _encoder(name: str) -> tuple[nn.Module, list[int], list[int]]:
    """The network, and channels and steps [px] of its maps, largest first."""
    try:
        import timm
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "timm is not installed: pip install 'df2net_hub[train]'"
        ) from error
    if not timm.is_model(name):
        raise ValueError(f"timm has no encoder {name!r}; timm.list_models() shows what it has")
    encoder = timm.create_model(name, features_only=True, pretrained=False)
    return encoder, encoder.feature_info.channels(), encoder.feature_info.reduction()
