"""What networks share that look at photos smaller than they come."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def shrunk(photo: Tensor, working: int) -> tuple[int, int] | None:
    """Height and width whose longer side is `working`, or None where `photo` (B,C,H,W) may stay.

    It may stay if it is no larger, or if `working` is 0.
    """
    height, width = photo.shape[-2:]
    longer = max(height, width)
    if not working or longer <= working:
        return None
    return round(height * working / longer), round(width * working / longer)


def enlarged(maps: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """`maps` (B,C,h,w) brought up to `size`, for depth: slopes stay as they are.

    Bilinear depth has facets that show in the normals. Cubic convolution keeps a slope only with
    a = -1/2 (Keys 1981), which torch takes with `antialias` and which, enlarging, does nothing
    else; the -3/4 it takes without makes waves of every slope, a seventh of it high.
    """
    return F.interpolate(maps, size, mode="bicubic", antialias=True)


def at_working_size(run: Callable[[Tensor], Tensor], photo: Tensor, working: int) -> Tensor:
    """`run` on `photo` (B,3,H,W) brought down to `working`, its maps (B,C,H,W) brought back up."""
    small = shrunk(photo, working)
    if small is None:
        return run(photo)
    maps = run(F.interpolate(photo, small, mode="area"))
    return enlarged(maps, photo.shape[-2:])


def require_halvings(photo: Tensor, levels: int) -> None:
    """Raise ValueError unless height and width of `photo` can be halved `levels` times."""
    height, width = photo.shape[-2:]
    step = 2**levels
    if height % step or width % step:
        raise ValueError(
            f"a network with {levels} levels needs height and width that are multiples of {step}, "
            f"got {height} x {width}"
        )
