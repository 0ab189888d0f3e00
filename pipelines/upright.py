"""Heads rolled to a shoulder or upside down, brought upright: networks know hardly any others."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from df2net_hub.face_pose import face_pose
from df2net_hub.pipelines.face_mask import MOST_DOUBT, face_mask, mask_doubt

# With the bundled weights, over renders, avatars, a scan and portraits rolled by 30 deg at most:
# the mask's doubt is 0.05 to 0.06 in the median and less than 0.1 for nine of ten; of heads
# rolled by 60 deg it is 0.2 and more. Up to there the pose's roll is wrong by 8 deg at the most for
# nineteen of twenty, if they are turned to the side by less than 30 deg.
SURE_DOUBT = 0.1
WIDE_STEP = 45.0  # to both sides of a look that is not sure [deg]
LEAST_ROLL = 15.0  # with less a head is reconstructed as well as upright [deg]
MOST_TURNS = 2  # by the pose's roll, of which the first can fall short
CLEARLY = 0.8  # times the doubt: what that is better by does not come by chance


class Look(NamedTuple):
    """What D-Net says of a crop that was turned back by `roll` [deg]."""

    roll: float
    photo: Tensor  # (1,3,512,512) in [-1,1]
    dense: Tensor  # (1,1,512,512)
    mask_logits: Tensor | None
    doubt: float  # see `mask_doubt`
    roll_seen: float  # of the head in the crop, by its pose, counterclockwise [deg]


def looked_at(roll: float, photo: Tensor, dense: Tensor, mask_logits: Tensor | None) -> Look:
    """The look with its doubt and the roll seen; neither is known (0) without a mask head."""
    if mask_logits is None:
        return Look(roll, photo, dense, None, 0.0, 0.0)
    seen = mask_logits[0, 0].cpu().numpy()
    mask = face_mask(seen, seen)
    if not mask.any():
        return Look(roll, photo, dense, mask_logits, 1.0, 0.0)
    try:
        roll_seen = face_pose(dense[0, 0].cpu().numpy(), mask).roll
    except ValueError:  # too small a mask to have a pose
        roll_seen = 0.0
    return Look(roll, photo, dense, mask_logits, mask_doubt(seen), roll_seen)


def upright_look(look: Callable[[float], Look], roll: float = 0.0) -> Look:
    """The look at which a head stands upright, or the first one if none shows a face for sure.

    A head of large yaw can seem rolled. So the other side is looked at as well: a rolled head is
    seen clearly better when it is turned back than when it is turned on.

    Args:
        look: gives the look for a roll [deg].
        roll: of the first look.
    """
    first = look(roll)
    best = first if first.doubt < SURE_DOUBT else _clearest_side(look, first)
    for _ in range(MOST_TURNS):
        now, best = best, _turned_by_pose(look, best)
        if best is now:
            break
    return best if best.doubt < MOST_DOUBT else first


def _clearest_side(look: Callable[[float], Look], now: Look) -> Look:
    """The clearer one of two looks far to both sides; `now` if it is not clearer."""
    sides = look(now.roll + WIDE_STEP), look(now.roll - WIDE_STEP)
    clearer = min(sides, key=lambda side: side.doubt)
    return clearer if clearer.doubt < CLEARLY * now.doubt else now


def _turned_by_pose(look: Callable[[float], Look], now: Look) -> Look:
    """The look turned back by the roll seen; `now` if there is none, or it only seems so.

    Beyond 40 degrees the pose often tells the roll the wrong way round: that shows, too.
    """
    if abs(now.roll_seen) < LEAST_ROLL:
        return now
    back, on = look(now.roll + now.roll_seen), look(now.roll - now.roll_seen)
    if back.doubt < CLEARLY * on.doubt and CLEARLY * back.doubt < now.doubt:
        return back
    return on if on.doubt < CLEARLY * min(now.doubt, back.doubt) else now


def turned(maps: np.ndarray, angle: float) -> np.ndarray:
    """`maps` (S,S) float32 turned counterclockwise by `angle` [deg]; edges are repeated outward."""
    return _warped(maps, angle, cv2.BORDER_REPLICATE)


def turned_mask(mask: np.ndarray, angle: float) -> np.ndarray:
    """`mask` (S,S) bool turned likewise; False beyond its edges."""
    return _warped(mask.astype(np.float32), angle, cv2.BORDER_CONSTANT) > 0.5


def _warped(maps: np.ndarray, angle: float, border: int) -> np.ndarray:
    if angle == 0:
        return maps
    middle = (len(maps) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle, 1)
    return cv2.warpAffine(maps, matrix, maps.shape, flags=cv2.INTER_CUBIC, borderMode=border)
