"""What a head looks like: skin albedo, brows, stubble, lips' neighborhood, eyes, teeth, cloth.

Fields over the head (distance to the brows, beard area, hairline) are computed once per vertex on
the mean shape and interpolated to pixels; colors are drawn anew for every picture.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from df2net_hub.synthesis.asset_folder import (
    background_paths,
    creases_path,
    environments_path,
    photo_skin_paths,
    skin_paths,
)
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import sample_tile

NOISE_SIZE = 256
PHOTO_HEIGHT = 512  # of skins from photographs: faces of 250 px and more hold no finer ones
# Between where an eye looks and its optical axis, outward: irises of people who look into the lens
# lie 1 mm outward of the middle of their eyes (median of 225 portraits).
KAPPA = np.float32(np.radians(4))
DEEPEST_CREASE_CM = 0.3  # of a photographed skin: 255 in its map of creases


@dataclass(frozen=True)
class Assets:
    """Everything that pictures are made of besides the head model.

    Attributes:
        skins: textures (h,2h,3) in the model's layout, over u in [0,2], v in [0,1]: uint8 of gamma
            2.2, or float32 linear RGB, which takes four times the memory and is slower to paint.
        panoramas: (N,h,w,3) linear radiance.
        backgrounds: pictures (h,w,3) uint8 sRGB.
        noise: (4,NOISE_SIZE,NOISE_SIZE) tileable noise of about unit variance, coarse to fine.
        skin_names: name of each skin.
        photo_skins, photo_skin_names: the same of skins taken from photographs, with their own
            brows; there may be none.
        photo_creases: (PHOTO_HEIGHT,PHOTO_HEIGHT) uint8 for each of them, furrows over the face
            tile in 255ths of DEEPEST_CREASE_CM.
    """

    skins: list[np.ndarray]
    panoramas: np.ndarray
    backgrounds: list[np.ndarray]
    noise: np.ndarray
    skin_names: tuple[str, ...]
    photo_skins: tuple[np.ndarray, ...] = ()
    photo_skin_names: tuple[str, ...] = ()
    photo_creases: tuple[np.ndarray, ...] = ()


def tileable_noise(rng: np.random.Generator) -> np.ndarray:
    """(4,NOISE_SIZE,NOISE_SIZE) band-limited Gaussian noise, correlation length 32, 12, 4, 1 px."""
    white = np.fft.rfft2(rng.standard_normal((4, NOISE_SIZE, NOISE_SIZE)))
    fy = np.fft.fftfreq(NOISE_SIZE)[:, None]
    fx = np.fft.rfftfreq(NOISE_SIZE)[None]
    bands = [np.exp(-2 * (np.pi * length / 2) ** 2 * (fx**2 + fy**2)) for length in (32, 12, 4, 1)]
    noise = np.fft.irfft2(white * np.stack(bands), s=(NOISE_SIZE, NOISE_SIZE))
    return (noise / noise.std((1, 2), keepdims=True)).astype(np.float32)


def load_assets(folder: str | Path, skin_height: int = 512, has_colors: bool = False) -> Assets:
    """Read skins, light and backgrounds below `folder` (docs/assets.md).

    A head that has colors of its own needs no skins: plain ones then stand for the tones of hands.

    Raises:
        FileNotFoundError: skins or light are missing.
    """
    skins = skin_paths(folder)
    if not skins and not has_colors:
        raise _missing(folder, "skins/*.jpg")
    panoramas = read_panoramas(folder)
    photographed = photo_skin_paths(folder)
    plain = procedural_assets()
    textures = [_shrunk(_read(path), skin_height) for path in skins]
    return Assets(
        skins=textures or plain.skins,
        panoramas=panoramas,
        backgrounds=[_read(path) for path in background_paths(folder)],
        noise=tileable_noise(np.random.default_rng(0)),
        skin_names=tuple(path.stem for path in skins) or plain.skin_names,
        photo_skins=tuple(_shrunk(_read(path), PHOTO_HEIGHT) for path in photographed),
        photo_skin_names=tuple(path.stem for path in photographed),
        photo_creases=tuple(_creases(creases_path(path)) for path in photographed),
    )


def _creases(path: Path) -> np.ndarray:
    """A map of creases; none where there is no such file, as with skins of your own."""
    if not path.is_file():
        return np.zeros((PHOTO_HEIGHT, PHOTO_HEIGHT), np.uint8)
    depth = _read(path)[..., 0]
    return cv2.resize(depth, (PHOTO_HEIGHT, PHOTO_HEIGHT), interpolation=cv2.INTER_AREA)


def _shrunk(texture: np.ndarray, height: int) -> np.ndarray:
    """A texture at `height` x 2 `height`."""
    return cv2.resize(texture, (2 * height, height), interpolation=cv2.INTER_AREA)


def read_panoramas(folder: str | Path) -> np.ndarray:
    """(N,h,w,3) float32 linear radiance of the panoramas below `folder` (docs/assets.md).

    Raises:
        FileNotFoundError: there are none.
    """
    path = environments_path(folder)
    if not path.is_file():
        raise _missing(folder, "light/environments.npz")
    with np.load(path, allow_pickle=False) as stored:
        return stored["radiance"].astype(np.float32)


def _missing(folder: str | Path, what: str) -> FileNotFoundError:
    return FileNotFoundError(f"{folder} holds no {what}; docs/assets.md says where to get it")


def procedural_assets(seed: int = 0) -> Assets:
    """Plain skins of several tones, gradient skies and noise backgrounds: needs no file."""
    rng = np.random.default_rng(seed)
    noise = tileable_noise(rng)
    skins = []
    for tone in ((224, 180, 160), (190, 140, 110), (140, 92, 68), (84, 54, 42)):
        grain = np.tile(noise[1] + 0.5 * noise[3], (1, 2))[..., None]
        skins.append(np.clip(np.array(tone) * (1 + 0.06 * grain), 0, 255).astype(np.uint8))
    height = np.linspace(1.6, 0.3, 32)[:, None, None]
    sky = np.ones((32, 64, 3)) * height
    lamp = np.exp(-(((np.arange(64) - 40) / 5.0) ** 2))[:, None] * 3
    panoramas = np.stack([sky, sky + lamp, sky[::-1] + lamp[::-1]]).astype(np.float32)
    backgrounds = [
        np.clip(128 + 50 * noise[i][..., None] * rng.random(3), 0, 255).astype(np.uint8)
        for i in (0, 1)
    ]
    return Assets(skins, panoramas, backgrounds, noise, ("light", "medium", "brown", "dark"))


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is not a readable picture; remove it or replace it")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def noise_at(noise: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) tileable noise at real coordinates [noise px]."""
    return sample_tile(noise, x, y)


