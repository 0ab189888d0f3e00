"""Skins made ready for mixing: eyes and brows of their makers removed, tones measured, re-toned.

Skin varies along two axes, how much melanin and how much blood it holds; tones are drawn along the
first, with a little of the second, so that no green or violet faces come out.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.synthesis.appearance import DEEPEST_CREASE_CM, to_linear
from df2net_hub.synthesis.face_map import TILE, FaceMap
from df2net_hub.synthesis.lips import lip_area

# Skin from light to dark, sRGB; between them lies every person.
TONES = to_linear(
    np.array(
        [[243, 208, 192], [230, 186, 164], [214, 170, 147], [194, 145, 118], [160, 112, 88],
         [122, 83, 64], [88, 58, 46], [62, 42, 35]]
    ) / 255
)  # fmt: skip
PHOTO_MIXED = 0.3  # share of skins from photographs that are two mixed
PHOTO_TONED = 0.7  # most of the way to another tone that a skin from a photograph is brought
CREASES_DEEP = (0.0, 0.35)  # mean and deviation of the log of what a person's furrows are deeper by
# Change of log linear RGB with blood near the surface: green is absorbed most.
BLOOD = np.array([0.05, -0.20, -0.13], np.float32)


@dataclass(frozen=True)
class SkinLibrary:
    """Skins to mix.

    Attributes:
        skins: textures (h,2h,3) of the kind in `Assets`, without painted eyes, brows and lips.
        tones: (N,3) linear color of each skin's cheeks and forehead.
        names: name of each.
        creases: (TILE,TILE) uint8 of each, furrows in 255ths of DEEPEST_CREASE_CM; painted skins
            have none.
    """

    skins: tuple[np.ndarray, ...]
    tones: np.ndarray
    names: tuple[str, ...]
    creases: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Complexion:
    """One person's skin: two textures of the library, their mix, and the gain that tones them."""

    first: int
    second: int
    mix: float
    gain: np.ndarray
    tone: np.ndarray


def skin_library(skins: list[np.ndarray], names: tuple[str, ...], face: FaceMap) -> SkinLibrary:
    """Clean `skins` for the head whose face tile is `face`."""
    patch = _eye_and_brow_patch(face)
    decoded = to_linear(np.arange(256) / 255)
    encoded = np.rint(np.linspace(0, 1, 4096) ** (1 / 2.2) * 255).astype(np.uint8)
    cleaned, tones = [], []
    for skin in skins:
        linear = _fill(decoded[skin] if skin.dtype == np.uint8 else skin, patch)
        tones.append(cheek_tone(linear, face))
        bytes_again = encoded[np.rint(linear * 4095).astype(np.int16)]
        cleaned.append(bytes_again if skin.dtype == np.uint8 else linear)
    return SkinLibrary(tuple(cleaned), np.array(tones, np.float32), names)


def _eye_and_brow_patch(face: FaceMap) -> np.ndarray:
    """(TILE,TILE) 1 where skins carry painted eyes, lids, lashes and brows, soft at the edge."""
    flat = face.positions.reshape(-1, 3)
    near = np.zeros(len(flat), np.float32)
    for eye in (slice(36, 42), slice(42, 48)):
        center = face.landmarks[eye].mean(0) + [0, 0.25 * face.unit, 0]
        offset = (flat - center) / face.unit
        reach = np.sqrt((offset[:, 0] / 2.1) ** 2 + (offset[:, 1] / 1.15) ** 2)
        near = np.maximum(near, np.clip((1.25 - reach) / 0.25, 0, 1))
    for brow in (slice(17, 22), slice(22, 27)):
        line = face.landmarks[brow, :2]
        path = np.concatenate([np.linspace(a, b, 6) for a, b in zip(line, line[1:], strict=False)])
        distance = np.min([np.hypot(*(flat[:, :2] - p).T) for p in path], axis=0) / face.unit
        near = np.maximum(near, np.clip((0.75 - distance) / 0.3, 0, 1))
    near = np.maximum(near, np.clip(1.6 * lip_area(face, 7), 0, 1).ravel())
    # The slits between the lids are no texels of the face, but lie between two that are.
    return cv2.morphologyEx(
        near.reshape(TILE, TILE) * face.inside, cv2.MORPH_CLOSE, np.ones((9, 9))
    )


def _cheeks(face: FaceMap) -> np.ndarray:
    """(TILE,TILE) bool: cheeks and the middle of the forehead."""
    x, y, _ = np.moveaxis(face.positions, -1, 0)
    eyes, nose = face.landmarks[36:48, 1].mean(), face.landmarks[33, 1]
    cheek = (np.abs(np.abs(x) / face.unit - 3.8) < 1.2) & (y < eyes - 1.8) & (y > nose - 1)
    brow = face.landmarks[17:27, 1].mean()
    forehead = (np.abs(x) < 3 * face.unit) & (y > brow + face.unit) & (y < brow + 2.5 * face.unit)
    return (cheek | forehead) & face.inside


