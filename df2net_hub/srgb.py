"""Photos store light as an sRGB-like power; shading multiplies in linear light.

The power is 2.2, as in the renderer, not sRGB's own curve with its linear foot: photos come through
unknown tone curves anyway, and a pure power keeps ratios.
"""

from torch import Tensor

GAMMA = 2.2
DARKEST = 1e-5  # linear; below it the power's slope would make gradients explode


def to_linear(values: Tensor) -> Tensor:
    """sRGB-like [0,1] to linear light, where shading is a product (the authors skip this)."""
    return values.clamp(min=0) ** GAMMA


def to_srgb(values: Tensor) -> Tensor:
    """Linear light to sRGB-like; what is outside [0,1] is clipped."""
    return values.clamp(DARKEST, 1) ** (1 / GAMMA)
