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
    environments_path,
    skin_paths,
)
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import sample_texture

NOISE_SIZE = 256


@dataclass(frozen=True)
class Assets:
    """Everything that pictures are made of besides the head model.

    Attributes:
        skins: textures (h,2h,3) float32 linear RGB in the model's layout, over u in [0,2], v in
            [0,1].
        panoramas: (N,h,w,3) linear radiance.
        backgrounds: pictures (h,w,3) uint8 sRGB.
        noise: (4,NOISE_SIZE,NOISE_SIZE) tileable noise of about unit variance, coarse to fine.
    """

    skins: list[np.ndarray]
    panoramas: np.ndarray
    backgrounds: list[np.ndarray]
    noise: np.ndarray


def tileable_noise(rng: np.random.Generator) -> np.ndarray:
    """(4,NOISE_SIZE,NOISE_SIZE) band-limited Gaussian noise, correlation length 32, 12, 4, 1 px."""
    white = np.fft.rfft2(rng.standard_normal((4, NOISE_SIZE, NOISE_SIZE)))
    fy = np.fft.fftfreq(NOISE_SIZE)[:, None]
    fx = np.fft.rfftfreq(NOISE_SIZE)[None]
    bands = [np.exp(-2 * (np.pi * length / 2) ** 2 * (fx**2 + fy**2)) for length in (32, 12, 4, 1)]
    noise = np.fft.irfft2(white * np.stack(bands), s=(NOISE_SIZE, NOISE_SIZE))
    return (noise / noise.std((1, 2), keepdims=True)).astype(np.float32)


def load_assets(folder: str | Path, skin_height: int = 512) -> Assets:
    """Read skins, light and backgrounds below `folder` (docs/assets.md).

    Raises:
        FileNotFoundError: skins or light are missing.
    """
    skins, probe_path = skin_paths(folder), environments_path(folder)
    for found, what in ((skins, "skins/*.jpg"), (probe_path.is_file(), "light/environments.npz")):
        if not found:
            raise FileNotFoundError(
                f"{folder} holds no {what}; docs/assets.md says where to get it"
            )
    with np.load(probe_path, allow_pickle=False) as stored:
        panoramas = stored["radiance"].astype(np.float32)
    size = (2 * skin_height, skin_height)
    return Assets(
        skins=[
            to_linear(cv2.resize(_read(path), size, interpolation=cv2.INTER_AREA) / 255)
            for path in skins
        ],
        panoramas=panoramas,
        backgrounds=[_read(path) for path in background_paths(folder)],
        noise=tileable_noise(np.random.default_rng(0)),
    )


def procedural_assets(seed: int = 0) -> Assets:
    """Plain skins of several tones, gradient skies and noise backgrounds: needs no file."""
    rng = np.random.default_rng(seed)
    noise = tileable_noise(rng)
    skins = []
    for tone in ((224, 180, 160), (190, 140, 110), (140, 92, 68), (84, 54, 42)):
        grain = np.tile(noise[1] + 0.5 * noise[3], (1, 2))[..., None]
        skins.append(to_linear(np.clip(np.array(tone) / 255 * (1 + 0.06 * grain), 0, 1)))
    height = np.linspace(1.6, 0.3, 32)[:, None, None]
    sky = np.ones((32, 64, 3)) * height
    lamp = np.exp(-(((np.arange(64) - 40) / 5.0) ** 2))[:, None] * 3
    panoramas = np.stack([sky, sky + lamp, sky[::-1] + lamp[::-1]]).astype(np.float32)
    backgrounds = [
        np.clip(128 + 50 * noise[i][..., None] * rng.random(3), 0, 255).astype(np.uint8)
        for i in (0, 1)
    ]
    return Assets(skins, panoramas, backgrounds, noise)


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is not a readable picture; remove it or replace it")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def noise_at(noise: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) tileable noise at real coordinates [noise px]."""
    return sample_texture(
        np.pad(noise, ((0, 1), (0, 1)), mode="wrap")[..., None], x % NOISE_SIZE, y % NOISE_SIZE
    )[:, 0]


