"""A residual Fr-Net: the finest relief, from the photo and the fine depth at the crop's full size.

Ours, in the place of the paper's Fr-Net (Sec. 3.5): the residual F-Net once more, at twice its
size, where lids, lips and nostrils have four times its pixels. It starts as no relief, and can
begin with what an F-Net knows.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from df2net_hub.modeling.fnet_residual import ResidualFNet, ResidualFNetConfig
from df2net_hub.registry import register_model


@dataclass(frozen=True)
class ResidualFrNetConfig(ResidualFNetConfig):
    """Sizes of the residual Fr-Net: those of the residual F-Net at the size of a crop."""

    working_size: int = 512  # side [px] to which larger photos are brought


@register_model(
    "frnet_residual",
    slot="finer",
    config=ResidualFrNetConfig(),
    description="ours: the residual F-Net at 512 px, starts at no relief",
)
class ResidualFrNet(ResidualFNet):
    """Photo and fine depth to the relief that is added to it; see `ResidualFrNetConfig`."""

    config_class = ResidualFrNetConfig
    unit: ClassVar[float] = 1 / 32  # as many pixels as F-Net's unit at half the size

    def __init__(self, config: ResidualFrNetConfig = ResidualFrNetConfig()) -> None:
        super().__init__(config)

    def forward(self, photo: Tensor, depth: Tensor) -> Tensor:
        """Residual (B,1,H,W) [network depth] of `depth` (B,1,H,W) and `photo` (B,3,H,W) in [-1,1].

        Larger photos are brought down to the working size, smaller ones taken for windows, as by
        `ResidualFNet`.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return self.residual(photo, depth)
