"""Augmentation: all pictures of a pair move together, then the photo alone is altered."""

from typing import NamedTuple

import cv2
import numpy as np

from df2net_hub.shading import harmonics

ENDS_SHARE = 0.12  # of the photos that end within the crop
SIDES = ("top", "bottom", "left", "right")
SIDE_ODDS = (0.4, 0.2, 0.2, 0.2)  # a guess: portraits are cut close above
DEEPEST_END = 0.45  # of the face's height or width, that lies beyond the photo's edge at the most


def augment_pair(
    pair: dict[str, np.ndarray], size: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """A randomly mirrored, turned, zoomed and shifted pair at `size`, its photo's look varied.

    Freely so, unless the pair has an albedo, from which its photo must still follow.

    Args:
        pair: image (S,S,3) uint8, mask (S,S) bool, and perhaps depth (S,S) network depth with NaN
            off the face, albedo (S,S,3) uint8, normals (S,S,3) with NaN off the face, and light
            (3,9), harmonics of `shading`.
        size: side of the result [px].
        rng: source of all randomness.

    Returns:
        The same keys; what comes from outside the pair is edge-repeated photo and no mask.
    """
    if rng.random() < 0.5:
        pair = mirror_pair(pair)
    zoom = np.exp(rng.normal(0, 0.05))
    moved = warp_pair(pair, size, zoom, rng.normal(0, 7), rng.normal(0, 0.025, 2))
    how = NEAR_ALBEDO if "albedo" in pair else FREELY
    moved["image"] = _alter_photo(moved["image"], rng, how)
    if how is FREELY and rng.random() < ENDS_SHARE and moved["mask"].any():
        moved["image"] = _ended(moved["image"], moved["mask"], rng)
    return moved


def mirror_pair(pair: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The pair as a mirror shows it; normals and light point the other way along x."""
    mirrored = {
        name: np.ascontiguousarray(values[:, ::-1])
        for name, values in pair.items()
        if name != "light"
    }
    if "light" in pair:
        mirrored["light"] = moved_light(pair["light"], np.diag([-1.0, 1.0, 1.0]))
    if "normals" in mirrored:
        mirrored["normals"] = mirrored["normals"] * np.array([-1, 1, 1], np.float32)
    return mirrored


def warp_pair(
    pair: dict[str, np.ndarray],
    size: int,
    zoom: float = 1.0,
    angle: float = 0.0,
    shift: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """The pair zoomed and turned [deg] about its middle and shifted [share of the side], at `size`.

    A positive angle turns the picture counterclockwise, and with it the normals. Relief is a length
    like any other in the crop: it grows with the zoom. The mean over the mask is brought back to 0,
    where the schema puts it.
    """
    source = pair["image"].shape[0]
    shift = np.zeros(2) if shift is None else shift
    scale = zoom * size / source
    matrix = cv2.getRotationMatrix2D(((source - 1) / 2, (source - 1) / 2), angle, scale)
    matrix[:, 2] += (size - source) / 2 + shift * size
    # Bringing a picture down needs an area filter first; warpAffine alone would alias.
    blur = 0.4 / scale if scale < 0.8 else 0

    def warp(values: np.ndarray, border: int) -> np.ndarray:
        if blur:
            values = cv2.GaussianBlur(values, (0, 0), blur)
        return cv2.warpAffine(
            values, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border
        )

    mask = warp(pair["mask"].astype(np.float32), cv2.BORDER_CONSTANT) > 0.5
    moved = {"image": warp(pair["image"], cv2.BORDER_REPLICATE), "mask": mask}
    if "depth" in pair:
        known = np.isfinite(pair["depth"])
        share = warp(known.astype(np.float32), cv2.BORDER_CONSTANT)
        height = warp(np.where(known, pair["depth"], 0).astype(np.float32), cv2.BORDER_CONSTANT)
        mask &= share > 0.5
        depth = np.where(share > 0.5, zoom * height / np.maximum(share, 1e-3), np.nan)
        if mask.any():
            depth = depth - depth[mask].mean()
        moved["depth"] = depth.astype(np.float32)
    if "albedo" in pair:
        moved["albedo"] = warp(pair["albedo"], cv2.BORDER_REPLICATE)
    if "normals" in pair:
        known_normals = np.isfinite(pair["normals"]).all(-1)
        share = warp(known_normals.astype(np.float32), cv2.BORDER_CONSTANT)
        normals = warp(
            np.where(known_normals[..., None], pair["normals"], 0).astype(np.float32),
            cv2.BORDER_CONSTANT,
        )
        moved["normals"] = np.where(share[..., None] > 0.5, _turned(normals, angle), np.nan)
    if "light" in pair:
        moved["light"] = moved_light(pair["light"], _turn(angle))
    return moved


def moved_light(light: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Harmonics (3,9) of a light that was turned or mirrored by the orthogonal `motion` (3,3).

    What shone on a normal n before shines on `motion` n after. The nine functions span the same
    space in any frame, so a fit on a few directions is exact.
    """
    directions = np.random.default_rng(0).normal(size=(40, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    before, after = harmonics(directions), harmonics(directions @ motion.T)
    return np.linalg.lstsq(after, before @ light.T, rcond=None)[0].T.astype(np.float32)


def _turn(angle: float) -> np.ndarray:
    """Turn about the axis toward the camera, counterclockwise by `angle` [deg]."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], np.float32)


def _turned(normals: np.ndarray, angle: float) -> np.ndarray:
    """Unit normals (S,S,3) of a picture turned counterclockwise by `angle` [deg]."""
    turned = normals @ _turn(angle).T
    length = np.linalg.norm(turned, axis=-1, keepdims=True)
    return (turned / np.maximum(length, 1e-6)).astype(np.float32)


def _ended(photo: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The photo as `crop_face` shows one that ends before the face does: its edge repeats.

    The face goes on beyond, unseen: how large it is and how it is turned has to be told without.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    share = rng.uniform(-0.1, DEEPEST_END)
    top, left = (found[0] + round(share * np.ptp(found)) for found in (rows, columns))
    bottom, right = (found[-1] - round(share * np.ptp(found)) for found in (rows, columns))
    size = len(photo)
    rows, columns = np.arange(size), np.arange(size)
    match rng.choice(SIDES, p=SIDE_ODDS):
        case "top":
            rows = rows.clip(min=top)
        case "bottom":
            rows = rows.clip(max=bottom)
        case "left":
            columns = columns.clip(min=left)
        case "right":
            columns = columns.clip(max=right)
    return photo[rows[:, None], columns]


class Alteration(NamedTuple):
    """How far a photo is altered: deviations, and odds.

    Attributes:
        gamma, gain, tint: deviations of the logarithms of tone curve, gain and gain per channel.
        gray, blurred: share of the photos. blur: largest, at 256 px [px].
    """

    gamma: float
    gain: float
    tint: float
    gray: float
    blurred: float
    blur: float


# Shape is the same whatever the colors. Where the albedo is asked for, or given to explain the
# photo, the photo must still follow from it.
FREELY = Alteration(gamma=0.32, gain=0.15, tint=0.1, gray=0.15, blurred=0.2, blur=2.0)
NEAR_ALBEDO = Alteration(gamma=0.18, gain=0.1, tint=0.04, gray=0.08, blurred=0.15, blur=1.2)


def _alter_photo(photo: np.ndarray, rng: np.random.Generator, how: Alteration) -> np.ndarray:
    """Tone curve, gain per channel, gray, blur, noise; freely also uneven light and sharpening."""
    freely = how is FREELY
    levels = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, how.gamma))
    if freely:
        levels = 0.5 + (levels - 0.5) * np.exp(rng.normal(-0.05, 0.3)) + rng.normal(0, 0.06)
    levels = levels * np.exp(rng.normal(0, how.gain)) * np.exp(rng.normal(0, how.tint, 3))
    photo = cv2.LUT(photo, np.clip(levels * 255, 0, 255).astype(np.uint8)[None])
    if freely and rng.random() < 0.35:
        photo = _unevenly_lit(photo, rng)
    if rng.random() < how.gray:
        photo = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, -1)
    if rng.random() < how.blurred:
        photo = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.3, how.blur) * photo.shape[0] / 256)
    elif freely and rng.random() < 0.15:
        soft = cv2.GaussianBlur(photo, (0, 0), rng.uniform(0.5, 2.0) * photo.shape[0] / 256)
        share = rng.uniform(0.2, 1.0)
        photo = cv2.addWeighted(photo, 1 + share, soft, -share, 0)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 7), photo.shape)
        photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return photo


def _unevenly_lit(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brighter here and darker there, and of other colors, over a few tenths of the picture.

    What no lamp of the renderer does to a face, paint, stains and the shadows of things do.
    """
    cells = int(rng.integers(2, 12))
    field = rng.normal(0, 0.15, (cells, cells, 1)) + rng.normal(0, 0.05, (cells, cells, 3))
    gain = cv2.resize(np.exp(field), photo.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(photo * gain, 0, 255).astype(np.uint8)
