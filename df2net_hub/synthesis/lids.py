"""What lids do to the look of open eyes: shade on the eyeball, and the dark line of the lashes.

In portraits the upper third of the white of an eye has a quarter of the cheek's brightness and its
lower third seven tenths, and the darkest line along the upper lid has 3 % of it
(`benchmarks/face_looks.py`). Lashes, and an edge of the lid that overhangs, do that; both are
smaller than the head model and a pixel show.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lids:
    """How a person's lids look.

    Attributes:
        shade: share of the light that is kept from the eyeball right below the upper lid, 0 to 1.
        reach_cm: how far down that goes (deviation of a Gaussian).
        line: share of the skin's color that the upper lid's lashes cover at its edge, 0 to 1.
        line_cm: how wide that line is.
    """

    shade: float
    reach_cm: float
    line: float
    line_cm: float


BARE_LIDS = Lids(0.0, 0.2, 0.0, 0.1)
LOWER_LINE = 0.35  # of the line on the lower lid, over that on the upper one


def sample_lids(rng: np.random.Generator, made_up: float) -> Lids:
    """Lids of a person; `made_up`, 0 to 1, darkens and widens the line."""
    return Lids(
        shade=float(rng.uniform(0.75, 1.0)),
        reach_cm=float(rng.uniform(0.3, 0.5)),
        line=float(np.clip(rng.normal(0.95, 0.1) + 0.1 * made_up, 0.4, 0.98)),
        line_cm=float(rng.uniform(0.1, 0.22) * (1 + 0.5 * made_up)),
    )


def light_below_lids(eyes: np.ndarray, lids: Lids, px_per_cm: float) -> np.ndarray:
    """(F,F) float32 share of the light that reaches pixels of `eyes` (F,F) bool; 1 elsewhere."""
    share = np.ones(eyes.shape, np.float32)
    rows = np.flatnonzero(eyes.any(1))
    if len(rows):
        near = slice(max(rows[0] - 1, 0), rows[-1] + 1)
        seen = eyes[near]
        below = _steps_from(~seen, seen)[seen] / (lids.reach_cm * px_per_cm)
        share[near][seen] -= lids.shade * np.exp(-(below**2))
    return share


def color_beside_lashes(
    eyes: np.ndarray, skin: np.ndarray, lids: Lids, px_per_cm: float
) -> np.ndarray:
    """(F,F) float32 share of its color that `skin` (F,F) bool keeps; less along the lids' edges."""
    share = np.ones(eyes.shape, np.float32)
    rows = np.flatnonzero(eyes.any(1))
    if len(rows):
        width = lids.line_cm * px_per_cm
        margin = int(2 * width) + 2
        near = slice(max(rows[0] - margin, 0), rows[-1] + 1 + margin)
        seen, beside = eyes[near], skin[near]
        upper = _steps_from(seen[::-1], beside[::-1])[::-1] / width
        lower = _steps_from(seen, beside) / width
        cover = np.exp(-(upper**4)) + LOWER_LINE * np.exp(-(lower**4))
        share[near][beside] -= lids.line * np.minimum(cover, 1)[beside]
    return share


def _steps_from(start: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(F,F) float32 rows from the nearest pixel of `start` above, if all between are of `way`."""
    steps = np.full(start.shape, np.inf, np.float32)
    before = steps[0]
    for row in range(len(steps)):
        before = np.where(start[row], 0, np.where(way[row], before + 1, np.inf))
        steps[row] = before
    return steps
