"""A residual F-Net: refine a dense depth map with the photo, seeing the whole face.

Ours, in the place of the paper's F-Net (Sec. 3.4), which sees 26 px around each of its pixels:
most of what is wrong with the normals of a dense map lies at lids, lips and nostrils, and where
these belong is learned from the face around them. A U-Net, see `residual_unet`, that is given the
photo, the dense depth and its normals, and adds to the depth. It starts as the identity, and can
begin with what a D-Net knows of faces.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX, depth_to_normals
from df2net_hub.modeling.base import require
from df2net_hub.modeling.residual_unet import ResidualUNet, require_levels
from df2net_hub.modeling.working_size import enlarged, require_halvings, shrunk
from df2net_hub.registry import register_model

# How loud depth and normals begin in a network whose other weights know photos alone.
LOUDNESS = 0.3


@dataclass(frozen=True)
class ResidualFNetConfig:
    """Sizes of the residual F-Net."""

    widths: tuple[int, ...] = (16, 32, 64, 160, 256)  # channels at 1/2, 1/4, 1/8, ... of the size
    blocks: tuple[int, ...] = (0, 1, 1, 3, 2)  # residual blocks of each level of the encoder
    working_size: int = 256  # side [px] to which larger photos are brought

    def __post_init__(self) -> None:
        require_levels(self)
        require(
            self.working_size > 0, f"{type(self).__name__}.working_size must be positive, got 0"
        )


@register_model(
    "fnet_residual",
    slot="fine",
    config=ResidualFNetConfig(),
    description="ours: a U-Net at 256 px that adds to the dense depth, starts as the identity",
)
class ResidualFNet(ResidualUNet):
    """Photo and depth to finer depth; see `ResidualFNetConfig`."""

    config_class = ResidualFNetConfig
    # What the last layer counts in [network depth]: corrections are a few pixels, and in whole
    # units a step of AdamW would move each pixel by as many.
    unit: ClassVar[float] = 1 / 16

    def __init__(self, config: ResidualFNetConfig = ResidualFNetConfig()) -> None:
        super().__init__(config, inputs=7, outputs=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    @torch.no_grad()
    def begin_with(self, known: ResidualUNet) -> None:
        """Take over what a D-Net knows of photos, or another F-Net of those and depth.

        It adds nothing still.

        Raises:
            ValueError: `known` has other widths or more blocks.
        """
        super().begin_with(known)
        first, theirs = self.first.weight, known.first.weight
        given = theirs.shape[1]
        first[:, :given] = theirs
        first[:, given:] *= LOUDNESS

    def forward(self, photo: Tensor, depth: Tensor) -> Tensor:
        """Refine `depth` (B,1,H,W) with `photo` (B,3,H,W) in [-1,1]; same shape and unit out.

        Of a photo whose longer side exceeds the working size, photo and depth are brought down to
        it, and what is added is brought back up. A smaller photo is taken for a window of one of
        the working size, as it is trained on.

        Raises:
            ValueError: the working height or width is not a multiple of 2**levels.
        """
        return depth + self.residual(photo, depth)

    def residual(self, photo: Tensor, depth: Tensor) -> Tensor:
        """What `forward` adds to the depth: (B,1,H,W)."""
        small = shrunk(photo, self.config.working_size)
        if small is None:
            return self._run(photo, depth)
        size = photo.shape[-2:]
        photo, depth = (F.interpolate(maps, small, mode="area") for maps in (photo, depth))
        return enlarged(self._run(photo, depth), size)

    def _run(self, photo: Tensor, depth: Tensor) -> Tensor:
        require_halvings(photo, len(self.downs))
        px = DEPTH_UNIT_PX * self.config.working_size / CROP_SIZE  # of the grid worked on
        normals = depth_to_normals(depth * px)  # (B,3,H,W)
        return self.unit * self.maps(torch.cat([photo, depth, normals], 1))
