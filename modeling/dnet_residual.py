"""A residual D-Net: photo to dense depth with most of the work at an eighth to a 32nd of the size.

Ours, in the place of the paper's D-Net (Sec. 3.3), whose U-Net spends half of its time at full
resolution; see `residual_unet`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from df2net_hub.modeling.residual_unet import ResidualUNet, require_levels
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
        require_levels(self)


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
        super().__init__(config, inputs=3, outputs=2 if config.mask_head else 1)

    def extends(self, other: ResidualUNet) -> bool:
        """Whether this is the D-Net `other` with as many blocks or more."""
        same_outputs = (
            isinstance(other, ResidualDNet) and other.config.mask_head == self.config.mask_head
        )
        return same_outputs and super().extends(other)

    @torch.no_grad()
    def begin_with(self, known: ResidualUNet) -> None:
        """Take over a D-Net of as many blocks or fewer; the same function still.

        Raises:
            ValueError: no D-Net, or one of other widths, more blocks or another mask head.
        """
        super().begin_with(known)
        self.first.load_state_dict(known.first.state_dict())
        self.last.load_state_dict(known.last.state_dict())

    def forward(self, photo: Tensor) -> Tensor:
        """Dense depth of `photo` (B,3,H,W) in [-1,1]: (B,1,H,W), or (B,2,H,W) with mask logits.

        A photo whose longer side exceeds the working size is brought down to it, its depth back up.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return at_working_size(self._run, photo, self.config.working_size)

    def _run(self, photo: Tensor) -> Tensor:
        require_halvings(photo, len(self.downs))
        return self.maps(photo)
