"""Creases, pores and bags of the skin as displacement of the surface, in texture space.

Each kind of crease is drawn in several variants as irregular, broken lines over the face's texture
tile, placed by the model's landmarks; a picture mixes one variant of each by age and expression.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import noise_at
from df2net_hub.synthesis.expressions import Expression
from df2net_hub.synthesis.face_map import TILE, FaceMap, texel_positions

__all__ = ["KINDS", "WrinkleKit", "texel_positions", "wrinkle_kit"]

VARIANTS = 5
KINDS = (
    "forehead", "frown", "lid", "crow", "under_eye", "bag", "wing", "fold", "marionette", "lips",
    "cheek", "chin", "neck", "unevenness", "grain",
)  # fmt: skip
ROUND = ("chin", "unevenness")  # dimples and lumps
# Depth of a unit of each kind in a deeply lined face [cm].
DEEPEST_CM = np.array(
    [0.11, 0.14, 0.54, 0.17, 0.28, 0.20, 0.26, 0.27, 0.15, 0.05, 0.07, 0.15, 0.09, 0.07, 0.010]
)


@dataclass(frozen=True)
class WrinkleKit:
    """Variants of all kinds of creases.

    Attributes:
        maps: (len(KINDS),VARIANTS,TILE,TILE) float32 heights, furrows down to about -1.
        rows: (len(KINDS),2) first and last row of the tile that a kind touches.
        aside: (TILE,) -1 at the face's one side to 1 at the other.
    """

    maps: np.ndarray
    rows: np.ndarray
    aside: np.ndarray

    def sample(
        self, rng: np.random.Generator, age: float, expression: Expression
    ) -> tuple[np.ndarray, np.ndarray]:
        """(TILE,TILE) float32 displacement [cm] of somebody of `age` (0 young to 1 old).

        The second is what of it are lines with a bottom, whose darkness `cavities` knows.
        """
        weights = crease_weights(rng, age, expression)
        variants = rng.integers(VARIANTS, size=len(KINDS))
        mirrored = rng.random(len(KINDS)) < 0.5
        asymmetry = np.clip(rng.normal(0, 0.3, len(KINDS)), -0.8, 0.8)
        total, lines = np.zeros((2, TILE, TILE), np.float32)
        for k, weight in enumerate(weights * DEEPEST_CM):
            if weight > 0.001:
                rows = slice(*self.rows[k])
                layer = self.maps[k, variants[k], rows]
                layer = layer[:, ::-1] if mirrored[k] else layer
                uneven = (weight * (1 + asymmetry[k] * self.aside)).astype(np.float32)
                total[rows] += layer * uneven
                if KINDS[k] not in ROUND:
                    lines[rows] += layer * uneven
        return total, lines


def crease_weights(rng: np.random.Generator, age: float, expression: Expression) -> np.ndarray:
    """(len(KINDS),) from 0 to about 1.2: what age leaves for good and what the expression adds."""
    old = np.clip(1.25 * age - 0.2, 0, 1)
    drive = {
        "forehead": expression.raised, "frown": expression.frowning, "lid": 0.0,
        "crow": max(expression.squinting, 0.7 * expression.smiling),
        "under_eye": expression.squinting, "bag": 0.3 * expression.squinting,
        "wing": 0.3 * expression.smiling, "fold": expression.smiling,
        "marionette": 0.15 * expression.frowning, "lips": 0.0,
        "cheek": 0.8 * expression.smiling, "chin": 0.0, "neck": 0.0, "unevenness": 0.2,
        "grain": 0.5,
    }  # fmt: skip
    moved = np.array([drive[name] for name in KINDS])
    lasting = np.clip(
        old * rng.uniform(0.2, 1.25, len(KINDS)) - 0.1 * rng.random(len(KINDS)), 0, 1.1
    )
    weights = lasting + moved * (0.25 + 0.6 * old) * rng.uniform(0.6, 1.1, len(KINDS))
    # Nearly everybody has a fold above the upper lid, which is drawn out over a shut eye, some line
    # below the lower one, and a groove around the wings of the nose.
    folded = rng.uniform(0.35, 1.0) * (rng.random() < 0.88)
    weights[KINDS.index("lid")] = folded * (1 - 0.75 * expression.shut)
    weights[KINDS.index("under_eye")] += rng.uniform(0.1, 0.6)
    weights[KINDS.index("wing")] += rng.uniform(0.2, 0.9)
    # A smile folds every cheek, a young one as well, and the skin below and beside the eyes.
    weights[KINDS.index("fold")] += expression.smiling * rng.uniform(0.5, 1.2)
    weights[KINDS.index("under_eye")] += expression.smiling * rng.uniform(0.1, 0.6)
    weights[KINDS.index("crow")] += expression.smiling * rng.uniform(0.2, 0.8)
    weights[KINDS.index("chin")] = rng.uniform(0.3, 1.0) * (rng.random() < 0.15)
    weights[KINDS.index("grain")] = rng.uniform(0.2, 1.0) + 0.3 * old
    return np.clip(weights, 0, 1.3)


def wrinkle_kit(face: FaceMap, noise: np.ndarray) -> WrinkleKit:
    """Draw all variants for the head whose face tile is `face`."""
    maps = np.zeros((len(KINDS), VARIANTS, TILE, TILE), np.float32)
    for variant in range(VARIANTS):
        rng = np.random.default_rng([23, variant])
        pen = _Pen(face, rng)
        for k, name in enumerate(KINDS):
            maps[k, variant] = _DRAW[name](pen, noise) * face.inside
    columns = (np.arange(TILE) + 0.5) / TILE * 2 - 1
    rows = np.zeros((len(KINDS), 2), np.int64)
    for k in range(len(KINDS)):
        touched = np.flatnonzero((np.abs(maps[k]) > 0.004).any((0, 2)))
        rows[k] = (touched[0], touched[-1] + 1) if len(touched) else (0, 0)
    return WrinkleKit(maps, rows, columns.astype(np.float32))


class _Pen:
    """Draws furrows of one variant; lengths in units of the face, about a centimeter."""

    def __init__(self, face: FaceMap, rng: np.random.Generator) -> None:
        self.face, self.rng = face, rng
        self.marks = face.landmarks / face.unit
        self.lines: list[tuple[np.ndarray, np.ndarray]] = []

    def line(
        self, points: np.ndarray, strength: float, wobble: float = 0.06, broken: float = 0.4
    ) -> None:
        """A furrow along `points` (n,2), wobbling, fading to its ends; some are `broken`."""
        rng = self.rng
        t = np.linspace(0, 1, 40)
        at = t * (len(points) - 1)
        path = np.stack([np.interp(at, range(len(points)), points[:, axis]) for axis in (0, 1)], -1)
        bend = sum(
            rng.normal(0, wobble, 2) / k * np.sin(2 * np.pi * (k * t[:, None] + rng.random()))
            for k in (1, 2, 3, 5)
        )
        dips = 0.75 + 0.35 * np.sin(2 * np.pi * (rng.uniform(1, 3) * t + rng.random()))
        gap = 1 - 0.9 * (rng.random() < broken) * np.exp(
            -(((t - rng.uniform(0.2, 0.8)) / 0.06) ** 2)
        )
        depth = strength * np.sin(np.pi * np.clip(t, 0.02, 0.98)) ** 0.6 * dips * gap
        self.lines.append((path + bend, np.clip(depth, 0, 1)))

    def furrows(self, narrow: float, wide: float, bulge: float = 0.5) -> np.ndarray:
        """(TILE,TILE) heights of all lines so far: a sharp furrow in a soft valley with banks.

        `narrow` and `wide` are the widths of furrow and valley [texels].
        """
        area = np.zeros((TILE, TILE), np.float32)
        for path, depth in self.lines:
            texels = np.rint(self.face.texels(path * self.face.unit) * 16).astype(np.int32)
            level = np.zeros_like(area)
            for k in range(len(texels) - 1):
                cv2.line(level, texels[k], texels[k + 1], float(depth[k]), 1, cv2.LINE_8, 4)
            area = np.maximum(area, level)
        self.lines = []
        sharp = cv2.GaussianBlur(area, (0, 0), narrow) * narrow * 2.5
        valley = cv2.GaussianBlur(area, (0, 0), wide) * wide * 2.5
        banks = cv2.GaussianBlur(area, (0, 0), 2.2 * wide) * 2.2 * wide * 2.5
        return -0.45 * sharp - 0.75 * valley + bulge * banks

    def blob(self, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        """(TILE,TILE) a smooth hill."""
        x, y, _ = np.moveaxis(self.face.positions, -1, 0) / self.face.unit
        return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)


def _forehead(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng, brow = pen.rng, pen.marks[17:27, 1].mean()
    for k in range(int(rng.integers(3, 6))):
        y = brow + 1.5 + k * rng.uniform(0.75, 1.05)
        left, right = -rng.uniform(2.0, 4.4), rng.uniform(2.0, 4.4)
        x = np.linspace(left, right, 7)
        arch = rng.uniform(0.1, 0.5) * np.cos(x / 4.5 * np.pi) * rng.choice([1, 1, -0.6])
        pen.line(np.stack([x, y + arch], -1), rng.uniform(0.5, 1.0), 0.09)
        for _ in range(int(rng.integers(0, 3))):  # short lines beside the long ones
            x0 = rng.uniform(-3.5, 2.5)
            y0 = y + rng.normal(0, 0.3)
            end = [x0 + rng.uniform(0.8, 1.8), y0 + rng.normal(0, 0.1)]
            pen.line(np.array([[x0, y0], end]), rng.uniform(0.2, 0.5))
    return pen.furrows(1.4, 4.0)


def _frown(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng, brow = pen.rng, pen.marks[[21, 22], 1].mean()
    for side in rng.permutation([-1, 1])[: 1 + (rng.random() < 0.85)]:
        x = side * rng.uniform(0.45, 0.75)
        path = [[x * 0.8, brow - 0.7], [x, brow + 0.2], [x * rng.uniform(1.0, 1.5), brow + 1.3]]
        pen.line(np.array(path), rng.uniform(0.6, 1.0))
    if rng.random() < 0.5:
        y = pen.marks[27, 1] - rng.uniform(-0.2, 0.5)
        pen.line(np.array([[-0.9, y], [0, y - 0.1], [0.9, y]]), 0.5)
    return pen.furrows(1.4, 4.0, 0.6)


def _lid(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    """The fold between the upper lid and what hangs over it from the brow."""
    rng, eyes = pen.rng, []
    above, outward = rng.uniform(0.22, 0.65), rng.uniform(0.1, 0.6)
    for outer, near_outer, near_inner, inner, side in ((36, 37, 38, 39, -1), (45, 44, 43, 42, 1)):
        end = [side * outward, rng.uniform(-0.25, 0.15)]
        past = [side * 0.12, 0.7 * above]
        shifts = [[0, 0.12], [0, above], [0, above], past, end]
        marks = [inner, near_inner, near_outer, outer, outer]
        eyes.append(_bent(pen.marks[marks, :2] + np.array(shifts)))
    for fold in eyes:
        pen.line(fold, rng.uniform(0.85, 1.0), 0.03, broken=0)
        if rng.random() < 0.4:  # a second one beside it
            pen.line(fold + [0, rng.uniform(0.18, 0.3)], rng.uniform(0.2, 0.6), 0.05)
    furrows = pen.furrows(1.0, 2.4, 0.3)
    for fold in eyes:
        pen.line(fold + [0, 0.32], 0.9, 0.03, broken=0)
    return furrows - 0.5 * pen.furrows(3.0, 5.0, 0.3)


def _bent(points: np.ndarray) -> np.ndarray:
    """(15,2) the cubic that comes closest to `points` (n,2), in turn."""
    last = len(points) - 1
    return np.vander(np.linspace(0, last, 15), 4) @ np.polyfit(range(last + 1), points, 3)


def _crow(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng = pen.rng
    for corner, side in ((36, -1), (45, 1)):
        for angle in np.linspace(-0.75, 0.7, int(rng.integers(3, 7))) + rng.normal(0, 0.06):
            start, end = rng.uniform(0.35, 0.7), rng.uniform(1.2, 2.4)
            reach = np.linspace(start, end, 5)
            turn = angle + rng.normal(0, 0.08) + rng.normal(0.08, 0.08) * (reach - start)
            points = pen.marks[corner, :2] + np.stack(
                [side * reach * np.cos(turn), reach * np.sin(turn)], -1
            )
            pen.line(points, rng.uniform(0.4, 1.0), 0.04)
    return pen.furrows(1.1, 2.6)


def _under_eye(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    """The roll of muscle along the lower lid, the fold that ends it, and finer lines beside."""
    rng, folds = pen.rng, []
    below, past, rise = rng.uniform(0.5, 0.85), rng.uniform(0.3, 0.9), rng.uniform(-0.35, 0.1)
    for inner, near_inner, near_outer, outer, side in ((39, 40, 41, 36, -1), (42, 47, 46, 45, 1)):
        end = [side * past, rise - 0.3]
        shifts = [[side * 0.1, -0.3], [0, -below], [0, -below], [side * 0.1, -0.8 * below], end]
        marks = [inner, near_inner, near_outer, outer, outer]
        folds.append(_bent(pen.marks[marks, :2] + np.array(shifts)))
    for fold in folds:
        pen.line(fold, rng.uniform(0.85, 1.0), 0.04, broken=0)
        for _ in range(int(rng.integers(0, 3))):
            beside = fold[rng.integers(0, 4) : rng.integers(8, 15)]
            pen.line(beside + [0, rng.normal(0, 0.2)], rng.uniform(0.2, 0.6), 0.05)
    furrows = pen.furrows(1.1, 2.6, 0.3)
    for fold in folds:
        pen.line(fold + [0, 0.5 * below], 0.8, 0.03, broken=0)
    return furrows - 0.4 * pen.furrows(3.0, 5.0, 0.2)


def _bag(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng, below = pen.rng, pen.rng.uniform(1.05, 1.35)
    for outer, inner, side in ((36, 39, -1), (45, 42, 1)):
        t = np.linspace(-0.8, 1.0, 7)
        y = -below + rng.normal(0, 0.05) - 0.35 * (1 - t**2) + 0.1 * t
        middle = (pen.marks[outer, :2] + pen.marks[inner, :2]) / 2
        pen.line(middle + np.stack([-side * 1.5 * t, y], -1), rng.uniform(0.5, 1.0), 0.05)
    groove = pen.furrows(2.0, 5.0, 0.2)
    hills = np.zeros_like(groove)
    for eye in (slice(36, 42), slice(42, 48)):
        x, y = pen.marks[eye].mean(0)[:2] - [0, 0.95]
        hills += pen.blob(x, y, 1.3, 0.42)
    return 0.55 * groove + 0.7 * hills


def _wing(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    """The groove between the wings of the nose and the cheeks."""
    around = np.array([[0.1, -0.03], [0.42, 0.2], [0.62, 0.7], [0.6, 1.3], [0.33, 1.75]])
    for base, side in ((31, -1), (35, 1)):
        path = pen.marks[base, :2] + around * [side, 1] + pen.rng.normal(0, 0.05, 2)
        pen.line(_bent(path), pen.rng.uniform(0.8, 1.0), 0.02, broken=0)
    return pen.furrows(2.2, 5.0, 0.2)


def _fold(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng = pen.rng
    out, low = rng.uniform(0.7, 1.2), rng.uniform(-0.4, 0.7)
    sides = []
    for wing, mouth, side in ((31, 48, -1), (35, 54, 1)):
        top = pen.marks[wing, :2] + [side * 0.35, 0.45]
        end = pen.marks[mouth, :2] + [side * out, -low + rng.normal(0, 0.15)]
        t = np.linspace(0, 1, 9)[:, None]
        bow = np.array([side * 0.45, 0.1]) * np.sin(np.pi * t)
        sides.append((top + (end - top) * t + bow, side))
    for path, _ in sides:
        pen.line(path, rng.uniform(0.8, 1.0), 0.05, broken=0.15)
    furrows = pen.furrows(2.0, 6.0, 0.35)
    for path, side in sides:  # the cheek lies over it
        pen.line(path + [side * 0.75, 0.3], 0.8, 0.05, broken=0)
    return furrows - 0.55 * pen.furrows(6.0, 11.0, 0.2)


def _marionette(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng = pen.rng
    for mouth, side in ((48, -1), (54, 1)):
        top = pen.marks[mouth, :2] + [side * 0.15, -0.15]
        end = top + [side * rng.uniform(-0.1, 0.5), -rng.uniform(1.3, 2.2)]
        t = np.linspace(0, 1, 6)[:, None]
        pen.line(top + (end - top) * t + [side * 0.2, 0] * np.sin(np.pi * t), rng.uniform(0.6, 1))
    return pen.furrows(1.6, 5.0, 0.5)


def _lip_lines(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng = pen.rng
    for x in np.linspace(-1.9, 1.9, int(rng.integers(9, 15))) + rng.normal(0, 0.06):
        y = np.interp(x, pen.marks[48:55, 0], pen.marks[48:55, 1])
        path = [[x, y + 0.05], [x * 1.05 + rng.normal(0, 0.05), y + rng.uniform(0.35, 0.8)]]
        pen.line(np.array(path), rng.uniform(0.3, 1), 0.02)
    return pen.furrows(1.1, 2.6, 0.4)


def _cheek(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng = pen.rng
    for mouth, side in ((48, -1), (54, 1)):
        for k in range(int(rng.integers(1, 4))):
            top = pen.marks[mouth, :2] + [side * (1.6 + 0.55 * k), rng.uniform(0.6, 1.4)]
            t = np.linspace(0, 1, 6)[:, None]
            end = top + [side * rng.uniform(-0.2, 0.3), -rng.uniform(1.4, 2.6)]
            pen.line(
                top + (end - top) * t + [side * 0.3, 0] * np.sin(np.pi * t), rng.uniform(0.3, 1)
            )
    return pen.furrows(1.3, 4.5, 0.5)


def _chin(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    x, y = 0.0, pen.marks[57, 1] - pen.rng.uniform(1.4, 2.0)
    if pen.rng.random() < 0.5:
        return -pen.blob(x, y, 0.28, 0.35)  # a dimple
    return -pen.blob(x, y - 0.4, 0.22, 1.0)  # a cleft


def _neck(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    rng, chin = pen.rng, pen.marks[8, 1]
    for k in range(2):
        x = np.linspace(-4.5, 4.5, 7)
        y = chin - 0.4 - 0.5 * k + 0.05 * x**2 * rng.uniform(0.5, 1)
        pen.line(np.stack([x, y], -1), rng.uniform(0.4, 0.9), 0.1)
    return pen.furrows(2.5, 6.0, 0.4)


def _unevenness(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    """Soft lumps of old skin."""
    return _noise(pen, noise[1], 7) * 0.6 + _noise(pen, noise[2], 9) * 0.25


def _grain(pen: _Pen, noise: np.ndarray) -> np.ndarray:
    """Pores and the fine net of lines between them."""
    pores = np.minimum(_noise(pen, noise[3], 24) + 0.6, 0)
    net = -np.abs(_noise(pen, noise[2], 22)) * 0.4 - np.abs(_noise(pen, noise[2], 31)) * 0.3
    return 0.7 * pores + net + 0.25 * _noise(pen, noise[2], 14)


def _noise(pen: _Pen, layer: np.ndarray, per_unit: float) -> np.ndarray:
    """(TILE,TILE) noise with `per_unit` noise pixels to a unit of the face's surface."""
    x, y, z = (pen.face.positions / pen.face.unit).reshape(-1, 3).T
    a, b = pen.rng.uniform(0, 256, 2)
    around = 9 * np.arctan2(x, np.maximum(z, 1))  # so that cheeks and temples show no stripes
    level = y + 0.35 * z
    return noise_at(layer, around * per_unit + a, level * per_unit + b).reshape(TILE, TILE)


_DRAW = dict(
    zip(
        KINDS,
        (_forehead, _frown, _lid, _crow, _under_eye, _bag, _wing, _fold, _marionette,
         _lip_lines, _cheek, _chin, _neck, _unevenness, _grain), strict=True,
    )
)  # fmt: skip
