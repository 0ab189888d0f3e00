"""Windows of the face: what a refining stage, which sees only near pixels, needs of a photo.

A window of half the side costs a quarter, and lies on the face, where the losses are.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """One square of each photo of a batch.

    Attributes:
        corners: row and column of each square's first pixel.
        side: of the squares [px].
    """

    corners: tuple[tuple[int, int], ...]
    side: int

    def cut(self, maps: Tensor) -> Tensor:
        """The squares (B,C,side,side) of `maps` (B,C,H,W)."""
        return torch.stack(
            [
                photo[..., row : row + self.side, column : column + self.side]
                for photo, (row, column) in zip(maps, self.corners, strict=True)
            ]
        )


def draw_windows(mask: Tensor, side: int) -> Windows:
    """Windows around a random pixel of each photo's mask (B,1,H,W), wholly in the photo.

    Of an empty mask, around the middle. The draw follows torch's seed.
    """
    corners = []
    for photo in mask[:, 0]:
        pixels = photo.nonzero()
        height, width = photo.shape
        row, column = height // 2, width // 2
        if len(pixels):
            row, column = pixels[int(torch.randint(len(pixels), ()))].tolist()
        corners.append(
            tuple(
                min(max(middle - side // 2, 0), whole - side)
                for middle, whole in ((row, height), (column, width))
            )
        )
    return Windows(tuple(corners), side)
