"""A small head made from formulas, in the layout of a morphable model: no data needed.

It is no likeness of anybody: an egg with a nose, sockets, lips and a chin, enough to drive the
renderer, the trainer and the tests through the same code as a real model.
"""

import numpy as np

from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import grid_triangles
from df2net_hub.synthesis.sculpted import ORIGINS, SculptedHeads

ROWS, COLUMNS = 72, 96
NUM_IDENTITY = 8


def _bump(x: np.ndarray, y: np.ndarray, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
    return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2)


def _skull() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (N,3) [cm], texture coordinates (N,2) twice, and which vertices are face.

    First as they are, then all on the face's tile, for triangles across its border.
    """
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS)
    polar = np.linspace(0.02, np.pi - 0.25, ROWS)
    p, a = np.meshgrid(polar, azimuth, indexing="ij")
    x, y, z = 7.6 * np.sin(p) * np.sin(a), 11.5 * np.cos(p) + 1.0, 9.0 * np.sin(p) * np.cos(a)
    front = np.clip(np.cos(a), 0, 1) ** 0.5
    jaw = np.clip((-y - 2) / 9, 0, 1)
    x *= 1 - 0.35 * jaw
    z += front * (
        2.6 * _bump(x, y, 0, 0.2, 1.0, 1.6)
        + 1.2 * _bump(x, y, 0, 2.2, 0.8, 2.2)
        - 0.9 * (_bump(x, y, 3.1, 3.2, 1.6, 1.0) + _bump(x, y, -3.1, 3.2, 1.6, 1.0))
        + 0.6 * _bump(x, y, 0, -3.2, 2.4, 0.9)
        + 1.2 * _bump(x, y, 0, -7.5, 2.2, 1.5)
        + 0.4 * _bump(x, y, 0, 5.0, 5.0, 1.0)
    )
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    is_face = ((np.abs(a) < 1.25) & (y < 9.0) & (y > -10.3)).ravel()
    on_face = np.clip(np.stack([0.5 + a / 3.2, 0.5 + y / 24], -1).reshape(-1, 2), 0, 1)
    uv = on_face.copy()
    uv[~is_face, 0] = 1.5 + (a / 6.5).reshape(-1)[~is_face]
    return vertices, np.clip(uv, 0, 2), on_face, is_face


def _eyeball(center: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = 12, 16
    p, a = np.meshgrid(
        np.linspace(0, np.pi, rows), np.linspace(2 * np.pi, 0, columns), indexing="ij"
    )
    ball = np.stack([np.sin(p) * np.cos(a), np.cos(p), np.sin(p) * np.sin(a)], -1).reshape(-1, 3)
    return center + radius * ball, grid_triangles(rows, columns)


def procedural_head() -> MorphableModel:
    """A head of about 7,000 vertices with 8 identity and 3 expression directions."""
    skull, uv, on_face, is_face = _skull()
    order = np.concatenate([np.flatnonzero(is_face), np.flatnonzero(~is_face)])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    grid = rank[grid_triangles(ROWS, COLUMNS)]
    vertices, texture = [skull[order]], [uv[order]]
    triangles, parts = [grid], {"face_narrow": slice(0, int(is_face.sum()))}
    parts["head_and_neck"] = slice(int(is_face.sum()), len(order))
    start = len(order)
    for name, side in (("eyeball_left", 1), ("eyeball_right", -1)):
        ball, faces = _eyeball(np.array([3.1 * side, 3.2, 6.6]), 1.25)
        vertices.append(ball)
        texture.append(np.full((len(ball), 2), 0.5))
        triangles.append(faces + start)
        parts[name] = slice(start, start + len(ball))
        start += len(ball)
    points = np.concatenate(vertices).astype(np.float32)
    faces = np.concatenate(triangles).astype(np.int32)
    # A triangle with one corner on the face and another off it would lie over all that is between.
    corner_on_face = faces < parts["face_narrow"].stop
    corners = corner_on_face.sum(1, keepdims=True)
    uv_triangles = faces + np.int32(start) * ((corners > 0) & (corners < 3))
    texture.append(on_face[order])
    return MorphableModel(
        vertices=points,
        triangles=faces,
        uv=np.concatenate(texture).astype(np.float32),
        uv_triangles=uv_triangles,
        identity=_identity(points),
        expression=_expression(points),
        expression_names=("jawOpen", "mouthSmile_L", "mouthSmile_R"),
        landmarks68=_landmarks(points[parts["face_narrow"]]),
        parts=parts,
    )


def procedural_sculpted(head: MorphableModel) -> SculptedHeads:
    """Another head of formulas on the vertices of `head`, a little wider, with 17 targets."""
    points = head.vertices * np.array([1.04, 0.97, 1.02], np.float32)
    targets = {
        f"{origin}-{gender}-{years}": 0.3 * mode
        for origin, at in zip(ORIGINS, (0, 2, 4), strict=True)
        for gender, mode in zip(("female", "male"), head.identity[at : at + 2], strict=True)
        for years in ("young", "old")
    }
    x, y, z = points.T
    front = (z > 0).astype(np.float32)
    still = 0 * x
    nose = np.stack([still, still, 0.8 * front * _bump(x, y, 0, 1.2, 1.0, 1.6)], -1)
    targets |= {"nose-hump-decr": -nose, "nose-hump-incr": nose}
    for name, side in (("l", 1), ("r", -1)):
        cheek = 0.6 * front * _bump(x, y, 3.5 * side, -1, 2, 2)
        targets[f"{name}-cheek-volume-incr"] = np.stack([cheek * side, still, cheek], -1)
    targets["head-round"] = np.stack([0.05 * x, still, still], -1)
    return SculptedHeads(points, np.stack(list(targets.values())), tuple(targets))


def _identity(points: np.ndarray) -> np.ndarray:
    """(8,V,3): smooth waves over the head, centimeters at weight 1."""
    rng = np.random.default_rng(1)
    modes = []
    for k in range(NUM_IDENTITY):
        wave = np.sin(points @ rng.normal(0, 0.12 + 0.05 * k, 3) + rng.uniform(0, 6.3))
        modes.append(wave[:, None] * rng.normal(0, 0.45 / (1 + 0.3 * k), 3))
    return np.stack(modes).astype(np.float32)


def _expression(points: np.ndarray) -> np.ndarray:
    """(3,V,3): jaw down, mouth corners out and up on each side."""
    x, y, z = points.T
    front = (z > 0).astype(np.float32)
    jaw = np.clip((-y - 2.5) / 4, 0, 1) * front
    modes = [np.stack([0 * x, -1.5 * jaw, -0.4 * jaw], -1)]
    for side in (1, -1):
        corner = _bump(x, y, 2.4 * side, -3.2, 1.6, 1.6) * front
        modes.append(np.stack([0.6 * side * corner, 0.6 * corner, -0.2 * corner], -1))
    return np.stack(modes).astype(np.float32)


def _landmarks(face: np.ndarray) -> np.ndarray:
    """(68,) nearest face vertex to a schematic Multi-PIE layout (x, y) [cm]."""
    t = np.linspace(-1, 1, 17)
    jaw = np.column_stack([6.0 * np.sin(t * np.pi / 2), 1 - 9.5 * np.cos(t * np.pi / 2)])
    brow = [(x, 4.9 - 0.05 * (abs(x) - 3) ** 2) for x in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)]
    nose = [(0, y) for y in (3.2, 2.2, 1.2, 0.2)] + [(x, -0.8) for x in (-1.2, -0.6, 0, 0.6, 1.2)]
    ring = [(-1.4, 0), (-0.6, 0.5), (0.6, 0.5), (1.4, 0), (0.6, -0.5), (-0.6, -0.5)]
    eyes = [(-3.1 + dx, 3.2 + dy) for dx, dy in ring] + [(3.1 + dx, 3.2 + dy) for dx, dy in ring]
    turn = np.linspace(np.pi, -np.pi, 13)[:-1]
    lips = np.column_stack([2.4 * np.cos(turn), -3.2 + 0.9 * np.sin(turn)])
    turn = np.linspace(np.pi, -np.pi, 9)[:-1]
    inner = np.column_stack([1.8 * np.cos(turn), -3.2 + 0.3 * np.sin(turn)])
    schematic = np.concatenate([jaw, brow, nose, eyes, lips, inner])
    distance = ((face[None, :, :2] - schematic[:, None]) ** 2).sum(-1)
    return distance.argmin(1).astype(np.int32)
