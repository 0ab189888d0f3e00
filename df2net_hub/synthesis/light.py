"""Light for rendered faces: panoramas as spherical harmonics, plus sun- and lamp-like lights.

The nine functions and their Lambertian attenuation are those of `df2net_hub.shading` (Eq. 3).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.shading import harmonics

CATCHLIGHT_ODDS = 0.8  # of a lamp or window in front that shows on the eyes


@dataclass(frozen=True)
class Catchlight:
    """A lamp or window that shows as a bright spot on both corneas.

    Attributes:
        toward: (3,) unit direction to it, in camera space.
        radius: of the normals that mirror it [rad].
        color: (3,) linear RGB of the mirror image, before what lids keep off.
    """

    toward: np.ndarray
    radius: float
    color: np.ndarray


@dataclass(frozen=True)
class Light:
    """Light on one head, in camera space (x right, y up, z toward the camera), linear RGB.

    Attributes:
        sh: (3,9) coefficients of the irradiance / pi per color channel.
        directions: (L,3) unit vectors toward the direct lights.
        colors: (L,3) their strengths.
        panorama: (h,w,3) blurred radiance for reflections, row 0 up, center column = +z.
        catchlight: what shows on the eyes, or None.
    """

    sh: np.ndarray
    directions: np.ndarray
    colors: np.ndarray
    panorama: np.ndarray
    catchlight: Catchlight | None = None


def panorama_directions(height: int, width: int) -> np.ndarray:
    """(height,width,3) unit direction of each pixel; row 0 up, the center column looks along +z."""
    polar = (np.arange(height) + 0.5) / height * np.pi
    azimuth = ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    y = np.cos(polar)[:, None] * np.ones((1, width))
    x = np.sin(polar)[:, None] * np.sin(azimuth)
    z = np.sin(polar)[:, None] * np.cos(azimuth)
    return np.stack([x, y, z], -1).astype(np.float32)


def project_to_harmonics(panorama: np.ndarray) -> np.ndarray:
    """(3,9) coefficients l such that sum_i l_i H_i(n) is the irradiance at normal n, over pi.

    `panorama` (h,w,3) is radiance. H_i already carries the attenuation pi, 2 pi/3, pi/4, so the
    coefficients are the plain projections of the radiance, over pi for a white Lambertian surface.
    """
    height, width, _ = panorama.shape
    directions = panorama_directions(height, width)
    solid_angle = (
        np.sin((np.arange(height) + 0.5) / height * np.pi) * (np.pi / height) * (2 * np.pi / width)
    )
    basis = harmonics(directions.reshape(-1, 3)) / ATTENUATION
    weighted = (panorama * solid_angle[:, None, None]).reshape(-1, 3)
    return (np.einsum("nc,nk->ck", weighted, basis) / np.pi).astype(np.float32)


ATTENUATION = np.float32(np.pi * np.array([1, *[2 / 3] * 3, *[1 / 4] * 5]))


def look_up(panorama: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """(N,3) radiance seen along unit `directions` (N,3), nearest pixel."""
    height, width, _ = panorama.shape
    row = np.arccos(np.clip(directions[:, 1], -1, 1)) / np.pi * height
    column = (np.arctan2(directions[:, 0], directions[:, 2]) / (2 * np.pi) + 0.5) * width
    return panorama[np.clip(row.astype(int), 0, height - 1), column.astype(int) % width]


def _blurred(panorama: np.ndarray) -> np.ndarray:
    """What skin of ordinary roughness mirrors: the panorama through a wide lobe."""
    wide = np.concatenate([panorama] * 3, 1)
    width = panorama.shape[1]
    return cv2.GaussianBlur(wide, (0, 0), width / 20)[:, width : 2 * width]


def sample_light(rng: np.random.Generator, panoramas: np.ndarray) -> Light:
    """A panorama turned about the vertical, with a sun, a lamp, a studio's lamps or none on top."""
    panorama = panoramas[rng.integers(len(panoramas))].astype(np.float32)
    panorama = np.roll(panorama, rng.integers(panorama.shape[1]), axis=1)
    if rng.random() < 0.5:
        panorama = panorama[:, ::-1]
    # A few sun pixels of 10,000 would leave all else black; the direct lights stand in for the sun.
    panorama = np.minimum(panorama, 30 * np.median(panorama) + 1e-3)
    gray = panorama.mean(-1, keepdims=True)
    panorama = gray + rng.uniform(0.3, 0.9) * (panorama - gray)
    panorama = panorama / max(float(panorama.mean()), 1e-4)
    if rng.random() < 0.2:  # soft, even light of a studio
        panorama = 0.4 * panorama + 0.6 * panorama.mean((0, 1))
    directions, colors, ambient = _direct_lights(rng)
    sh = project_to_harmonics(panorama)
    # Cameras balance white: what falls on the front of a face comes out near neutral.
    front = np.maximum((harmonics(np.array([[0, 0.3, 0.954]], np.float32)) @ sh.T)[0], 0.05)
    front = ambient * front + (np.maximum(directions @ [0, 0.3, 0.954], 0)[:, None] * colors).sum(0)
    balance = (front.mean() / front) ** rng.uniform(0.75, 1.0) * (1 + rng.normal(0, 0.02, 3))
    scale = (ambient * balance).astype(np.float32)
    return Light(
        sh=(sh * scale[:, None]).astype(np.float32),
        directions=directions.astype(np.float32),
        colors=np.maximum(colors * balance, 0).astype(np.float32),
        panorama=_blurred(np.ascontiguousarray(panorama[::2, ::2] * scale)),
        catchlight=_catchlight(rng, directions, float(front.mean())),
    )


