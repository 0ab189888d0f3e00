"""F-Net: refine a dense depth map with the photo. DF2Net (ICCV 2019) Sec. 3.4.

Layers as in the authors' release at width 8, where F-Net predicts the fine depth outright. Ours
besides: any width, and a residual form that starts as the identity.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.modeling.base import StageModel, require
from df2net_hub.modeling.hypercolumn import Head, Trunk, he_initialize, upsample
from df2net_hub.modeling.working_size import enlarged, shrunk
from df2net_hub.registry import register_model


@dataclass(frozen=True)
class FNetConfig:
    """Sizes of F-Net; the defaults are the paper's."""

    width: int = 8  # channels of each input's first layer
    residual: bool = False  # add the output to the depth given, and begin at zero
    depth_range: float = 1.0  # the output is depth_range x Tanh [network depth]
    working_size: int = 0  # side [px] to which larger photos are brought; 0: the photo's own

    def __post_init__(self) -> None:
        require(self.width > 0, f"FNetConfig.width must be positive, got {self.width}")
        require(
            self.depth_range > 0, f"FNetConfig.depth_range must be positive, got {self.depth_range}"
        )
        require(
            self.working_size >= 0 and self.working_size % 4 == 0,
            f"FNetConfig.working_size must be 0 or a multiple of 4, got {self.working_size}",
        )


@register_model(
    "fnet_small",
    slot="fine",
    config=FNetConfig(residual=True, depth_range=0.5, working_size=256),
    description="ours: works at 256 px, adds to the dense depth, starts as the identity",
)
@register_model(
    "fnet_base", slot="fine", config=FNetConfig(), description="the paper's and the release's"
)
class FNet(StageModel):
    """Photo and depth to finer depth; see `FNetConfig`."""

    config_class = FNetConfig

    def __init__(self, config: FNetConfig = FNetConfig()) -> None:
        super().__init__(config)
        self.trunk = Trunk(config.width)
        self.head = Head(14 * config.width, config.width)
        he_initialize(self)
        if config.residual:
            self.head.start_at_zero()

    def forward(self, photo: Tensor, depth: Tensor) -> Tensor:
        """Refine `depth` (B,1,H,W) with `photo` (B,3,H,W) in [-1,1]; same shape and unit out.

        Of a photo whose longer side exceeds the working size, photo and depth are brought down to
        it, and what comes out is brought back up.
        """
        small = shrunk(photo, self.config.working_size)
        if small is None:
            refined = self._run(photo, depth)
        else:
            height, width = photo.shape[-2:]
            photo, coarse = (F.interpolate(maps, small, mode="area") for maps in (photo, depth))
            refined = enlarged(self._run(photo, coarse), (height, width))
        return depth + refined if self.config.residual else refined

    def _run(self, photo: Tensor, depth: Tensor) -> Tensor:
        columns = self.trunk(depth, photo)
        joined = [columns.conv2, upsample(columns.conv4, 2), upsample(columns.conv7, 4)]
        return self.config.depth_range * self.head(torch.cat(joined, 1))  # (B,1,H,W)
