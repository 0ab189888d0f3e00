"""What is painted over a skin, person by person: brows, stubble, freckles, moles, make-up.

One RGBA picture over the face tile, put together from fields and strokes made once per head model.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import HeadFields, noise_at, to_linear
from df2net_hub.synthesis.brows import draw_brows
from df2net_hub.synthesis.face_map import TILE, FaceMap, vertex_values_to_texels
from df2net_hub.synthesis.lips import Lips, lip_area, lip_heights, lip_share
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import lay_over
from df2net_hub.synthesis.skin import BLOOD

LIPSTICKS = to_linear(
    np.array([[168, 30, 42], [190, 60, 80], [150, 60, 62], [178, 86, 88], [120, 24, 44]]) / 255
)
SHADOWS = to_linear(np.array([[92, 66, 60], [70, 70, 92], [120, 84, 72], [60, 48, 46]]) / 255)
BEARD_STYLES = ("full", "goatee", "moustache", "chin")


@dataclass(frozen=True)
class OverlayKit:
    """Fields (TILE,TILE) from 0 to 1 over the face tile.

    Attributes:
        areas: by name: lids, under_eyes, cheeks, flush, upper_line, lower_line.
        beards: by name of BEARD_STYLES, where it grows.
        hairs: short strokes that point down, as a beard's hairs do. patches: around 1, how dense
            they grow.
        freckles: three patterns of small dots.
        lip_heights: (2,TILE,TILE) of `lips.lip_heights`. lip_lines: fine lines across them.
    """

    areas: dict[str, np.ndarray]
    beards: dict[str, np.ndarray]
    hairs: np.ndarray
    patches: np.ndarray
    freckles: np.ndarray
    lip_heights: np.ndarray
    lip_lines: np.ndarray


@dataclass(frozen=True)
class FaceHair:
    """A person's hair on the face.

    Attributes:
        color: (3,) linear RGB of the beard. brow_color: (3,) of the brows.
        brow: strength of the brows, 0 to 1.
        beard_style: of BEARD_STYLES. beard: density of the beard or stubble, 0 none to 1.
        long: the beard stands off the face, else it is painted.
        shadow: five o'clock shadow, 0 to 1.
    """

    color: np.ndarray
    brow_color: np.ndarray
    brow: float
    beard_style: str
    beard: float
    long: bool
    shadow: float


def overlay_kit(
    model: MorphableModel, fields: HeadFields, face: FaceMap, noise: np.ndarray
) -> OverlayKit:
    """The fields of `model`, whose face tile is `face`."""
    rng = np.random.default_rng(11)
    x, y, z = np.moveaxis(face.positions, -1, 0) / face.unit
    marks = face.landmarks / face.unit

    def blob(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2) * (z > 0)

    eyes = [marks[36:42].mean(0), marks[42:48].mean(0)]
    tip = marks[30]
    lids = sum(blob(e[0] * 1.02, e[1] + 0.75, 1.9, 0.75) for e in eyes)
    cheeks = sum(blob(side * 4.0, tip[1] + 0.3, 1.9, 1.4) for side in (-1, 1))
    flush = np.maximum(cheeks, 0.9 * blob(tip[0], tip[1], 1.2, 1.0))
    flush = np.maximum(flush, 0.5 * blob(0, marks[8, 1] + 0.8, 1.5, 0.9))
    mottle = 0.6 * noise_at(noise[1], x.ravel() * 9, y.ravel() * 9)
    mottle += 0.4 * noise_at(noise[2], x.ravel() * 9, y.ravel() * 9)
    areas = {
        "lids": np.clip(lids, 0, 1),
        "under_eyes": np.clip(sum(blob(e[0] * 0.95, e[1] - 1.15, 1.6, 0.55) for e in eyes), 0, 1),
        "cheeks": cheeks,
        "flush": np.clip(flush * (0.7 + 0.5 * mottle.reshape(x.shape)), 0, 1),
        "upper_line": _lines(face, ((36, 37, 38, 39), (42, 43, 44, 45)), 2),
        "lower_line": _lines(face, ((36, 41, 40, 39), (42, 47, 46, 45)), 1),
    }
    inside = face.inside.astype(np.float32)
    grow = vertex_values_to_texels(model, fields.beard[:, None])[..., 0]
    edge = noise_at(noise[2], x.ravel() * 8, y.ravel() * 8).reshape(x.shape)
    grow = cv2.GaussianBlur(np.clip(grow * (1 + 0.25 * edge), 0, 1), (0, 0), 3)
    grow *= 1 - lip_area(face)
    center, lip = marks[48:60].mean(0), marks[48:60]
    middle = np.clip((3.1 - np.abs(x)) * 1.6, 0, 1)
    above = np.clip((y - center[1]) * 2 + 0.6, 0, 1) * middle
    chin = np.clip((lip[:, 1].min() + 0.2 - y) * 2.5, 0, 1) * np.clip((2.7 - np.abs(x)) * 1.6, 0, 1)
    return OverlayKit(
        areas={name: np.float32(area) * inside for name, area in areas.items()},
        beards={
            "full": grow,
            "goatee": np.float32(grow * middle * np.clip(7 + marks[8, 1] - y, 0, 1)),
            "moustache": np.float32(grow * above),
            "chin": np.float32(grow * chin),
        },
        hairs=_hairs(rng, face),
        patches=(
            1 + 0.2 * noise_at(noise[1], x.ravel() * 14, y.ravel() * 14).reshape(x.shape)
        ).astype(np.float32),
        freckles=np.stack([_freckles(rng, face, flush) for _ in range(3)]),
        lip_heights=lip_heights(face),
        lip_lines=(1 + 0.12 * noise[3][: TILE // 2].repeat(2, 0).repeat(2, 1)[:TILE, :TILE]) / 1.12,
    )


def _lines(face: FaceMap, chains: tuple[tuple[int, ...], ...], thickness: int) -> np.ndarray:
    area = np.zeros((TILE, TILE), np.uint8)
    for chain in chains:
        path = np.rint(face.landmark_texels[list(chain)] * 16).astype(np.int32)
        cv2.polylines(area, [path], False, 255, thickness, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(area / np.float32(255), (0, 0), 1.0)


def _hairs(rng: np.random.Generator, face: FaceMap) -> np.ndarray:
    """(TILE,TILE) dense short strokes, mostly downward."""
    area = np.zeros((2 * TILE, 2 * TILE), np.uint8)
    root = rng.uniform(0, TILE, (16000, 1, 2))
    lean = rng.normal(0, 1.8, (16000, 1)) + (root[..., 0] - TILE / 2) / TILE * 4
    step = np.stack([lean, rng.uniform(3, 7, (16000, 1))], -1)
    strokes = np.rint(np.concatenate([root, root + step], 1) * 32).astype(np.int32)
    for share, level in ((0, 150), (1, 200), (2, 255)):
        cv2.polylines(area, list(strokes[share::3]), False, level, 1, cv2.LINE_AA, 4)
    small = cv2.resize(area, (TILE, TILE), interpolation=cv2.INTER_AREA)
    return np.minimum(small / np.float32(180), 1) * face.inside


def _freckles(rng: np.random.Generator, face: FaceMap, where: np.ndarray) -> np.ndarray:
    """(TILE,TILE) small dots, dense where `where` is high, some everywhere."""
    area = np.zeros((TILE * 2, TILE * 2), np.uint8)
    place = rng.integers(0, TILE, (9000, 2))
    wanted = rng.random(9000) < 0.04 + 0.6 * where[place[:, 1], place[:, 0]] ** 0.7
    for x, y in place[wanted]:
        radius = int(16 * rng.gamma(3, 0.45))
        center = (int(x * 32 + rng.integers(32)), int(y * 32 + rng.integers(32)))
        cv2.circle(area, center, radius, int(rng.integers(60, 230)), -1, cv2.LINE_AA, 4)
    small = cv2.resize(area, (TILE, TILE), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 0.6) / np.float32(255) * face.inside


class _Canvas:
    """An RGBA picture under construction; colors are multiplied by alpha."""

    def __init__(self) -> None:
        self.pixels = np.zeros((TILE, TILE, 4), np.float32)

    def over(
        self,
        share: np.ndarray,
        color: np.ndarray,
        corner: tuple[int, int] = (0, 0),
        strength: float = 1.0,
    ) -> None:
        """Put `color` over the canvas with opacity `share` (h,w), from texel `corner` on."""
        if strength > 0.01:
            values = np.array([*color, 1], np.float32)
            part = self.pixels[corner[0] :, corner[1] :]
            lay_over(part, share, np.float32(strength), values)

    def area(self, field: np.ndarray, strength: float, color: np.ndarray) -> None:
        """Put `color` over where `field` (TILE,TILE) is not zero."""
        self.over(field, color, strength=strength)


def draw_overlay(
    rng: np.random.Generator,
    kit: OverlayKit,
    face: FaceMap,
    tone: np.ndarray,
    hair: FaceHair,
    age: float,
    made_up: float,
    lips: Lips,
    marks: bool,
    lid_lines: bool,
) -> np.ndarray:
    """(TILE,TILE,4) linear RGBA of one person, colors multiplied by alpha.

    `rng` draws the same numbers whatever is left out, `tone` (3,) is the linear color of the skin,
    `age` 0 young to 1 old, `made_up` 0 to 1. `marks` are freckles, moles, redness and make-up but
    for lipstick, which is of `lips`; `lid_lines` the edges of the lids.
    """
    canvas = _Canvas()
    brow_seed, mark_seed, lip_seed = rng.spawn(3)
    if marks:
        _draw_marks(mark_seed, canvas, kit, face, tone, age, made_up)
    _draw_lips(lip_seed, canvas, kit, tone, lips)
    if lid_lines:
        dark = tone * np.array([0.25, 0.18, 0.16], np.float32)
        canvas.area(kit.areas["upper_line"], min(0.4 + 0.5 * made_up, 0.9), dark)
        canvas.area(kit.areas["lower_line"], 0.25 + 0.3 * made_up, dark)
    grow = kit.beards[hair.beard_style]
    shade = 0.45 * hair.color + 0.55 * tone * np.array([0.55, 0.55, 0.58], np.float32)
    canvas.area(kit.beards["full"], 0.45 * hair.shadow, shade)
    if hair.beard > 0:
        density = (0.45 + 0.75 * kit.hairs) * kit.patches
        field = np.clip(grow * density * (0.2 + 1.4 * hair.beard), 0, 0.97)
        canvas.area(field.astype(np.float32, copy=False), 1.0, hair.color)
    if hair.brow > 0:
        share, corner = draw_brows(brow_seed, face)
        canvas.over(share, hair.brow_color, corner, hair.brow)
    return canvas.pixels


def _draw_marks(
    rng: np.random.Generator,
    canvas: _Canvas,
    kit: OverlayKit,
    face: FaceMap,
    tone: np.ndarray,
    age: float,
    made_up: float,
) -> None:
    areas, light = kit.areas, float(np.clip(tone.mean() / 0.3, 0, 1))
    red = tone * np.exp(BLOOD * rng.uniform(1, 2.5))
    canvas.area(areas["flush"], abs(rng.normal(0, 0.3)) * (0.3 + 0.7 * light), red)
    brown = tone * np.array([0.62, 0.50, 0.42], np.float32)
    freckled = rng.choice([0, rng.uniform(0.15, 0.4), rng.uniform(0.5, 0.9)], p=[0.6, 0.28, 0.12])
    spotted = max(freckled * light, 0.3 * age * rng.random())
    canvas.area(kit.freckles[rng.integers(3)], spotted, brown)
    tired = np.clip(rng.normal(0.12 + 0.2 * age, 0.12), 0, 0.6) * (1 - 0.6 * made_up)
    canvas.area(areas["under_eyes"], tired, tone * np.array([0.62, 0.50, 0.52], np.float32))
    shadow = SHADOWS[rng.integers(len(SHADOWS))] * np.exp(rng.normal(0, 0.3))
    strengths = made_up * rng.uniform(0.2, 1, 2)
    canvas.area(areas["lids"], 0.5 * strengths[0], 0.5 * shadow + 0.5 * tone * 0.6)
    canvas.area(areas["cheeks"], 0.3 * strengths[1], tone * np.exp(BLOOD * 2))
    spots = np.zeros((TILE, TILE), np.uint8)
    bumps = spots.copy()
    for picture, count, size in (
        (spots, rng.poisson(1.2), 0.35),
        (bumps, rng.poisson(3) * (rng.random() < 0.3), 0.8),
    ):
        place = rng.uniform([0.15, 0.18], [0.85, 0.8], (24, 2)) * TILE
        radius = rng.gamma(3, size, 24)
        for (x, y), r in zip(place[:count], radius, strict=False):
            center = (int(x * 16), int(y * 16))
            cv2.circle(picture, center, int(16 * min(r, 4)), 255, -1, cv2.LINE_AA, 4)
    mask = face.inside.astype(np.float32) / 255
    if spots.any():
        canvas.area(spots * mask, 0.6, tone * np.array([0.35, 0.24, 0.20], np.float32))
    if bumps.any():
        canvas.area(cv2.GaussianBlur(bumps, (0, 0), 1.5) * mask, 0.4, tone * np.exp(BLOOD * 2.5))


def _draw_lips(
    rng: np.random.Generator, canvas: _Canvas, kit: OverlayKit, tone: np.ndarray, lips: Lips
) -> None:
    share = lip_share(kit.lip_heights, lips.thin) * kit.lip_lines
    own = tone * np.array([0.80, 0.48, 0.47]) * np.exp(rng.normal(0, [0.12, 0.2, 0.2]))
    canvas.area(share, lips.red, own)
    lipstick = LIPSTICKS[rng.integers(len(LIPSTICKS))] * np.exp(rng.normal(0, 0.2))
    canvas.area(share, lips.painted, lipstick * (0.4 + 0.6 * np.clip(tone.mean() / 0.3, 0, 1)))
