"""A residual D-Net grown by one size: what it learned at 128 px is kept and seen through at 256 px.

Ours. A D-Net trained at one size is at a loss at another, and at twice the size each crop costs
four times as much. So, as networks that generate pictures are grown (Karras et al., ICLR 2018), a
trained `dnet_residual` stays as it is inside, and one level is put around it: features of the photo
at twice the size, which the inner network is given beside the photo, and a correction at twice the
size from its last features and these. At the start it says what the inner network says.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.geometry import DEPTH_UNIT_PX
from df2net_hub.modeling.base import require
from df2net_hub.modeling.dnet_residual import ResidualDNet
from df2net_hub.modeling.residual_unet import (
    Block,
    Down,
    Join,
    ResidualUNet,
    require_levels,
    shuffled,
)
from df2net_hub.modeling.working_size import at_working_size, require_halvings
from df2net_hub.registry import register_model

# One unit of the correction's depth. Adam moves all weights by like steps, whatever they mean:
# were it a unit of network depth, the first steps would shake the face by many pixels.
CORRECTION_PX = 4.0


@dataclass(frozen=True)
class GrownDNetConfig:
    """Sizes of the grown D-Net: those of the inner one, and of the level around it."""

    widths: tuple[int, ...] = (16, 32, 64, 160, 256)  # channels at 1/4, 1/8, 1/16, ... of the size
    blocks: tuple[int, ...] = (0, 1, 1, 3, 2)  # residual blocks of each level of the encoder
    outer: int = 16  # channels at 1/2 of the size
    outer_blocks: int = 1  # residual blocks there on the way in, and as many more on the way out
    working_size: int = 256  # side [px] to which larger photos are brought; 0: the photo's own
    mask_head: bool = True

    def __post_init__(self) -> None:
        require_levels(self)
        require(
            self.working_size % 2 ** (len(self.widths) + 1) == 0,
            f"GrownDNetConfig.working_size must be 0 or a multiple of 2**(levels + 1) = "
            f"{2 ** (len(self.widths) + 1)}, got {self.working_size}",
        )
        require(self.outer > 0, f"GrownDNetConfig.outer must be positive, got {self.outer}")
        require(
            self.outer_blocks >= 0,
            f"GrownDNetConfig.outer_blocks must be 0 or more, got {self.outer_blocks}",
        )


@register_model(
    "dnet_grown",
    slot="dense",
    config=GrownDNetConfig(),
    description="ours: a dnet_residual grown from 128 to 256 px, starts as what it grows from",
)
class GrownDNet(ResidualUNet):
    """Photo to dense depth; see `GrownDNetConfig`."""

    config_class = GrownDNetConfig

    def __init__(self, config: GrownDNetConfig = GrownDNetConfig()) -> None:
        outputs = 2 if config.mask_head else 1
        super().__init__(config, inputs=3 + config.outer, outputs=outputs)
        self.outer_down = Down(3, config.outer)
        self.outer_level = nn.Sequential(*(Block(config.outer) for _ in range(config.outer_blocks)))
        self.outer_join = Join(config.widths[0], config.outer)
        self.outer_more = nn.Sequential(*(Block(config.outer) for _ in range(config.outer_blocks)))
        self.outer_last = nn.Conv2d(config.outer, 4 * outputs, 3, padding=1)
        for parameter in self.outer_last.parameters():
            nn.init.zeros_(parameter)

    def grow_from(self, inner: ResidualDNet) -> None:
        """Take over the weights of `inner`, so that this network says what `inner` says.

        Raises:
            ValueError: its widths, blocks or maps are not those of this network.
        """
        own, others = self.config, inner.config
        for name in ("widths", "blocks", "mask_head"):
            given, wanted = getattr(others, name), getattr(own, name)
            require(
                given == wanted,
                f"a D-Net of {name} {given} does not grow into one of {name} {wanted}; "
                f"set GrownDNetConfig.{name} to {given}",
            )
        weights = inner.state_dict()
        first = weights["downs.0.0.weight"]  # (C,3,4,4); the new features are unheard at first
        unheard = first.new_zeros(len(first), own.outer, *first.shape[2:])
        weights["downs.0.0.weight"] = torch.cat([first, unheard], 1)
        outer = {name: v for name, v in self.state_dict().items() if name.startswith("outer_")}
        self.load_state_dict(weights | outer)

    def forward(self, photo: Tensor) -> Tensor:
        """Dense depth of `photo` (B,3,H,W) in [-1,1]: (B,1,H,W), or (B,2,H,W) with mask logits.

        A photo whose longer side exceeds the working size is brought down to it, its depth back up.

        Raises:
            ValueError: the working height or width is not a multiple of 2**(levels + 1).
        """
        return at_working_size(self._run, photo, self.config.working_size)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, len(self.downs) + 1)
        outer = self.outer_level(self.outer_down(photo))  # (B,outer,H/2,W/2)
        features = self.features(torch.cat([F.avg_pool2d(photo, 2), outer], 1))  # (B,C,H/4,W/4)
        coarse = shuffled(self.last, features)  # (B,1|2,H/2,W/2)
        maps = F.interpolate(coarse, photo.shape[-2:], mode="bicubic")
        added = shuffled(self.outer_last, self.outer_more(self.outer_join(features, outer)))
        depth = added[:, :1] * (CORRECTION_PX / DEPTH_UNIT_PX)
        return maps + torch.cat([depth, added[:, 1:]], 1)
