"""Losses of AlbedoNet, which must not ask for what a photo does not tell.

A face twice as dark under a light twice as bright is the same photo, and so is a redder face under
a bluer light. So `albedo_loss` and `albedo_edge_loss` compare after the prediction has been scaled
per photo and channel to fit the truth best: the level and the tint of the light do not change them.
What remains open, `albedo_level_loss` draws toward the truth's own level, with a small weight.

All take albedo (B,3,H,W) in linear light and a mask (B,1,H,W) bool, and return a scalar in which
every photo counts alike, as in `losses`.
"""

import torch
from torch import Tensor

from df2net_hub.losses import masked_mean

# Albedo is compared by ratios, as eyes do; below this share of the face's mean (nostrils, pupils)
# by differences, where a ratio would be noise.
DARKEST = 0.1
EDGE_STEPS = (1, 2, 4)  # distances [px] over which edges are compared


def albedo_loss(albedo: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of log albedo, scale and tint of each photo taken out."""
    return masked_mean(_log_difference(albedo, target, mask).abs().mean(1, keepdim=True), mask)


def albedo_edge_loss(albedo: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of the steps of log albedo to neighbors 1, 2 and 4 px away."""
    difference = _log_difference(albedo, target, mask)
    total, count = difference.new_zeros(()), 0
    for step in EDGE_STEPS:
        for axis in (-1, -2):
            length = mask.shape[axis] - step
            both = mask.narrow(axis, 0, length) & mask.narrow(axis, step, length)
            edges = difference.narrow(axis, step, length) - difference.narrow(axis, 0, length)
            total = total + masked_mean(edges.abs().mean(1, keepdim=True), both)
            count += 1
    return total / count


def albedo_level_loss(albedo: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """How far the face's mean albedo is from the truth's, per photo and channel, as a log ratio."""
    known = mask.flatten(1).any(1)[:, None]  # (B,1)
    ratio = (_mean(albedo.float(), mask) + 1e-3) / (_mean(target.float(), mask) + 1e-3)
    return (ratio.log().abs().flatten(1) * known).mean()


def fit_scale(albedo: Tensor, target: Tensor, mask: Tensor, gray: bool = False) -> Tensor:
    """Factor (B,3,1,1), or (B,1,1,1) if `gray`, by which `albedo` fits `target` best.

    Least squares over the mask's pixels; 1 for an empty mask.
    """
    axes = (1, 2, 3) if gray else (2, 3)
    product = (albedo * target * mask).sum(axes, keepdim=True)
    power = (albedo * albedo * mask).sum(axes, keepdim=True)
    return torch.where(power > 1e-12, product / power.clamp(min=1e-12), 1.0)


def _log_difference(albedo: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """(B,3,H,W) log ratio of prediction to truth, where darker than DARKEST flattened."""
    albedo, target = albedo.float(), target.float()
    scaled = albedo * fit_scale(albedo, target, mask)
    floor = DARKEST * _mean(target, mask).clamp(min=1e-6)
    return (scaled + floor).log() - (target + floor).log()


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean (B,3,1,1) over each photo's mask."""
    return (values * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp(min=1)
