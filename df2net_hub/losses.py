"""Losses of depth and what follows from it: DF2Net (ICCV 2019) Eq. 1, 2 and 5, and of others.

Each takes predictions, targets and a mask (B,1,H,W) bool, and returns a scalar: the mean over the
photos of the mean over each photo's mask. Every photo counts alike, however much of it is face, and
one with an empty mask contributes 0. So the mean of the gradients of equal parts of a batch, in
several processes or one after the other, is exactly the gradient of the whole batch.

Depth is network depth (see `geometry`), of any floating type; float32 is computed with at least.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from df2net_hub.geometry import CROP_SIZE, DEPTH_UNIT_PX, depth_to_normals
from df2net_hub.shading import at_least_float32, fit_light, shade

# Variance of a depth map below which a scale fitted to it would be noise: 0.01 px of relief.
FLAT = 1e-8


def network_normals(depth: Tensor, side: int | None = None) -> Tensor:
    """(B,3,H,W) unit normals of network depth (B,1,H,W) at any resolution of the crop.

    `side` [px] is that of the crop, if `depth` is only a window of it.
    """
    px = DEPTH_UNIT_PX * (side or depth.shape[-1]) / CROP_SIZE
    return depth_to_normals(at_least_float32(depth) * px)


def erode(mask: Tensor) -> Tensor:
    """(B,1,H,W) bool: pixels whose 3 x 3 neighborhood lies in the mask: the face's normals."""
    padded = F.pad(mask, (1, 1, 1, 1), value=True)
    rows = padded[..., :-2, :] & padded[..., 1:-1, :] & padded[..., 2:, :]
    return rows[..., :-2] & rows[..., 1:-1] & rows[..., 2:]


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the photos of the mean of values (B,1,H,W) over each photo's mask, 0 if empty."""
    total, count = (values * mask).sum((1, 2, 3)), mask.sum((1, 2, 3))
    return (total / count.clamp(min=1)).mean()


