"""A residual U-Net with most of its work at a quarter of the size and below; for our stages.

For machines without a GPU: at full resolution a few channels keep no processor busy. Two strided
convolutions lead at once to a quarter of the size, residual blocks (He et al., CVPR 2016) work
there and below, and a pixel shuffle (Shi et al., CVPR 2016) leads back to the full size.
"""

from operator import ge
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.modeling.base import StageModel, require


def require_levels(config: Any) -> None:
    """Raise ValueError unless `widths`, `blocks` and `working_size` of a config fit together."""
    name, widths, blocks = type(config).__name__, config.widths, config.blocks
    require(
        len(widths) >= 2 and all(width > 0 for width in widths),
        f"{name}.widths must be two or more positive numbers, got {widths}",
    )
    require(
        len(blocks) == len(widths) and all(count >= 0 for count in blocks),
        f"{name}.blocks must be as many numbers of 0 or more as widths, {len(widths)}, "
        f"got {blocks}",
    )
    step = 2 ** len(widths)
    require(
        config.working_size >= 0 and config.working_size % step == 0,
        f"{name}.working_size must be 0 or a multiple of 2**levels = {step}, "
        f"got {config.working_size}",
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


class ResidualUNet(StageModel):
    """Maps of a photo to maps of the same size; a stage says what goes in and what comes out.

    Args:
        config: widths (channels at 1/2, 1/4, ... of the size) and blocks (residual blocks of each
            level of the encoder).
        inputs, outputs: channels in and out.
    """

    def __init__(self, config: Any, inputs: int, outputs: int) -> None:
        super().__init__(config)
        widths = config.widths
        self.downs = nn.ModuleList(
            Down(before, after) for before, after in zip([inputs, *widths], widths, strict=False)
        )
        self.levels = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(widths, config.blocks, strict=True)
        )
        self.joins = nn.ModuleList(
            Join(below, width)
            for width, below in reversed(list(zip(widths, widths[1:], strict=False)))
        )
        self.last = nn.Conv2d(widths[0], 4 * outputs, 3, padding=1)  # 2 x 2 pixels of each map

    @property
    def sizes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Widths and blocks: two networks that share them share all layers but first and last."""
        return tuple(self.config.widths), tuple(self.config.blocks)

    @property
    def first(self) -> nn.Conv2d:
        """The layer that sees the input; it, `last` and nothing else depend on the stage."""
        return cast(nn.Conv2d, self.get_submodule("downs.0.0"))

    def extends(self, other: "ResidualUNet") -> bool:
        """Whether this is `other`, less its first and last layer, with as many blocks or more."""
        (widths, blocks), (known_widths, known_blocks) = self.sizes, other.sizes
        return widths == known_widths and all(map(ge, blocks, known_blocks))

    @torch.no_grad()
    def begin_with(self, known: "ResidualUNet") -> None:
        """Take over all of `known` but its first and last layer, which are a stage's own.

        Blocks that it does not have begin as the identity, as all blocks do.

        Raises:
            ValueError: `known` has other widths or more blocks; see `extends`.
        """
        require(self.extends(known), f"{self.config} cannot begin with {known.config}")
        weights = self.state_dict()
        for name, values in known.state_dict().items():
            if not name.startswith(("downs.0.0.", "last.")):
                weights[name].copy_(values)

    def maps(self, features: Tensor) -> Tensor:
        """(B,outputs,H,W) of (B,inputs,H,W); H and W are multiples of 2**levels."""
        skips = []
        for down, level in zip(self.downs, self.levels, strict=True):
            features = level(down(features))
            skips.append(features)
        features = skips.pop()
        for join in self.joins:
            features = join(features, skips.pop())
        # Not under autocast: bfloat16 would round depth to 0.25 px and more, which normals show.
        with torch.autocast(features.device.type, enabled=False):
            return F.pixel_shuffle(self.last(features.to(self.last.weight.dtype)), 2)
