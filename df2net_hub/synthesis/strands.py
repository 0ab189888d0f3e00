"""Strands that grow from a head: paths that lie around it and ribbons that show them."""

from dataclasses import dataclass

import numpy as np
from numba import njit

# In compiled code a plain number makes its whole expression double precision.
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)
TINY = np.float32(1e-6)


@dataclass(frozen=True)
class Skull:
    """An ellipsoid that hair lies around: center (3,) and radii (3,) [cm]."""

    center: np.ndarray
    radii: np.ndarray

    def outward(self, points: np.ndarray) -> np.ndarray:
        """(...,3) float32 unit normals of the ellipsoid through `points`."""
        flat = np.ascontiguousarray(points, np.float32).reshape(-1, 3)
        center, per_square = self.center.astype(np.float32), (self.radii**-2).astype(np.float32)
        return _outward(flat, center, per_square).reshape(points.shape)


@njit(cache=True, nogil=True)
def _outward(points: np.ndarray, center: np.ndarray, per_square: np.ndarray) -> np.ndarray:
    out = np.empty_like(points)
    for n in range(len(points)):
        x = (points[n, 0] - center[0]) * per_square[0]
        y = (points[n, 1] - center[1]) * per_square[1]
        z = (points[n, 2] - center[2]) * per_square[2]
        per_length = ONE / max(np.sqrt(x * x + y * y + z * z), TINY)
        out[n, 0], out[n, 1], out[n, 2] = x * per_length, y * per_length, z * per_length
    return out


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
        lies: share of what points away from the head that each step loses.
    """

    length: float
    steps: int
    gravity: float
    curl: float
    turns: float
    disorder: float
    gap: float
    width: float
    lies: float = 0.0


def scatter(
    rng: np.random.Generator,
    triangles: np.ndarray,
    areas: np.ndarray,
    field: np.ndarray,
    least: float,
    denser: float,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Random points on the triangles all of whose corners have a `field` (V,) above `least`.

    Single strands are seen where `field` is low: there they stand up to 1 + `denser` as dense.

    Returns:
        corners (count,3) and weights (count,3) float32 of the points; none if no triangle is left.
    """
    draws = rng.random((count, 3)).astype(np.float32)
    values = np.ascontiguousarray(field, np.float32)
    chosen, weights = _scatter(triangles, areas, values, np.float32(least), denser, draws)
    return triangles[chosen], weights


