"""Conventions of the whole project, and what follows from them: units, normals, physical scale.

Convention
- Image: (B,3,H,W) RGB in [-1,1]; as arrays (H,W,3) uint8 sRGB.
- Network depth: (B,1,H,W); 1 unit is 127.5 px of relief on a 512 crop, so -1 is 0 px and +1 is
  255 px. It keeps this meaning at any resolution: on a grid of S px a unit is 127.5 S / 512 px of
  that grid.
- Camera: weak perspective; a pixel of x, y and z is the same length. Depth is height toward the
  camera: nearer = larger. Its absolute height has no meaning; our training pairs put the mean over
  the face mask at network depth 0, that is 127.5 px.
- Mesh and normals: x right, y up, z toward the camera (right-handed), so files open unflipped.
  Row index grows downwards. Pixel centers lie at integers.
- Letters: B images, H W size, V vertices, T triangles, K = 9 harmonics.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:  # processes that render pairs do without torch, its seconds and its memory
    from torch import Tensor

CROP_SIZE = 512
DEPTH_UNIT_PX = 127.5
EYE_DISTANCE_MM = 63.0
# Distance between the eyes over the square root of the visible face's surface area: the median over
# 500 training pairs, with a standard deviation of 8 %.
EYE_DISTANCE_PER_ROOT_AREA = 0.355

ArrayOrTensor = TypeVar("ArrayOrTensor", np.ndarray, "Tensor")


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """(3,3) head to camera; yaw turns the nose to the picture's right, pitch raises it [rad]."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    tilt = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return tilt @ nod @ turn


def network_depth_to_px(depth: ArrayOrTensor) -> ArrayOrTensor:
    """Network depth to height toward the camera [px of the 512 crop]."""
    return (depth + 1) * DEPTH_UNIT_PX


def depth_to_normals(depth_px: Tensor) -> Tensor:
    """Unit normals from the four surrounding pixels. DF2Net (ICCV 2019) Sec. 3.3.

    The sum of the cross products (center - right) x (below - center) and (center - left) x
    (above - center) is, on an orthographic grid, the normal of central differences. Borders repeat.

    Args:
        depth_px: (B,1,H,W) height toward the camera [px of this grid].

    Returns:
        (B,3,H,W): x right, y up, z toward the camera.
    """
    import torch
    import torch.nn.functional as F

    padded = F.pad(depth_px, (1, 1, 1, 1), mode="replicate")
    slope_right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    slope_up = (padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]) / 2
    # Written out: torch's own norm over three channels slows training on a CPU by a third.
    per_length = (slope_right.square() + slope_up.square() + 1).rsqrt()
    return torch.cat([-slope_right * per_length, -slope_up * per_length, per_length], 1)


def surface_area_px2(depth_px: np.ndarray, mask: np.ndarray) -> float:
    """Area [px^2] of the surface `depth_px` (H,W) over the pixels of `mask`."""
    slope_y, slope_x = np.gradient(depth_px.astype(np.float64))
    # A pixel at the mask's edge has a neighbor off the face and would count as a cliff.
    padded = np.pad(mask, 1)
    inner = mask & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    stretch = np.sqrt(1 + slope_x**2 + slope_y**2)
    return float(stretch[inner].sum() + (mask & ~inner).sum())


def mm_per_px_from_face(depth_px: np.ndarray, mask: np.ndarray) -> float:
    """Length of a pixel [mm], assuming 63 mm between the eyes, the average of adults.

    The distance between the eyes in pixels is estimated from the visible face surface: it is about
    0.355 times the square root of that surface's area, whatever the pose.

    Args:
        depth_px: (H,W) height toward the camera [px].
        mask: (H,W) bool, the face.

    Returns:
        [mm/px]; `nan` for an empty mask.
    """
    area = surface_area_px2(depth_px, mask)
    if area == 0:
        return float("nan")
    return EYE_DISTANCE_MM / (EYE_DISTANCE_PER_ROOT_AREA * math.sqrt(area))
