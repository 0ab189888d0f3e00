"""Shape from shading with the conventions of the authors' release; ours and the paper's: `losses`.

Three things differ from `shading_loss` with `network_normals`. Photo and albedo are compared as
they are stored, not in linear light. The least squares has no ridge, and black pixels do not count.
And normals are those of points on the rays of a camera, with depth as the distance [255 px]: that
steepens relief 2.4 times (at 255 px) to 9.5 times (at 64 px), and tilts normals off the middle.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.geometry import CROP_SIZE
from df2net_hub.losses import shading_loss
from df2net_hub.shading import at_least_float32

FOCAL_PX = 608.365  # of the 512 crop
NEAREST = 1 / 255  # distances below this are lifted to it, for at 0 all rays meet


def released_normals(depth: Tensor) -> Tensor:
    """Unit normals of the surface the authors shade: (B,3,H,W), axes as in `geometry`.

    The sum of the cross products (center - right) x (below - center) and (center - left) x (above -
    center) of the points (u z, v z, z), where u and v are a pixel's distances from the middle over
    the focal length. Borders repeat.

    Args:
        depth: (B,1,H,W) network depth at any resolution of the crop; z = (depth + 1) / 2.
    """
    distance = ((at_least_float32(depth) + 1) / 2).clamp(min=NEAREST)  # z
    height, width = depth.shape[-2:]
    focal = FOCAL_PX * width / CROP_SIZE
    u = (torch.arange(width).to(distance) - width / 2) / focal
    v = (torch.arange(height).to(distance) - height / 2)[:, None] / focal
    points = torch.cat([u * distance, v * distance, distance], 1)  # (B,3,H,W)
    center, right, left = points[..., 1:-1, 1:-1], points[..., 1:-1, 2:], points[..., 1:-1, :-2]
    above, below = points[..., :-2, 1:-1], points[..., 2:, 1:-1]
    lower = torch.linalg.cross(center - right, below - center, dim=1)
    upper = torch.linalg.cross(center - left, above - center, dim=1)
    # Rows grow downward here and depth toward the camera, a left-handed frame: the sum points away.
    x, y, z = (lower + upper).unbind(1)
    outward = F.normalize(torch.stack([-x, y, -z], 1), dim=1, eps=1e-20)
    return F.pad(outward, (1, 1, 1, 1), mode="replicate")


def released_shading_loss(
    photo: Tensor, albedo: Tensor, depth: Tensor, target: Tensor, mask: Tensor
) -> Tensor:
    """L_sh (Eq. 5) as the authors computed it.

    Args:
        photo: (B,3,H,W) I in [0,1], as stored.
        albedo: (B,3,H,W) R in [0,1], as stored.
        depth: (B,1,H,W) D_pre [network depth].
        target: (B,1,H,W) D_gt, whose normals give the light.
        mask: (B,1,H,W) bool, pixels whose four neighbors are the face's too.
    """
    seen = mask & (photo > 0).any(1, keepdim=True)
    normals, target_normals = released_normals(depth), released_normals(target)
    return shading_loss(photo, albedo, normals, target_normals, seen, ridge=0.0)