def depth_loss(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Eq. 1, L_rec = |D_gt - D_pre|_1."""
    return masked_mean((target - at_least_float32(depth)).abs(), mask)


def normal_loss(normals: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Eq. 2, L_nor = |N_gt - N_pre|_1, summed over the three components."""
    return masked_mean((target - at_least_float32(normals)).abs().sum(1, keepdim=True), mask)


def cosine_loss(normals: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """1 - N_gt . N_pre, half the square of the angle between them [rad^2] where that is small.

    Eq. 2 and the gradient loss are least at the median of what a photo leaves open, and the median
    of skin that may have a wrinkle or not has none. A square is least at the mean: relief as strong
    as it is sure.
    """
    return masked_mean(1 - (target * at_least_float32(normals)).sum(1, keepdim=True), mask)


def shading_loss(
    image: Tensor,
    albedo: Tensor,
    normals: Tensor,
    target_normals: Tensor,
    mask: Tensor,
    ridge: float = 1e-4,
) -> Tensor:
    """Eq. 5, L_sh = |I(l*, N_pre, R) - I|_2, with l* of Eq. 4 fitted on the target's normals.

    Args:
        image: (B,3,H,W) I in [0,1].
        albedo: (B,3,H,W) R in [0,1], in the same encoding as the image.
        normals: (B,3,H,W) N_pre.
        target_normals: (B,3,H,W) N_gt.
        mask: (B,1,H,W) bool.
        ridge: see `fit_light`. Albedo is never exact, and without a ridge light explains what is
            wrong with it by coefficients of ten and more, which then shade other normals wrongly.
    """
    light = fit_light(image, albedo, target_normals, mask, ridge)
    residual = shade(albedo, normals, light) - image
    # The small constant keeps the gradient of the norm finite where the residual vanishes.
    return masked_mean((residual.square().sum(1, keepdim=True) + 1e-8).sqrt(), mask)


def gradient_loss(depth: Tensor, target: Tensor, mask: Tensor, scales: int = 4) -> Tensor:
    """Multi-scale gradient matching: creases and edges where the truth has them.

    MegaDepth (Li & Snavely, CVPR 2018), L_grad: |dE/dx|_1 + |dE/dy|_1 of the error
    E = D_pre - D_gt, between neighbors on the map and on every second, fourth, ... pixel of it. A
    step counts if both its ends lie in the mask. We take the mean over the scales, not the sum, so
    that their number does not change the weight.

    Args:
        depth: (B,1,H,W) D_pre [network depth].
        target: (B,1,H,W) D_gt.
        mask: (B,1,H,W) bool.
        scales: how many maps, each of half the size.
    """
    error, total = at_least_float32(depth) - target, torch.zeros((), device=depth.device)
    for scale in range(scales):
        coarse, inside = (maps[..., :: 2**scale, :: 2**scale] for maps in (error, mask))
        for axis in (-1, -2):
            pairs = inside.shape[axis] - 1
            both = inside.narrow(axis, 0, pairs) & inside.narrow(axis, 1, pairs)
            total = total + masked_mean(coarse.diff(dim=axis).abs(), both)
    return total / scales


def scale_shift_invariant_loss(depth: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """|s D_pre + t - D_gt|_1 with each photo's scale s and shift t by least squares over its mask.

    MiDaS (Ranftl et al., TPAMI 2022), L_ssi without trimming. For truth of unknown unit and height.
    A map and its mirror image, which bulges inward, cost the same: a loss that knows the sign
    belongs beside. The gradient runs through s and t. One pixel, or many of one depth, have no
    scale: s is 0 then, and the cost is the target's deviation from its mean.

    Args:
        depth: (B,1,H,W) D_pre [any unit].
        target: (B,1,H,W) D_gt [network depth, or its own unit, which the loss has too].
        mask: (B,1,H,W) bool.
    """
    count = mask.sum((2, 3), keepdim=True).clamp(min=1)
    # With both means taken out, t is 0 and s is covariance over variance.
    maps, truth = (
        (values - (values * mask).sum((2, 3), keepdim=True) / count) * mask
        for values in (at_least_float32(depth), at_least_float32(target))
    )
    variance = maps.square().sum((2, 3), keepdim=True) / count
    covariance = (maps * truth).sum((2, 3), keepdim=True) / count
    return masked_mean((covariance / variance.clamp(min=FLAT) * maps - truth).abs(), mask)


def edge_aware_loss(depth: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """How much depth bends where the photo does not change; for depth without truth.

    Edge-aware smoothness, |dD| exp(-|dI|) along x and y (Godard et al., CVPR 2017, L_ds), with
    second differences of depth: a face leans and curves, so its slope is nothing to be held down.
    |dI| is the mean over the colors, summed over the two steps that the bend spans.

    Args:
        depth: (B,1,H,W) D [network depth].
        image: (B,3,H,W) I in [0,1].
        mask: (B,1,H,W) bool; a bend counts if all its three pixels lie in it.
    """
    depth, image = at_least_float32(depth), at_least_float32(image)
    total = torch.zeros((), device=depth.device)
    for axis in (-1, -2):
        bends = mask.shape[axis] - 2
        edges = image.diff(dim=axis).abs().mean(1, keepdim=True)
        weight = (-(edges.narrow(axis, 0, bends) + edges.narrow(axis, 1, bends))).exp()
        first, middle, last = (mask.narrow(axis, start, bends) for start in range(3))
        bend = depth.diff(n=2, dim=axis).abs()
        total = total + masked_mean(bend * weight, first & middle & last)
    return total


def mask_loss(mask_logits: Tensor, mask: Tensor) -> Tensor:
    """Binary cross-entropy of the face mask over all pixels (ours; the paper uses landmarks)."""
    logits = at_least_float32(mask_logits)
    return F.binary_cross_entropy_with_logits(logits, mask.to(logits.dtype))
