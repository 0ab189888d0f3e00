"""Glasses: rims of many shapes, temples, bridge, now and then dark lenses.

They leave the mask of the face whole, dark lenses too: who takes a picture of somebody in
sunglasses wants a face without holes, and eyes that are guessed are better than none.
"""

import numpy as np

from df2net_hub.synthesis.appearance import to_linear
from df2net_hub.synthesis.hair import Occluder

SUNGLASSES_SHARE = 0.2
FRAMES = to_linear(
    np.array(
        [[20, 18, 18], [70, 40, 22], [120, 116, 110], [150, 120, 70], [60, 20, 24], [30, 40, 70]]
    )
    / 255
)


def glasses(rng: np.random.Generator, landmarks: np.ndarray) -> list[tuple[Occluder, np.ndarray]]:
    """Frame, and dark lenses if drawn, with their linear colors; `landmarks` (68,3) [cm]."""
    unit = (landmarks[45, 0] - landmarks[36, 0]) / 9.0
    around = np.linspace(0, 2 * np.pi, 41)
    width = rng.uniform(1.95, 2.35) * unit
    height = width * rng.uniform(0.65, 0.95)
    power = rng.uniform(0.5, 1.0)  # 1 is an ellipse, less is squarer
    thick = rng.choice([rng.uniform(0.06, 0.14), rng.uniform(0.2, 0.42)]) * unit
    front = landmarks[36:48, 2].max() + rng.uniform(1.1, 1.6) * unit
    drop = rng.uniform(0.1, 0.7) * unit
    sunglasses = rng.random() < SUNGLASSES_SHARE
    cos, sin = np.cos(around), np.sin(around)
    ring = np.stack([np.sign(cos) * np.abs(cos) ** power, np.sign(sin) * np.abs(sin) ** power], -1)
    strips, lenses = [], []
    for eye, side in ((slice(36, 42), -1), (slice(42, 48), 1)):
        cx, cy, _ = landmarks[eye].mean(0) + [side * 0.25 * unit, -drop, 0]
        edges = []
        for grow in (0.0, thick):
            xy = ring * [width + grow, height + grow] + [cx, cy]
            edges.append(np.column_stack([xy, front - 0.02 * xy[:, 0] ** 2]))
        strips.append(np.stack(edges, 1))
        middle = np.broadcast_to([cx, cy, front - 0.02 * cx**2], edges[0].shape)
        lenses.append(np.stack([middle, edges[0]], 1))
        hinge_x = cx + side * (width + thick)
        hinge = np.array([hinge_x, cy + 0.35 * height, front - 0.02 * hinge_x**2])
        ear = landmarks[0 if side < 0 else 16] + [side * 0.5 * unit, 0.4 * unit, -3.0 * unit]
        temple = np.linspace(hinge, ear, 12)
        strips.append(np.stack([temple, temple + [0, 0.12 + 0.9 * thick, 0]], 1))
    inner = landmarks[36:48, 0].mean() + np.array([-1.0, 1.0]) * unit
    y = landmarks[36:48, 1].mean() - drop + 0.25 * height
    t = np.linspace(0, 1, 8)[:, None]
    bridge = np.concatenate(
        [inner[0] + (inner[1] - inner[0]) * t, y + 0.3 * np.sin(np.pi * t), 0 * t + front], 1
    )
    strips.append(np.stack([bridge, bridge + [0, 0.1 + 0.8 * thick, 0]], 1))
    color = FRAMES[rng.integers(len(FRAMES))] * np.exp(rng.normal(0, 0.2))
    found = [(_strips(strips, gloss=1.5), color)]
    if sunglasses:
        found.append((_strips(lenses, gloss=3.0), np.full(3, 0.01)))
    return found


def _strips(strips: list[np.ndarray], gloss: float) -> Occluder:
    """Ribbons (n,2,3) as one surface."""
    vertices, triangles, start = [], [], 0
    for strip in strips:
        i = start + 2 * np.arange(len(strip) - 1)
        triangles += [np.stack([i, i + 1, i + 2], -1), np.stack([i + 2, i + 1, i + 3], -1)]
        vertices.append(strip.reshape(-1, 3))
        start += 2 * len(strip)
    points = np.concatenate(vertices).astype(np.float32)
    return Occluder(
        points,
        np.concatenate(triangles).astype(np.int32),
        np.full(len(points), 9, np.float32),
        np.zeros((len(points), 2), np.float32),
        gloss=gloss,
        hides=False,
    )
