"""Shape from shading: second-order spherical harmonics, Lambertian. DF2Net (ICCV 2019) Eq. 3 and 4.

The nine functions H_i carry the Lambertian attenuation (pi, 2 pi/3, pi/4), in the order
1, z, x, y, (2z^2-x^2-y^2), xz, yz, (x^2-y^2), xy, as in the authors' code.

Everything is computed for all photos at once, on their device, in float32 (also inside autocast, or
in float64 if that comes in).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:  # processes that render pairs do without torch, its seconds and its memory
    import torch
    from torch import Tensor

ArrayOrTensor = TypeVar("ArrayOrTensor", np.ndarray, "Tensor")

_C0 = math.pi * math.sqrt(1 / (4 * math.pi))
_C1 = 2 * math.pi / 3 * math.sqrt(3 / (4 * math.pi))
_C2 = math.pi / 4 * math.sqrt(5 / (16 * math.pi))
_C3 = math.pi / 4 * math.sqrt(15 / (4 * math.pi))
_C4 = math.pi / 4 * math.sqrt(15 / (16 * math.pi))

# Share of the normal equations' diagonal that keeps them solvable in float32. What it does to the
# light is taken out again by refinement.
_GUARD = 1e-7
_REFINEMENTS = 2
_NEEDS_NO_REFINEMENT = 1e-5  # a ridge that outweighs what float32 loses


def harmonics(normals: ArrayOrTensor, axis: int = -1) -> ArrayOrTensor:
    """H_1..H_9 of Eq. 3, attenuation included, for unit `normals`.

    `axis` holds the three components of a normal, and then the nine functions.
    """
    x, y, z = (
        np.moveaxis(normals, axis, 0) if isinstance(normals, np.ndarray) else normals.unbind(axis)
    )
    xx, yy, zz = x * x, y * y, z * z
    terms = [
        _C0 + 0 * z,
        _C1 * z,
        _C1 * x,
        _C1 * y,
        _C2 * (2 * zz - xx - yy),
        _C3 * x * z,
        _C3 * y * z,
        _C4 * (xx - yy),
        _C3 * x * y,
    ]
    if isinstance(normals, np.ndarray):
        return np.stack(terms, axis)
    import torch

    return torch.stack(terms, axis)


def at_least_float32(values: Tensor) -> Tensor:
    """Half precision as float32; float32 and float64 as they are."""
    import torch

    return values.to(torch.promote_types(values.dtype, torch.float32))


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

    albedo, normals, light = map(at_least_float32, (albedo, normals, light))
    with torch.autocast(albedo.device.type, enabled=False):
        basis = harmonics(normals.flatten(2), 1)  # (B,9,HW)
        return albedo * (light @ basis).view_as(albedo)


def fit_light(
    image: Tensor, albedo: Tensor, normals: Tensor, mask: Tensor, ridge: float = 0.0
) -> Tensor:
    """Eq. 4: the light l* that shades `albedo` on `normals` most like `image`, per color channel.

    Masked least squares by the normal equations, all photos at once, without gradient. On half a
    sphere of normals the nine functions are nearly dependent (condition 3e5), and float32 alone
    would lose all but one digit. So only sums along a row of pixels are float32; rows are summed
    and 9 x 9 systems solved in float64, and the answer is refined twice by the light of what it
    leaves unexplained, which is where the digits come back.

    Args:
        image: (B,3,H,W) I, in [0,1].
        albedo: (B,3,H,W) R, in [0,1].
        normals: (B,3,H,W) N_gt, unit.
        mask: (B,1,H,W) bool, the pixels that count.
        ridge: pulls the light toward zero where the normals do not tell it; added to the normal
            equations' diagonal, relative to its mean. With 0 the light is Eq. 4's, and still finite
            for masks with too few or too equal normals.

    Returns:
        (B,3,9) coefficients; zero for an empty mask.
    """
    import torch

    # MPS devices have no float64.
    exact = torch.float32 if image.device.type == "mps" else torch.float64
    with torch.no_grad(), torch.autocast(image.device.type, enabled=False):
        target, weight = _rows(image), _rows(albedo * mask)  # (B,H,3,W)
        basis = harmonics(_rows(normals), 2)  # (B,H,9,W)
        gram = _gram(weight, basis, exact)
        mean = gram.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None]  # (B,3,1)
        eye = torch.eye(9, device=image.device, dtype=exact)
        system = gram + ((ridge + _GUARD) * mean[..., None] + 1e-12) * eye
        light, unexplained = gram.new_zeros(*gram.shape[:2], 9), target
        for number in range(1 + (_REFINEMENTS if ridge < _NEEDS_NO_REFINEMENT else 0)):
            if number:
                unexplained = target - weight * (light.to(basis.dtype)[:, None] @ basis)
            moments = (weight * unexplained @ basis.mT).sum(1, dtype=exact)  # (B,3,9)
            # Unlike solve, solve_ex does not wait for the device to ask for errors; by its
            # diagonal the system is regular.
            right = (moments - ridge * mean * light)[..., None]
            light = light + torch.linalg.solve_ex(system, right)[0].squeeze(-1)
        return light.to(basis.dtype)


def _gram(weight: Tensor, basis: Tensor, exact: torch.dtype) -> Tensor:
    """(B,3,9,9) sums over the pixels of R^2 H_i H_j, of R (B,H,3,W) and H (B,H,9,W)."""
    import torch

    # One channel at a time in one and the same place: the 27 maps of all three at once would cost
    # twice the time on a CPU, for they fit no cache and their memory comes fresh from the system.
    weighted, sums = torch.empty_like(basis), []
    for channel in weight.square().unsqueeze(3).unbind(2):
        torch.mul(channel, basis, out=weighted)
        sums.append((weighted @ basis.mT).sum(1, dtype=exact))
    return torch.stack(sums, 1)


def _rows(maps: Tensor) -> Tensor:
    """(B,C,H,W) as (B,H,C,W), each row of pixels for itself."""
    return at_least_float32(maps).transpose(1, 2).contiguous()
