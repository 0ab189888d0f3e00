"""Light for rendered faces: panoramas as spherical harmonics, plus sun- and lamp-like lights.

The nine functions and their Lambertian attenuation are those of `df2net_hub.shading` (Eq. 3).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from df2net_hub.shading import harmonics


@dataclass(frozen=True)
class Light:
    """Light on one head, in camera space (x right, y up, z toward the camera), linear RGB.

    Attributes:
        sh: (3,9) coefficients of the irradiance / pi per color channel.
        directions: (L,3) unit vectors toward the direct lights.
        colors: (L,3) their strengths.
        panorama: (h,w,3) blurred radiance for reflections, row 0 up, center column = +z.
    """

    sh: np.ndarray
    directions: np.ndarray
    colors: np.ndarray
    panorama: np.ndarray


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
    return (weighted.T @ basis / np.pi).astype(np.float32)


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
    """A panorama turned about the vertical, sometimes with one or two direct lights on top."""
    panorama = panoramas[rng.integers(len(panoramas))].astype(np.float32)
    panorama = np.roll(panorama, rng.integers(panorama.shape[1]), axis=1)
    if rng.random() < 0.5:
        panorama = panorama[:, ::-1]
    # A few sun pixels of 10,000 would leave all else black; the direct lights stand in for the sun.
    panorama = np.minimum(panorama, 30 * np.median(panorama) + 1e-3)
    gray = panorama.mean(-1, keepdims=True)
    panorama = gray + rng.uniform(0.3, 0.9) * (panorama - gray)
    tint = 1 + 0.04 * rng.standard_normal(3)
    panorama = np.ascontiguousarray(panorama * tint / max(panorama.mean(), 1e-4), np.float32)
    if rng.random() < 0.25:  # soft, even light of a studio
        panorama = 0.4 * panorama + 0.6 * panorama.mean((0, 1))
    count = rng.choice(3, p=[0.4, 0.45, 0.15])
    azimuth = rng.normal(0, 0.8, count)
    height = rng.normal(0.45, 0.4, count)
    directions = np.stack(
        [np.cos(height) * np.sin(azimuth), np.sin(height), np.cos(height) * np.cos(azimuth)], -1
    )
    warmth = rng.normal(0, 0.12, (count, 1)) * np.array([[1.0, 0.0, -1.0]])
    colors = np.exp(rng.normal(-0.35, 0.6, (count, 1))) * (1 + warmth)
    return Light(
        sh=project_to_harmonics(panorama),
        directions=directions.astype(np.float32),
        colors=np.maximum(colors, 0).astype(np.float32),
        panorama=_blurred(panorama[::2, ::2]),
    )
