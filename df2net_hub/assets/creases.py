"""Creases of a photographed skin: dark lines of its color become furrows of the surface.

What is left of a wrinkle in the color of a photograph, after its light is divided out, is a line
that gets less light than the skin around. Rendered as paint it would teach networks that lines are
no relief. So the lines are lifted out of the color and laid into the surface, as deep as a furrow
must be that keeps as much of the sky away.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.srgb import GAMMA
from df2net_hub.synthesis.appearance import DEEPEST_CREASE_CM
from df2net_hub.synthesis.appearance import PHOTO_HEIGHT as HEIGHT
from df2net_hub.synthesis.brows import LINE
from df2net_hub.synthesis.cavities import ROOT_FROM, SURE
from df2net_hub.synthesis.face_map import TILE, FaceMap
from df2net_hub.synthesis.lips import lip_area

assert TILE == HEIGHT  # the face's half of a skin is the tile that wrinkles are drawn in

DIRECTIONS = 12
LIFTED = 0.75  # of a line's darkness; furrows are a little redder than what is around


@dataclass(frozen=True)
class Scale:
    """Lines of one size.

    Attributes:
        widest: across, length: that they have at least, wide: what they are taken for, soft:
            deviation of the Gaussian that rounds them, all [texels].
        faintest: log luminance that lines lack at least; what lacks less is grain, or a shadow's
            edge.
        sure: of the depth that would explain all of a line's darkness.
    """

    widest: int
    length: int
    wide: float
    soft: float
    faintest: float
    sure: float


# Wrinkles, and folds, which are easily taken for what is left of a shadow.
SCALES = (Scale(7, 17, 3.5, 0.8, 0.03, SURE), Scale(19, 41, 9.0, 2.2, 0.06, 0.4))


def creases(skin: np.ndarray, face: FaceMap) -> tuple[np.ndarray, np.ndarray]:
    """A skin without its dark lines, and the furrows that they were.

    Args:
        skin: (HEIGHT,2 HEIGHT,3) uint8, gamma 2.2, with the face in its left half.
        face: of the head that is to wear it.

    Returns:
        The skin again, lighter along the lines, and (TILE,TILE) float32 depth [cm], 0 to
        DEEPEST_CREASE_CM, of furrows along the normal.
    """
    tile = (skin[:, :HEIGHT].astype(np.float32) / 255) ** GAMMA
    dark = np.log(np.maximum(tile.mean(-1), 0.004))
    dark = cv2.GaussianBlur(dark, (0, 0), 0.7)
    share = skin_that_creases(face)
    depth, lifted = np.zeros_like(dark), np.zeros_like(dark)
    for scale in SCALES:
        line = np.maximum(_lines(dark + lifted, scale) - scale.faintest, 0) * share
        # A groove keeps E of the light of the open sky, with skin's own light given back; from 5 to
        # 30 % less its depth is close to its width times the root of -log E.
        furrow = scale.sure * scale.wide * face.texel_cm * line / np.sqrt(line + ROOT_FROM)
        depth += cv2.GaussianBlur(furrow, (0, 0), scale.soft)
        lifted += line
    lighter = skin.copy()
    tile = tile * np.exp(LIFTED * lifted)[..., None]
    lighter[:, :HEIGHT] = np.rint(tile.clip(0, 1) ** (1 / GAMMA) * 255)
    return lighter, depth.clip(0, DEEPEST_CREASE_CM)


def _lines(dark: np.ndarray, scale: Scale) -> np.ndarray:
    """(h,w) how much darker than beside it a texel is that lies on a line.

    A closing by a segment fills what is dark and shorter; along a line it fills nothing. So the
    least of the closings in all directions holds the lines and no spots, and a closing by a disc,
    which fills lines of less than its width, tells how dark they are.
    """
    kept = np.full_like(dark, np.inf)
    for k in range(DIRECTIONS):
        segment = _segment(scale.length, np.pi * k / DIRECTIONS)
        kept = np.minimum(kept, cv2.morphologyEx(dark, cv2.MORPH_CLOSE, segment))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (scale.widest, scale.widest))
    return np.asarray(cv2.morphologyEx(kept, cv2.MORPH_CLOSE, disc) - kept)


def _segment(length: int, angle: float) -> np.ndarray:
    kernel = np.zeros((length, length), np.uint8)
    middle, reach = length // 2, (length // 2) * np.array([np.cos(angle), np.sin(angle)])
    low, high = (tuple(int(round(middle + s * r)) for r in reach) for s in (-1, 1))
    cv2.line(kernel, low, high, 1)
    return kernel


def skin_that_creases(face: FaceMap) -> np.ndarray:
    """(TILE,TILE) [0,1]: 0 where dark lines are no furrows: eyes, brows, lips, nostrils, hair."""
    x, y, z = np.moveaxis(face.positions, -1, 0)
    marks, unit = face.landmarks, face.unit
    share = np.ones((TILE, TILE), np.float32)

    def spare(distance: np.ndarray, none: float, all_of_it: float) -> None:
        np.minimum(share, np.clip((distance - none) / (all_of_it - none), 0, 1), out=share)

    for eye in (slice(36, 42), slice(42, 48)):
        center = marks[eye].mean(0)
        spare(np.hypot((x - center[0]) / 2.0, (y - center[1])) / unit, 0.85, 1.1)
    middle, corners = marks[[36, 45], :2].mean(0), marks[[36, 45], 1].mean()
    knots = np.linspace(0, len(LINE) - 1, 20)
    brow = np.stack([np.interp(knots, range(len(LINE)), LINE[:, axis]) for axis in (0, 1)], -1)
    aside, above = np.abs(x - middle[0]) / unit, (y - corners) / unit
    for raised in (0, 0.7):
        to_brow = np.min([np.hypot(aside - a, above - b - raised) for a, b in brow], axis=0)
        spare(to_brow, 0.75, 1.05)
    for point in marks[31:36]:
        spare(np.hypot(x - point[0], y - point[1]) / unit, 0.9, 1.2)
    share *= 1 - np.clip(1.6 * lip_area(face, 11), 0, 1)
    top, chin = marks[17:27, 1].mean() + 6 * unit, marks[8, 1]
    spare((top - y) / unit, 0, 1)
    spare((y - chin) / unit, 0, 1)
    spare(-np.abs(x) / unit, -6.6, -5.8)
    front = marks[36:48, 2].mean() - 4.5 * unit
    spare((z - front) / unit, 0, 1)
    return cv2.GaussianBlur(share * face.inside, (0, 0), 1.5)