@dataclass(frozen=True)
class HeadFields:
    """Per-vertex fields on the mean shape, all (V,) float32 unless said otherwise.

    Attributes:
        canonical: (V,3) mean position [cm]; for eyeballs the unit direction from the eye's center.
        brow: 1 on the brows' center line, falling to 0 at 1 cm, negative beyond.
        beard: 0 to 1 where a beard grows.
        azimuth: angle about the vertical [rad], 0 at the face's middle, pi at the back.
        is_eye, is_teeth, is_mouth: 0 or 1.
    """

    canonical: np.ndarray
    brow: np.ndarray
    beard: np.ndarray
    azimuth: np.ndarray
    is_eye: np.ndarray
    is_teeth: np.ndarray
    is_mouth: np.ndarray


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
        - ((canonical[:, 1] - mouth[1]) / (1.1 * unit)) ** 4
    )
    jaw_line = (
        np.clip((np.abs(canonical[:, 0]) / unit - 4.5) / 2, 0, 1) * 3.5
    )  # higher at the sides
    chin = landmarks[8]
    beard = np.clip(below_nose + jaw_line - 0.2, 0, 1) * (1 - lips)
    beard *= np.clip((canonical[:, 1] - chin[1]) / unit + 2.0, 0, 1)
    cheek = np.exp(-(((np.abs(canonical[:, 0]) / unit - 4.0) / 1.6) ** 2)) * np.clip(
        2.2 - below_nose, 0, 1
    )
    beard = np.clip(beard - cheek, 0, 1) * model.vertex_flags(("face_narrow", "face_outer"))
    for name in ("eyeball_left", "eyeball_right"):
        part = model.parts[name]
        center = (canonical[part].min(0) + canonical[part].max(0)) / 2
        ray = canonical[part] - center
        canonical[part] = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    azimuth = np.abs(np.arctan2(model.vertices[:, 0], model.vertices[:, 2]))
    return HeadFields(
        canonical=canonical,
        brow=brow,
        beard=beard.astype(np.float32),
        azimuth=azimuth.astype(np.float32),
        is_eye=model.vertex_flags(("eyeball_left", "eyeball_right")).astype(np.float32),
        is_teeth=model.vertex_flags(("teeth",)).astype(np.float32),
        is_mouth=model.vertex_flags(("mouth_socket", "gums_and_tongue")).astype(np.float32),
    )


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


def to_linear(color: np.ndarray) -> np.ndarray:
    """Gamma 2.2 decoding of values in [0,1]."""
    return np.asarray(color, np.float32) ** 2.2


HAIR_COLORS = np.array(
    [[0.08, 0.07, 0.07], [0.16, 0.11, 0.08], [0.30, 0.20, 0.12], [0.55, 0.40, 0.22],
     [0.70, 0.58, 0.38], [0.42, 0.20, 0.10], [0.55, 0.54, 0.53], [0.82, 0.81, 0.80]],
)  # fmt: skip
IRIS_COLORS = np.array(
    [[0.16, 0.09, 0.05], [0.30, 0.18, 0.08], [0.35, 0.40, 0.30], [0.40, 0.52, 0.62]]
)


