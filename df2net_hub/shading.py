"""Shape from shading: second-order spherical harmonics, Lambertian. DF2Net (ICCV 2019) Eq. 3 and 4.

The nine functions H_i carry the Lambertian attenuation (pi, 2 pi/3, pi/4), in the order
1, z, x, y, (2z^2-x^2-y^2), xz, yz, (x^2-y^2), xy, as in the authors' code.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:  # processes that render pairs do without torch, its seconds and its memory
    from torch import Tensor

ArrayOrTensor = TypeVar("ArrayOrTensor", np.ndarray, "Tensor")

_C0 = math.pi * math.sqrt(1 / (4 * math.pi))
_C1 = 2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))
_C2 = math.pi / 4 * math.sqrt(5 / (16 * math.pi))
_C3 = math.pi / 4 * math.sqrt(15 / (4 * math.pi))
_C4 = math.pi / 4 * math.sqrt(15 / (16 * math.pi))


def harmonics(normals: ArrayOrTensor) -> ArrayOrTensor:
    """H_1..H_9 of Eq. 3 for unit `normals` (...,3): (...,9), attenuation included."""
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    terms = [
        _C0 + 0 * z,
        _C1 * z,
        _C1 * x,
        _C1 * y,
        _C2 * (2 * z * z - x * x - y * y),
        _C3 * x * z,
        _C3 * y * z,
        _C4 * (x * x - y * y),
        _C3 * x * y,
    ]
    if isinstance(normals, np.ndarray):
        return np.stack(terms, -1)
    import torch

    return torch.stack(terms, -1)


def shade(albedo: Tensor, normals: Tensor, light: Tensor) -> Tensor:
    """Eq. 3, I(l, N, R) = R sum_i l_i H_i(N).

    Args:
        albedo: (B,3,H,W) R, linear, [0,1].
        normals: (B,3,H,W) N, unit.
        light: (B,3,9) l per color channel.

    Returns:
        (B,3,H,W) irradiance in the photo's linear unit.
    """
    import torch

    basis = harmonics(normals.permute(0, 2, 3, 1))  # (B,H,W,9)
    return albedo * torch.einsum("bci,bhwi->bchw", light, basis)


def fit_light(
    image: Tensor, albedo: Tensor, normals: Tensor, mask: Tensor, ridge: float = 1e-4
) -> Tensor:
    """Eq. 4: the light l* that shades `albedo` on `normals` most like `image`, per color channel.

    Masked least squares, all photos and channels at once, without gradient. In float64: on half a
    sphere of normals the nine functions are nearly dependent, and float32 loses three digits.

    Args:
        image: (B,3,H,W) I, in [0,1].
        albedo: (B,3,H,W) R, in [0,1].
        normals: (B,3,H,W) N_gt, unit.
        mask: (B,1,H,W) bool, the pixels that count.
        ridge: added to the normal equations' diagonal, relative to its mean, so that masks with
            too few or too equal normals still give a finite answer.

    Returns:
        (B,3,9) float32 coefficients.
    """
    import torch

    with torch.no_grad(), torch.autocast(image.device.type, enabled=False):
        basis = harmonics(normals.double().permute(0, 2, 3, 1)).flatten(1, 2)  # (B,HW,9)
        weighted = albedo.double().flatten(2) * mask.flatten(2)  # (B,3,HW)
        design = weighted.unsqueeze(-1) * basis.unsqueeze(1)  # (B,3,HW,9): R H_i(N_gt)
        gram = design.transpose(-1, -2) @ design  # (B,3,9,9)
        target = design.transpose(-1, -2) @ (image.double() * mask).flatten(2).unsqueeze(-1)
        diagonal = gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
        eye = torch.eye(9, device=image.device, dtype=torch.float64)
        return (
            torch.linalg.solve(gram + (ridge * diagonal + 1e-12) * eye, target).squeeze(-1).float()
        )
