"""Strands that grow from a head: paths that lie around it and ribbons that show them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Skull:
    """An ellipsoid that hair lies around: center (3,) and radii (3,) [cm]."""

    center: np.ndarray
    radii: np.ndarray

    def outward(self, points: np.ndarray) -> np.ndarray:
        """(...,3) unit normals of the ellipsoid through `points`."""
        normal = (points - self.center) / self.radii**2
        return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)

    def pushed_out(self, points: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """`points` (N,3), those inside or nearer than about `gap` (N,) [cm] moved outward."""
        offset = points - self.center
        reach = np.linalg.norm(offset / self.radii, axis=-1)
        wanted = 1 + gap / self.radii.mean()
        grow = np.where(reach < wanted, wanted / np.maximum(reach, 0.2), 1)
        return self.center + offset * grow[:, None]


@dataclass(frozen=True)
class Strands:
    """How strands grow.

    Attributes:
        length: [cm]. steps: straight pieces of a strand.
        gravity: 0 none, 1 they point down halfway at the tip, 3 they hang.
        curl: radius of the curls [cm]. turns: curls along a strand.
        disorder: random share of the direction.
        gap: distance from the skull [cm].
        width: of a ribbon at its root [cm].
    """

    length: float
    steps: int
    gravity: float
    curl: float
    turns: float
    disorder: float
    gap: float
    width: float


def grow(
    rng: np.random.Generator,
    roots: np.ndarray,
    directions: np.ndarray,
    skull: Skull,
    kind: Strands,
) -> np.ndarray:
    """(N,steps+1,3) paths [cm] from `roots` (N,3) along `directions` (N,3) and then downward."""
    count = len(roots)
    # Neighbors share most of their disorder: hair lies in locks.
    lock = np.sin(roots @ rng.normal(0, 1.1, (3, 3)) + rng.uniform(0, 6.3, 3))
    heading = directions + kind.disorder * (0.7 * lock + 0.5 * rng.standard_normal((count, 3)))
    length = kind.length * rng.uniform(0.6, 1.1, count) * (1 + 0.15 * lock[:, 0])
    step = length / kind.steps
    gap = kind.gap * rng.uniform(0.2, 1.3, count)
    phase = rng.uniform(0, 6.3, count) * 0.25 + 3 * lock[:, 1]
    path, point = [roots], roots
    for k in range(kind.steps):
        fall = kind.gravity * (k + 1) / kind.steps
        heading = heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
        heading = heading + fall * np.array([0, -1.0, 0])
        unit = heading / np.maximum(np.linalg.norm(heading, axis=1, keepdims=True), 1e-6)
        point = skull.pushed_out(point + unit * step[:, None], gap)
        path.append(point)
    paths = np.stack(path, 1)
    if kind.curl:
        along = np.linspace(0, 1, kind.steps + 1)
        angle = 2 * np.pi * kind.turns * along + phase[:, None]
        out = skull.outward(paths)
        beside = np.cross(out, np.array([0, 1.0, 0]))
        radius = kind.curl * np.minimum(along * 4, 1)[None, :, None]
        paths = paths + radius * (
            np.cos(angle)[..., None] * beside + np.sin(angle)[..., None] * out
        )
    return paths


def ribbons(
    rng: np.random.Generator, paths: np.ndarray, outward: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat ribbons along `paths` (N,K,3) that face `outward` (N,K,3), narrowing to their tips.

    Returns:
        vertices (N*K*2,3) float32, triangles (T,3) int32, strand coordinates (N*K*2,2) float32.
    """
    count, points, _ = paths.shape
    tangent = np.gradient(paths, axis=1)
    beside = np.cross(tangent, outward)
    beside /= np.maximum(np.linalg.norm(beside, axis=-1, keepdims=True), 1e-6)
    along = np.linspace(0, 1, points)
    narrow = (1 - along**3 * 0.92)[None, :, None]
    half = 0.5 * width * rng.uniform(0.6, 1.4, (count, 1, 1)) * narrow * beside
    vertices = np.stack([paths - half, paths + half], 2).reshape(-1, 3)
    first = (np.arange(count)[:, None] * points + np.arange(points - 1)).ravel() * 2
    triangles = np.concatenate(
        [
            np.stack([first, first + 1, first + 2], -1),
            np.stack([first + 2, first + 1, first + 3], -1),
        ]
    )
    strand = np.empty((count, points, 2, 2), np.float32)
    strand[..., 0] = rng.uniform(0, 90, (count, 1, 1)) + np.array([0, 0.8])
    strand[..., 1] = (along * 12)[None, :, None]
    return vertices.astype(np.float32), triangles.astype(np.int32), strand.reshape(-1, 2)
