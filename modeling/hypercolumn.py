"""The trunk of F-Net and Fr-Net: features of photo and depth at full, half and quarter size.

DF2Net (ICCV 2019) Sec. 3.4, Figure 2; channel counts are multiples of `width`, 8 in the paper.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from df2net_hub.geometry import DEPTH_UNIT_PX


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def activated(layer: nn.Module, features: Tensor) -> Tensor:
    """LeakyReLU(0.01) of a layer's output."""
    return F.leaky_relu(layer(features), 0.01)


def he_initialize(network: nn.Module) -> None:
    """Draw all convolutions so that features keep their size from layer to layer.

    With torch's own start they shrink by half at each, and a head that begins at zero learns
    nothing from them for hundreds of steps.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.01, nonlinearity="leaky_relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for trunk in network.modules():
        if isinstance(trunk, Trunk):
            trunk.fuse.begin_with_slopes()


def upsample(features: Tensor, factor: int) -> Tensor:
    """Bilinear enlargement, pixel areas aligned."""
    return F.interpolate(features, scale_factor=factor, mode="bilinear", align_corners=False)


class Fuse(nn.Module):
    """A depth-like map and a photo, each through a 3x3 convolution, joined: 2 x width channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depth = conv3x3(1, width)
        self.photo = conv3x3(3, width)

    def begin_with_slopes(self) -> None:
        """Make the untrained depth kernels blind to height, and of order 1 for a slope of 45 deg.

        A pixel of relief is 1/127.5 of a network unit: next to the height itself, slopes and
        creases would be too faint to learn from.
        """
        with torch.no_grad():
            weight = self.depth.weight
            weight -= weight.mean((2, 3), keepdim=True)
            weight *= DEPTH_UNIT_PX / 2

    def forward(self, depth: Tensor, photo: Tensor) -> Tensor:
        return torch.cat([activated(self.depth, depth), activated(self.photo, photo)], 1)


class Columns(NamedTuple):
    """Features of the trunk; w is its width."""

    fused: Tensor  # (B,2w,H,W) conv1
    conv2: Tensor  # (B,2w,H,W)
    conv3: Tensor  # (B,4w,H/2,W/2)
    conv4: Tensor  # (B,4w,H/2,W/2)
    conv7: Tensor  # (B,8w,H/4,W/4)


class Trunk(nn.Module):
    """conv1 (fused) to conv7 with two poolings."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fuse = Fuse(width)
        self.conv2 = conv3x3(2 * width, 2 * width)
        self.conv3 = conv3x3(4 * width, 4 * width)
        self.conv4 = conv3x3(4 * width, 4 * width)
        self.conv5 = conv3x3(8 * width, 8 * width)
        self.conv6 = conv3x3(8 * width, 8 * width)
        self.conv7 = conv3x3(8 * width, 8 * width)

    def forward(self, depth: Tensor, photo: Tensor) -> Columns:
        """Columns of `depth` (B,1,H,W) and `photo` (B,3,H,W).

        Raises:
            ValueError: the two differ in size, or H or W is no multiple of 4.
        """
        height, width = photo.shape[-2:]
        if depth.shape[-2:] != photo.shape[-2:] or height % 4 or width % 4:
            raise ValueError(
                "photo and depth must be of one size, height and width multiples of 4, got photo "
                f"{height} x {width}, depth {depth.shape[-2]} x {depth.shape[-1]}"
            )
        fused = self.fuse(depth, photo)  # (B,2w,H,W)
        conv2 = activated(self.conv2, fused)  # (B,2w,H,W)
        half = F.max_pool2d(torch.cat([fused, conv2], 1), 2)  # (B,4w,H/2,W/2)
        conv3 = activated(self.conv3, half)
        conv4 = activated(self.conv4, conv3)
        features = F.max_pool2d(torch.cat([conv3, conv4], 1), 2)  # (B,8w,H/4,W/4)
        for conv in (self.conv5, self.conv6, self.conv7):
            features = activated(conv, features)
        return Columns(fused, conv2, conv3, conv4, features)


class Head(nn.Module):
    """1x1 convolutions in -> 2w -> 4 -> 1 and Tanh: a map in (-1,1)."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(in_channels, 2 * width, 1), nn.Conv2d(2 * width, 4, 1), nn.Conv2d(4, 1, 1)]
        )

    def forward(self, features: Tensor) -> Tensor:
        first, second, last = self.layers
        features = activated(second, activated(first, features))
        # Not under autocast: bfloat16 would round depth to 0.25 px and more, which normals show.
        with torch.autocast(features.device.type, enabled=False):
            return torch.tanh(last(features.to(next(last.parameters()).dtype)))

    def start_at_zero(self) -> None:
        """Make the untrained head answer 0 everywhere."""
        for parameter in self.layers[-1].parameters():
            nn.init.zeros_(parameter)
