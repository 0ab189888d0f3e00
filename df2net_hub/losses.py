"""Losses of the three stages. DF2Net (ICCV 2019) Eq. 1, 2 and 5, and the face mask's.

Each takes predictions, targets and a mask (B,1,H,W) bool, and returns a scalar: the mean over the
mask's pixels of the whole batch. Depth is network depth (see `geometry`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX, depth_to_normals
from df2net_hub.shading import fit_light, shade


def network_normals(depth: Tensor) -> Tensor:
    """(B,3,H,W) unit normals of network depth (B,1,H,W) at any resolution of the crop."""
    return depth_to_normals(depth.float() * (DEPTH_UNIT_PX * depth.shape[-1] / CROP_SIZE))


def erode(mask: Tensor) -> Tensor:
    """(B,1,H,W) bool: pixels whose 3 x 3 neighborhood lies in the mask: the face's normals."""
    return F.max_pool2d((~mask).float(), 3, 1, 1) == 0


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B,1,H,W) values over the mask; 0 for an empty mask."""
    return (values * mask).sum() / mask.sum().clamp(min=1)


def depth_loss(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Eq. 1, L_rec = |D_gt - D_pre|_1."""
    return masked_mean((target - depth.float()).abs(), mask)


def normal_loss(normals: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Eq. 2, L_nor = |N_gt - N_pre|_1, summed over the three components."""
    return masked_mean((target - normals).abs().sum(1, keepdim=True), mask)


def shading_loss(
    image: Tensor, albedo: Tensor, normals: Tensor, target_normals: Tensor, mask: Tensor
) -> Tensor:
    """Eq. 5, L_sh = |I(l*, N_pre, R) - I|_2, with l* of Eq. 4 fitted on the target's normals.

    Args:
        image: (B,3,H,W) I in [0,1].
        albedo: (B,3,H,W) R in [0,1], in the same encoding as the image.
        normals: (B,3,H,W) N_pre.
        target_normals: (B,3,H,W) N_gt.
        mask: (B,1,H,W) bool.
    """
    light = fit_light(image, albedo, target_normals, mask)
    residual = shade(albedo, normals, light) - image
    # The small constant keeps the gradient of the norm finite where the residual vanishes.
    return masked_mean((residual.square().sum(1, keepdim=True) + 1e-8).sqrt(), mask)


def mask_loss(mask_logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy of the face mask over all pixels (ours; the paper uses landmarks)."""
    return F.binary_cross_entropy_with_logits(mask_logits.float(), mask.to(torch.float32))
