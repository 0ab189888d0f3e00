"""An analytic face for all readers: half an ellipsoid, painted by where on it a point lies."""

from dataclasses import dataclass, field

import numpy as np
import pytest


@dataclass(frozen=True)
class Ellipsoid:
    """The front half of an ellipsoid that looks along +z of its own frame, also as a fine mesh."""

    vertices: np.ndarray  # (V,3) x right, y up, z forward
    triangles: np.ndarray  # (T,3) int32, counterclockwise seen from the front
    radii: np.ndarray = field(default_factory=lambda: np.array([60.0, 80.0, 50.0]))  # [px]

    def colors(self, points: np.ndarray) -> np.ndarray:
        """(...,3) in [0,255] of points in the ellipsoid's frame: no two places alike."""
        u, v, w = np.moveaxis(points / self.radii, -1, 0)
        return np.stack([128 + 90 * u, 128 + 90 * v, 40 + 160 * w], axis=-1)

    @staticmethod
    def turn(yaw: float, pitch: float = 0.0) -> np.ndarray:
        """The rotation that turns +z to the right by `yaw` and up by `pitch` [deg]."""
        y, p = np.radians([yaw, pitch])
        about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
        return about_y @ about_x

    def surface(self, x: np.ndarray, y: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """(...,3) turned points over x right, y up [px], NaN in z beside it; analytic."""
        # |diag(1/r) R^T (x, y, z)|^2 = 1 is a quadratic in z.
        m = turn @ np.diag(1 / self.radii**2) @ turn.T
        a = m[2, 2]
        b = 2 * (m[0, 2] * x + m[1, 2] * y)
        c = m[0, 0] * x**2 + m[1, 1] * y**2 + 2 * m[0, 1] * x * y - 1
        with np.errstate(invalid="ignore"):
            z = (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a)
            points = np.stack([x, y, z], -1)
            points[(points @ turn)[..., 2] < 0] = np.nan
        return points

    def normals(self, points: np.ndarray, turn: np.ndarray) -> np.ndarray:
        """(...,3) unit normals at turned points of the surface."""
        normals = (points @ turn) / self.radii**2 @ turn.T
        return normals / np.linalg.norm(normals, axis=-1, keepdims=True)

    def photo(
        self, width: int, height: int, center: tuple[float, float], turn: np.ndarray
    ) -> np.ndarray:
        """(H,W,3) uint8 of the turned, painted surface before gray, weak perspective."""
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        points = self.surface(columns - center[0], center[1] - rows, turn)
        colors = self.colors(points @ turn)
        return np.where(np.isnan(colors), 200, colors).clip(0, 255).round().astype(np.uint8)

    def in_photo(self, center: tuple[float, float], turn: np.ndarray) -> np.ndarray:
        """(V,3) vertices, x right, y down, z nearer [px of that photo]."""
        return self.vertices @ turn.T * [1, -1, 1] + [*center, 0]


SIDE = 101  # vertices along a side of the mesh


@pytest.fixture(scope="session")
def ellipsoid() -> Ellipsoid:
    n = SIDE
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(1, -1, n))
    # A square to a disc without a fold, so that the mesh ends on the outline.
    x, y = u * np.sqrt(1 - v**2 / 2), v * np.sqrt(1 - u**2 / 2)
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    vertices = np.stack([x, y, z], -1).reshape(-1, 3) * [60.0, 80.0, 50.0]
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    corners = [np.stack(t, -1).reshape(-1, 3) for t in ((a, c, b), (d, b, c))]
    return Ellipsoid(vertices, np.concatenate(corners).astype(np.int32))