def _catchlight(
    rng: np.random.Generator, directions: np.ndarray, white: float
) -> Catchlight | None:
    """The first of the direct lights `directions` (L,3) if it is in front, else a window there.

    `white` is the brightness of a white card before the face.
    """
    azimuth, height = rng.normal([0.0, 0.5], [0.5, 0.25])
    toward = np.array(
        [np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth)]
    )
    if len(directions) and directions[0, 2] > 0.3:
        toward = directions[0]
    radius, strength = rng.uniform([0.07, 4.0], [0.14, 12.0])
    if rng.random() >= CATCHLIGHT_ODDS:
        return None
    color = np.full(3, strength * white, np.float32)
    return Catchlight(toward.astype(np.float32), float(radius), color)


def _direct_lights(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """(L,3) directions and (L,3) strengths of direct lights, and how bright the rest is.

    None, a sun or lamp from anywhere in front, one from the side or behind, or a studio's three:
    a key light beside the camera, a weaker one on its other side, one from behind.
    """
    setup = rng.choice(4, p=[0.27, 0.33, 0.15, 0.25])
    side = rng.choice([-1, 1])
    azimuth = np.array([rng.normal(0, 0.6), side * rng.uniform(1.1, 2.6), 0.0])
    height = np.array([rng.normal(0.5, 0.3), rng.uniform(-0.1, 0.8), 0.0])
    strength = np.exp(rng.normal([-0.2, 0.3, 0], [0.6, 0.5, 0.1]))
    chosen = [[], [0], [1], [0, 1, 2]][setup]
    if setup == 3:
        azimuth = side * np.array([rng.uniform(0.3, 1.0), -rng.uniform(0.3, 1.1), 2.6])
        height = np.array([rng.uniform(0.25, 0.8), rng.uniform(0, 0.5), rng.uniform(0.3, 0.8)])
        strength = np.exp(rng.normal(-0.2, 0.25)) * np.array([1.0, rng.uniform(0.2, 0.7), 0.8])
    directions = np.stack(
        [np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth)], -1
    )
    warmth = rng.normal(0, 0.10, (3, 1)) * np.array([[1.0, 0.0, -1.0]])
    colors = strength[:, None] * (1 + warmth * (setup != 3))
    ambient = rng.uniform(0.35, 1.0) if setup else 1.0
    return directions[chosen], colors[chosen], float(ambient)