def sample_look(rng: np.random.Generator, assets: Assets) -> Look:
    """Draw one person's colors."""
    first, second = rng.integers(len(assets.skins), size=2)
    gain = np.exp(rng.normal(0, 0.18)) * (1 + rng.normal(0, 0.035, 3))
    hair = HAIR_COLORS[rng.choice(8, p=[0.3, 0.22, 0.14, 0.08, 0.06, 0.05, 0.09, 0.06])]
    if min(assets.skins[i].mean() for i in (first, second)) < 0.12:  # dark skin, dark hair
        hair = HAIR_COLORS[rng.choice(8, p=[0.7, 0.15, 0, 0, 0, 0, 0.1, 0.05])]
    bearded = rng.random() < 0.4
    return Look(
        skins=(assets.skins[first], assets.skins[second]),
        skin_mix=float(rng.beta(0.6, 0.6)),
        skin_gain=gain.astype(np.float32),
        blotches=float(abs(rng.normal(0, 0.03))),
        hair_color=to_linear(np.clip(hair * np.exp(rng.normal(0, 0.06, 3)), 0, 1)),
        brow_strength=float(rng.uniform(0.3, 1.0)),
        brow_width=float(rng.uniform(0.22, 0.6)),
        beard_strength=float(rng.beta(1.2, 1.2)) if bearded else 0.0,
        beard_grain=float(rng.uniform(0.2, 1.0)),
        iris_color=to_linear(
            np.clip(IRIS_COLORS[rng.integers(4)] * np.exp(rng.normal(0, 0.2, 3)), 0, 1)
        ),
        gaze=rng.normal(0, [0.14, 0.07]).astype(np.float32),
        teeth_color=to_linear(np.array([0.92, 0.88, 0.80]) * rng.uniform(0.75, 1.0)),
        cloth_color=to_linear(rng.random(3) * rng.uniform(0.2, 1)),
        neckline=float(rng.uniform(-16, -11.5)),
        noise_offset=rng.uniform(0, NOISE_SIZE, 2).astype(np.float32),
    )


def skin_albedo(look: Look, uv: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """(N,3) linear skin albedo at texture coordinates (N,2)."""
    color = np.zeros((len(uv), 3), np.float32)
    for skin, weight in zip(look.skins, (1 - look.skin_mix, look.skin_mix), strict=True):
        height, width, _ = skin.shape
        texel = sample_texture(skin, uv[:, 0] / 2 * width - 0.5, (1 - uv[:, 1]) * height - 0.5)
        color += weight * texel
    blotch = noise_at(noise[2], *(uv * 300 + look.noise_offset).T)
    redness = np.stack([0 * blotch, -blotch, -0.8 * blotch], -1) * look.blotches
    return np.clip(color * look.skin_gain * (1 + redness), 0.005, 0.95)


def paint(look: Look, attributes: dict[str, np.ndarray], noise: np.ndarray) -> np.ndarray:
    """(N,3) linear albedo of N head pixels from their interpolated fields."""
    albedo = skin_albedo(look, attributes["uv"], noise)
    canonical = attributes["canonical"]
    strands = noise_at(noise[3], *(canonical[:, :2] * [60, 25] + look.noise_offset).T)
    brow = np.clip((attributes["brow"] - (1 - look.brow_width) + 0.12 * strands) * 6, 0, 1)
    beard = (
        np.clip(attributes["beard"] * (1 + look.beard_grain * strands), 0, 1) * look.beard_strength
    )
    hairy = np.maximum(brow * look.brow_strength, beard)[:, None]
    albedo = albedo * (1 - hairy) + look.hair_color * hairy
    cloth = (canonical[:, 1] < look.neckline)[:, None]
    albedo = np.where(cloth, look.cloth_color, albedo)
    eye = attributes["is_eye"] > 0.5
    albedo[eye] = eye_albedo(look, canonical[eye])
    albedo[attributes["is_teeth"] > 0.5] = look.teeth_color
    albedo[attributes["is_mouth"] > 0.5] = to_linear(np.array([0.50, 0.20, 0.20]))
    return albedo.astype(np.float32)


def eye_albedo(look: Look, direction: np.ndarray) -> np.ndarray:
    """(N,3) white, iris and pupil by the angle from the gaze; iris 0.5 rad, pupil 0.2 rad."""
    x, y = look.gaze
    gaze = np.array([np.sin(x), np.sin(y), np.cos(x) * np.cos(y)])
    gaze /= np.linalg.norm(gaze)
    unit = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)
    angle = np.arccos(np.clip(unit @ gaze, -1, 1))[:, None]
    white = to_linear(np.array([0.74, 0.70, 0.68]))
    ring = 0.5 + 0.5 * np.clip((0.5 - angle) / 0.1, 0, 1)
    color = np.where(angle < 0.5, look.iris_color * ring, white)
    return np.where(angle < 0.2, 0.01, color).astype(np.float32)