@njit(cache=True, nogil=True)
def _scatter(
    triangles: np.ndarray,
    areas: np.ndarray,
    field: np.ndarray,
    least: float,
    denser: float,
    draws: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    inside, share = np.empty(len(triangles), np.int64), np.empty(len(triangles), np.float64)
    found, total = 0, 0.0
    for t in range(len(triangles)):
        a, b, c = field[triangles[t, 0]], field[triangles[t, 1]], field[triangles[t, 2]]
        if a > least and b > least and c > least:
            total += areas[t] * (1 + denser * np.exp(-(a + b + c) / 3.6))
            inside[found], share[found] = t, total
            found += 1
    if not found:
        draws = draws[:0]
    chosen, weights = np.empty(len(draws), np.int64), np.empty(draws.shape, np.float32)
    for n in range(len(draws)):
        place = np.searchsorted(share[:found], np.float64(draws[n, 0]) * total)
        chosen[n] = inside[min(place, found - 1)]
        root = np.sqrt(draws[n, 1])
        weights[n, 0], weights[n, 1] = ONE - root, root * (ONE - draws[n, 2])
        weights[n, 2] = root * draws[n, 2]
    return chosen, weights


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
    mix, shift = rng.normal(0, 1.1, (3, 3)), rng.uniform(0, 6.3, 3)
    jitter, uneven = rng.standard_normal((count, 3)), rng.random((count, 3))
    lock = np.sin(np.einsum("ni,ij->nj", roots, mix) + shift)
    heading = directions + kind.disorder * (0.7 * lock + 0.5 * jitter)
    length = kind.length * (0.6 + 0.5 * uneven[:, 0]) * (1 + 0.15 * lock[:, 0])
    gap = 1 + kind.gap * (0.2 + 1.1 * uneven[:, 1]) / skull.radii.mean()
    phase = 1.6 * uneven[:, 2] + 3 * lock[:, 1]
    each = np.stack([length / kind.steps, gap, phase], -1)
    of_all = [kind.gravity, kind.curl, 2 * np.pi * kind.turns, kind.lies]
    return _grow(
        *(np.ascontiguousarray(part, np.float32) for part in (roots, heading, each)),
        kind.steps,
        np.array(of_all, np.float32),
        skull.center.astype(np.float32),
        (1 / skull.radii).astype(np.float32),
    )


@njit(cache=True, nogil=True)
def _grow(
    roots: np.ndarray,
    headings: np.ndarray,
    each: np.ndarray,
    steps: int,
    of_all: np.ndarray,
    center: np.ndarray,
    per_radius: np.ndarray,
) -> np.ndarray:
    gravity, curl, turn, lies = of_all[0], of_all[1], of_all[2], of_all[3]
    paths = np.empty((len(roots), steps + 1, 3), np.float32)
    for n in range(len(roots)):
        px, py, pz = roots[n, 0], roots[n, 1], roots[n, 2]
        hx, hy, hz = headings[n, 0], headings[n, 1], headings[n, 2]
        step, wanted, phase = each[n, 0], each[n, 1], each[n, 2]
        paths[n, 0, 0], paths[n, 0, 1], paths[n, 0, 2] = px, py, pz
        for k in range(1, steps + 1):
            along = np.float32(k) / np.float32(steps)
            hx, hy, hz = _unit(hx, hy, hz)
            hy -= gravity * along
            ux, uy, uz = _unit(hx, hy, hz)
            ox, oy, oz = px + ux * step - center[0], py + uy * step - center[1], pz + uz * step
            oz -= center[2]
            ex, ey, ez = ox * per_radius[0], oy * per_radius[1], oz * per_radius[2]
            reach = np.sqrt(ex * ex + ey * ey + ez * ez)
            if reach < wanted:  # what is inside the head or too near is moved outward
                out = wanted / max(reach, np.float32(0.2))
                ox, oy, oz = ox * out, oy * out, oz * out
            px, py, pz = center[0] + ox, center[1] + oy, center[2] + oz
            paths[n, k, 0], paths[n, k, 1], paths[n, k, 2] = px, py, pz
            ex, ey, ez = ox * per_radius[0], oy * per_radius[1], oz * per_radius[2]
            ex, ey, ez = _unit(ex * per_radius[0], ey * per_radius[1], ez * per_radius[2])
            away = lies * max(hx * ex + hy * ey + hz * ez, ZERO)
            hx, hy, hz = hx - away * ex, hy - away * ey, hz - away * ez
            if curl > ZERO:
                angle, radius = turn * along + phase, curl * min(np.float32(4) * along, ONE)
                beside, outward = radius * np.cos(angle), radius * np.sin(angle)
                paths[n, k, 0] += outward * ex - beside * ez
                paths[n, k, 1] += outward * ey
                paths[n, k, 2] += outward * ez + beside * ex
    return paths


@njit(inline="always")
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    per_length = ONE / max(np.sqrt(x * x + y * y + z * z), TINY)
    return x * per_length, y * per_length, z * per_length


def ribbons(
    rng: np.random.Generator, paths: np.ndarray, outward: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flat ribbons along `paths` (N,K,3) that face `outward` (N,K,3), narrowing to their tips.

    Returns:
        vertices (N*K*2,3) float32, triangles (T,3) int32, strand coordinates (N*K*2,2) float32.
    """
    count, points, _ = paths.shape
    along = np.linspace(0, 1, points)
    return _ribbons(
        np.ascontiguousarray(paths, np.float32),
        np.ascontiguousarray(outward, np.float32),
        np.asarray(0.5 * width * rng.uniform(0.6, 1.4, count), np.float32),
        (1 - along**3 * 0.92).astype(np.float32),
        np.asarray(rng.uniform(0, 90, count), np.float32),
    )


@njit(cache=True, nogil=True)
def _ribbons(
    paths: np.ndarray,
    outward: np.ndarray,
    half: np.ndarray,
    narrow: np.ndarray,
    place: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count, points = paths.shape[0], paths.shape[1]
    vertices = np.empty((count * points * 2, 3), np.float32)
    strand = np.empty((count * points * 2, 2), np.float32)
    triangles = np.empty((count * (points - 1) * 2, 3), np.int32)
    for n in range(count):
        for k in range(points):
            before, after = max(k - 1, 0), min(k + 1, points - 1)
            tx = paths[n, after, 0] - paths[n, before, 0]
            ty = paths[n, after, 1] - paths[n, before, 1]
            tz = paths[n, after, 2] - paths[n, before, 2]
            ox, oy, oz = outward[n, k, 0], outward[n, k, 1], outward[n, k, 2]
            bx, by, bz = _unit(ty * oz - tz * oy, tz * ox - tx * oz, tx * oy - ty * ox)
            wide, v = half[n] * narrow[k], (n * points + k) * 2
            vertices[v, 0], vertices[v + 1, 0] = (
                paths[n, k, 0] - wide * bx,
                paths[n, k, 0] + wide * bx,
            )
            vertices[v, 1], vertices[v + 1, 1] = (
                paths[n, k, 1] - wide * by,
                paths[n, k, 1] + wide * by,
            )
            vertices[v, 2], vertices[v + 1, 2] = (
                paths[n, k, 2] - wide * bz,
                paths[n, k, 2] + wide * bz,
            )
            strand[v, 0], strand[v + 1, 0] = place[n], place[n] + np.float32(0.8)
            strand[v, 1] = strand[v + 1, 1] = np.float32(12 * k) / np.float32(points - 1)
            if k + 1 < points:
                t = (n * (points - 1) + k) * 2
                triangles[t, 0], triangles[t, 1], triangles[t, 2] = v, v + 1, v + 2
                t += 1
                triangles[t, 0], triangles[t, 1], triangles[t, 2] = v + 2, v + 1, v + 3
    return vertices, triangles, strand
