"""What networks share that look at photos smaller than they come."""

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


def require_halvings(photo: Tensor, levels: int) -> None:
    """Raise ValueError unless D-Net can halve height and width of `photo` `levels` times."""
    height, width = photo.shape[-2:]
    step = 2**levels
    if height % step or width % step:
        raise ValueError(
            f"D-Net with {levels} levels needs height and width that are multiples of {step}, "
            f"got {height} x {width}"
        )