@dataclass(frozen=True)
class HeadFields:
    """Per-vertex fields on the mean shape, all (V,) float32 unless said otherwise.

    Attributes:
        canonical: (V,3) mean position [cm]; for eyeballs the unit direction from the eye's center,
            z along its optical axis when the person looks straight ahead.
        brow: 1 on the brows' center line, falling to 0 at 1 cm, negative beyond.
        beard: 0 to 1 where a beard grows.
        azimuth: angle about the vertical [rad], 0 at the face's middle, pi at the back.
        is_eye, is_teeth, is_mouth: 0 or 1.
        lip: 1 within the red of the lips, else 0.
    """

    canonical: np.ndarray
    brow: np.ndarray
    beard: np.ndarray
    azimuth: np.ndarray
    is_eye: np.ndarray
    is_teeth: np.ndarray
    is_mouth: np.ndarray
    lip: np.ndarray


def head_fields(model: MorphableModel) -> HeadFields:
    """Fields of the mean head; lengths scale with the distance between the eyes (6.4 cm)."""
    canonical = model.vertices.copy()
    landmarks = model.vertices[model.landmarks68]
    unit = (landmarks[45, 0] - landmarks[36, 0]) / 9.0  # 9 cm between the outer eye corners
    brow = np.full(len(canonical), -9.0, np.float32)
    skin = model.vertex_flags(("face_narrow",))
    for first in (17, 22):
        line = landmarks[first : first + 5]
        points = np.concatenate([np.linspace(line[i], line[i + 1], 12) for i in range(4)])
        distance = np.linalg.norm(canonical[skin][:, None, :2] - points[None, :, :2], axis=-1).min(
            1
        )
        brow[skin] = np.maximum(brow[skin], 1 - distance / unit)
    mouth = landmarks[48:68].mean(0)
    nose_base = landmarks[33]
    below_nose = (nose_base[1] - canonical[:, 1]) / unit
    lips = np.exp(
        -(((canonical[:, 0] - mouth[0]) / (2.9 * unit)) ** 4)
        - ((canonical[:, 1] - mouth[1]) / (0.8 * unit)) ** 4
    )
    jaw_line = (
        np.clip((np.abs(canonical[:, 0]) / unit - 4.5) / 2, 0, 1) * 3.5
    )  # higher at the sides
    chin = landmarks[8]
    beard = np.clip(2 * (below_nose + jaw_line) - 0.3, 0, 1) * (1 - lips)
    beard *= np.clip((canonical[:, 1] - chin[1]) / unit + 2.0, 0, 1)
    cheek = np.exp(-(((np.abs(canonical[:, 0]) / unit - 4.0) / 1.6) ** 2)) * np.clip(
        2.2 - below_nose, 0, 1
    )
    beard = np.clip(beard - cheek, 0, 1) * model.vertex_flags(("face_narrow", "face_outer"))
    for name in ("eyeball_left", "eyeball_right"):
        if name not in model.parts:  # Basel's and FLAME's heads are one sheet of skin
            continue
        part = model.parts[name]
        center = (canonical[part].min(0) + canonical[part].max(0)) / 2
        ray = canonical[part] - center
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        canonical[part] = _about_its_axis(ray, outward=np.sign(center[0]))
    azimuth = np.abs(np.arctan2(model.vertices[:, 0], model.vertices[:, 2]))
    return HeadFields(
        canonical=canonical,
        brow=brow,
        beard=beard.astype(np.float32),
        azimuth=azimuth.astype(np.float32),
        is_eye=model.vertex_flags(("eyeball_left", "eyeball_right")).astype(np.float32),
        is_teeth=model.vertex_flags(("teeth",)).astype(np.float32),
        is_mouth=model.vertex_flags(("mouth_socket", "gums_and_tongue")).astype(np.float32),
        lip=_lips(model),
    )