def _fill(skin: np.ndarray, patch: np.ndarray) -> np.ndarray:
    """`skin` with the patch replaced by a smooth continuation of what surrounds it, plus grain."""
    height = len(skin)
    tile = skin[:, :height]
    small = cv2.resize(tile, (128, 128), interpolation=cv2.INTER_AREA)
    known = 1.0 * (cv2.resize(patch, (128, 128)) < 0.02)
    color, weight = small * known[..., None], known
    smooth, settled = np.zeros_like(color), np.zeros_like(color[..., :1])
    for sigma in (2, 5, 12, 30):  # the nearest known skin that there is
        near = cv2.GaussianBlur(color, (0, 0), sigma)
        share = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None]
        smooth += (1 - settled) * (near / np.maximum(share, 1e-4) - smooth)
        settled = np.maximum(settled, np.clip(share * 6, 0, 1))
    scale = height // 128
    rows, columns = (np.flatnonzero(cv2.resize(patch, (128, 128)).any(axis)) for axis in (1, 0))
    box = tuple(slice(n[0] * scale, (n[-1] + 1) * scale) for n in (rows, columns))
    smooth = cv2.resize(smooth.astype(np.float32), (height, height), interpolation=cv2.INTER_CUBIC)
    strip = tile[slice(int(0.12 * height), int(0.17 * height)), box[1]]  # the forehead's grain
    grain = strip / np.maximum(cv2.GaussianBlur(strip, (0, 0), height / 100), 1e-3)
    grain = np.tile(grain, (height // len(grain) + 1, 1, 1))[: box[0].stop - box[0].start]
    alpha = cv2.resize(patch, (height, height))[box][..., None]
    filled = skin.copy()
    filled[box] += alpha * (smooth[box] * np.clip(grain, 0.8, 1.2) - tile[box])
    return np.clip(filled, 0.002, 1)


def sample_complexion(rng: np.random.Generator, library: SkinLibrary, age: float) -> Complexion:
    """Draw a tone, two skins near it that suit `age` (0 young to 1 old), and the gain to it."""
    place = rng.beta(0.9, 1.5) * (len(TONES) - 1)
    tone = np.array([np.interp(place, np.arange(len(TONES)), TONES[:, c]) for c in range(3)])
    tone = tone * np.exp(BLOOD * rng.normal(0, 0.45) + rng.normal(0, 0.015, 3))
    apart = np.abs(np.log(library.tones.mean(1) / tone.mean()))
    ages = np.array([_age_of(name) for name in library.names])
    odds = np.exp(-((apart / 0.5) ** 2) - ((ages - age) / 0.4) ** 2) + 1e-6
    first, second = rng.choice(len(odds), 2, p=odds / odds.sum())
    mix = float(rng.beta(0.7, 0.7))
    mixed = (1 - mix) * library.tones[first] + mix * library.tones[second]
    gain = np.clip((tone / mixed) ** 0.9, 0.3, 2.2)
    return Complexion(
        first=int(first),
        second=int(second),
        mix=mix,
        gain=gain.astype(np.float32),
        tone=(mixed * gain).astype(np.float32),
    )


def photo_skins(
    textures: tuple[np.ndarray, ...],
    names: tuple[str, ...],
    creases: tuple[np.ndarray, ...],
    face: FaceMap,
) -> SkinLibrary:
    """Skins from photographs as they are, eyes and brows of their owners and all."""
    tones = [cheek_tone(to_linear(np.arange(256) / 255)[texture], face) for texture in textures]
    return SkinLibrary(textures, np.array(tones, np.float32).reshape(-1, 3), names, creases)


def sample_photo_skin(
    rng: np.random.Generator, library: SkinLibrary, tone: np.ndarray
) -> Complexion:
    """Draw a skin from a photograph near `tone` (3,), or two, and a gain part of the way there."""
    apart = np.abs(np.log(library.tones.mean(1) / tone.mean()))
    odds = np.exp(-((apart / 0.5) ** 2)) + 1e-3
    first, second = rng.choice(len(odds), 2, p=odds / odds.sum())
    mix = float(rng.beta(0.7, 0.7)) if rng.random() < PHOTO_MIXED else 0.0
    own = (1 - mix) * library.tones[first] + mix * library.tones[second]
    gain = np.clip((tone / own) ** rng.uniform(0, PHOTO_TONED), 0.3, 2.2)
    return Complexion(
        first=int(first),
        second=int(second),
        mix=mix,
        gain=gain.astype(np.float32),
        tone=(own * gain).astype(np.float32),
    )


def creases_of(
    rng: np.random.Generator, library: SkinLibrary, complexion: Complexion
) -> np.ndarray:
    """(TILE,TILE) float32 depth [cm] of the furrows of a skin from a photograph, or of two."""
    deep = np.float32(DEEPEST_CREASE_CM / 255 * np.exp(rng.normal(*CREASES_DEEP)))
    first, second = library.creases[complexion.first], library.creases[complexion.second]
    mix = np.float32(complexion.mix)
    return deep * (first * (1 - mix) + second * mix)


def cheek_tone(linear: np.ndarray, face: FaceMap) -> np.ndarray:
    """(3,) linear color of cheeks and forehead of a texture (h,2h,3)."""
    tile = cv2.resize(linear[:, : len(linear)], (TILE, TILE), interpolation=cv2.INTER_AREA)
    return np.asarray(np.median(tile[_cheeks(face)], axis=0))


def _age_of(name: str) -> float:
    """0 young to 1 old, from the name of a skin; 0.5 where it says nothing."""
    for word, age in (("young", 0.15), ("middleage", 0.5), ("old", 0.95)):
        if word in name:
            return age
    return 0.4


def plain_skin(tone: np.ndarray) -> np.ndarray:
    """A texture of one color, for pictures without skins."""
    return np.broadcast_to(tone, (16, 32, 3)).astype(np.float32).copy()
