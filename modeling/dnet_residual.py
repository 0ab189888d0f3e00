"""A residual D-Net: photo to dense depth with most of the work at an eighth to a 32nd of the size.

Ours, in the place of the paper's D-Net (Sec. 3.3), whose U-Net spends half of its time at full
resolution; see `residual_unet`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from df2net_hub.modeling.base import require
from df2net_hub.modeling.residual_unet import ResidualUNet, require_levels
from df2net_hub.modeling.working_size import at_working_size, require_halvings
from df2net_hub.registry import register_model

# Logarithm of the error [network depth] that an untrained uncertainty head expects: 6 px.
EXPECTED_AT_FIRST = -3.0


@dataclass(frozen=True)
class ResidualDNetConfig:
    """Sizes of the residual D-Net."""

    widths: tuple[int, ...] = (16, 32, 64, 160, 256)  # channels at 1/2, 1/4, 1/8, ... of the size
    blocks: tuple[int, ...] = (0, 1, 1, 3, 2)  # residual blocks of each level of the encoder
    working_size: int = 128  # side [px] to which larger photos are brought; 0: the photo's own
    mask_head: bool = True
    uncertainty_head: bool = False  # one more map: log of the expected depth error [network depth]

    def __post_init__(self) -> None:
        require_levels(self)
        require(
            self.mask_head or not self.uncertainty_head,
            "ResidualDNetConfig.uncertainty_head needs mask_head: it is the third map",
        )

    @property
    def outputs(self) -> int:
        """Maps given: depth, mask logits, logarithm of the uncertainty, in this order."""
        return 1 + self.mask_head + self.uncertainty_head


@register_model(
    "dnet_residual",
    slot="dense",
    config=ResidualDNetConfig(),
    description="ours: residual blocks at 1/4 size and below, works at 128 px",
)
class ResidualDNet(ResidualUNet):
    """Photo to dense depth; see `ResidualDNetConfig`."""

    config_class = ResidualDNetConfig

    def __init__(self, config: ResidualDNetConfig = ResidualDNetConfig()) -> None:
        super().__init__(config, inputs=3, outputs=config.outputs)
        if config.uncertainty_head:
            nn.init.zeros_(self.last.weight[-4:])
            nn.init.constant_(self.last.bias[-4:], EXPECTED_AT_FIRST)

    def extends(self, other: ResidualUNet) -> bool:
        """Whether this is the D-Net `other` with as many blocks and maps, or more."""
        fits = isinstance(other, ResidualDNet) and (
            other.config.mask_head == self.config.mask_head
            and other.config.outputs <= self.config.outputs
        )
        return fits and super().extends(other)

    @torch.no_grad()
    def begin_with(self, known: ResidualUNet) -> None:
        """Take over a D-Net of as many blocks and maps, or fewer; the same function still.

        Raises:
            ValueError: no D-Net, or one of other widths, more blocks or maps that this one lacks.
        """
        super().begin_with(known)
        self.first.load_state_dict(known.first.state_dict())
        known_maps = len(known.last.bias)  # the first ones here
        self.last.weight[:known_maps] = known.last.weight
        self.last.bias[:known_maps] = known.last.bias

    def forward(self, photo: Tensor) -> Tensor:
        """Maps of `photo` (B,3,H,W) in [-1,1]: dense depth, mask logits, log of the uncertainty.

        (B,1,H,W) without heads, (B,2,H,W) with the mask's, (B,3,H,W) with both; depth and its
        uncertainty are network depth. A photo whose longer side exceeds the working size is brought
        down to it, its maps back up.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return at_working_size(self._run, photo, self.config.working_size)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, len(self.downs))
        return self.maps(photo)