def _about_its_axis(rays: np.ndarray, outward: float) -> np.ndarray:
    """Unit directions (V,3) in the frame of an eye's optical axis; `outward` is 1 for the left."""
    cos, sin = np.cos(KAPPA), outward * np.sin(KAPPA)
    x, y, z = rays.T
    return np.stack([x * cos - z * sin, y, x * sin + z * cos], 1)


def _lips(model: MorphableModel) -> np.ndarray:
    """(V,) float32, 1 for skin that the outer lip landmarks enclose, seen from the front."""
    outline = model.vertices[model.landmarks68[48:60], :2]
    x, y, z = model.vertices.T
    inside = np.zeros(len(x), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, 0), strict=True):
        if y0 != y1:
            inside ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    front = z > model.vertices[model.landmarks68[48:60], 2].min() - 1
    return (inside & front & model.vertex_flags(("face_narrow",))).astype(np.float32)


@dataclass(frozen=True)
class Look:
    """Colors (linear RGB) and choices of one person in one picture."""

    skins: tuple[np.ndarray, np.ndarray]
    skin_mix: float
    skin_gain: np.ndarray
    blotches: float
    hair_color: np.ndarray
    brow_strength: float
    brow_width: float
    beard_strength: float
    beard_grain: float
    iris_color: np.ndarray
    gaze: np.ndarray
    teeth_color: np.ndarray
    cloth_color: np.ndarray
    neckline: float
    noise_offset: np.ndarray
    vertex_colors: np.ndarray | None = None  # (V,3) linear skin color of vertices
    overlay: np.ndarray | None = None  # (h,w,4) linear RGBA over the face tile, times alpha


def to_linear(color: np.ndarray) -> np.ndarray:
    """Gamma 2.2 decoding of values in [0,1]."""
    return np.asarray(color, np.float32) ** 2.2


HAIR_COLORS = np.array(
    [[0.08, 0.07, 0.07], [0.16, 0.11, 0.08], [0.30, 0.20, 0.12], [0.55, 0.40, 0.22],
     [0.70, 0.58, 0.38], [0.42, 0.20, 0.10], [0.55, 0.54, 0.53], [0.82, 0.81, 0.80]],
)  # fmt: skip
IRIS_COLORS = np.array(
    [[0.15, 0.09, 0.06], [0.26, 0.16, 0.08], [0.28, 0.31, 0.23], [0.29, 0.37, 0.44]]
)
