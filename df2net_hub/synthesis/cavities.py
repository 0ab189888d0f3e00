"""A cavity map: how much darker furrows are than the surface of the picture makes them.

The crease at the bottom of a wrinkle is a tenth of a millimeter wide, and its walls are steep. The
height map holds a rounded furrow of the same depth, a millimeter wide, whose walls are flat and
bright. What is missing is the way back of `assets.creases`, which tells the depth of a furrow from
how dark it is: a groove of width w and depth d keeps exp(-D) of the light of the open sky, and
d = SURE w D / sqrt(D + ROOT_FROM).
"""

import cv2
import numpy as np

ROOT_FROM = 0.05  # where the root sets in, whose slope is endless at 0
WIDE_CM = 0.16  # of a wrinkle with its valley
SURE = 0.6  # of the depth that would explain all of a furrow's darkness by itself
# What the loss of log light is multiplied by. Drawn wrinkles are soft: even as dark as this the
# darkest fiftieth of old faces loses 1 to 5 %, on portraits 10 %. Creases of photographs get back
# what was lifted out of their color.
OF_WRINKLES, OF_CREASES = 1.6, 0.75
DEVIATION = 0.4  # of the log of how dark a person's furrows are


def sample_cavities(
    rng: np.random.Generator, lines: np.ndarray, creases: np.ndarray | None, texel_cm: float
) -> np.ndarray:
    """(h,w) float32 share of the light that a person's furrows leave to each texel.

    Args:
        rng: of the person.
        lines: (h,w) float32 displacement [cm] of wrinkles as drawn.
        creases: (h,w) float32 depth [cm] of the furrows of a skin from a photograph, if there are.
        texel_cm: side of a texel.
    """
    darkness = np.exp(rng.normal(0, DEVIATION))
    cavities = cavity_map(lines, texel_cm, OF_WRINKLES * darkness)
    if creases is not None:
        cavities *= cavity_map(-creases, texel_cm, OF_CREASES * darkness)
    return cavities


def cavity_map(height: np.ndarray, texel_cm: float, darkness: float) -> np.ndarray:
    """(h,w) float32 share of the light that is left where `height` [cm] is below its surroundings.

    It is exp(-darkness D), 1 beside furrows and on what rises.
    """
    around = cv2.GaussianBlur(height, (0, 0), WIDE_CM / texel_cm)
    relative = np.maximum(around - height, 0) / (SURE * WIDE_CM)
    lost = relative * (relative + np.sqrt(relative * relative + 4 * ROOT_FROM)) / 2
    return np.exp(-darkness * lost).astype(np.float32)
