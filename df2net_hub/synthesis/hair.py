"""Hair as shells over the head, long hair as a curtain, glasses as ribbons: what hides a face."""

from dataclasses import dataclass

import numpy as np

from df2net_hub.synthesis.appearance import HeadFields, noise_at
from df2net_hub.synthesis.morphable import SKIN_PARTS, MorphableModel


@dataclass(frozen=True)
class Occluder:
    """A surface around the head, in the head's own frame [cm].

    Attributes:
        vertices: (V,3). triangles: (T,3) int32.
        keep: (V,) cut-out field: a pixel counts where it is above a noisy threshold around 0.
        strand: (V,2) coordinates for the strand texture.
        gloss: strength of the specular reflection.
        hides: whether what lies behind it leaves the mask; False for glasses and lashes.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    keep: np.ndarray
    strand: np.ndarray
    gloss: float = 0.6
    hides: bool = True


def hair_shell(
    model: MorphableModel,
    fields: HeadFields,
    shape: np.ndarray,
    normals: np.ndarray,
    rng: np.random.Generator,
    noise: np.ndarray,
) -> Occluder:
    """The head's own skin pushed outward above a random hairline."""
    use = model.triangle_flags(SKIN_PARTS)
    y = model.vertices[:, 1]
    side = np.sign(model.vertices[:, 0]) * rng.choice([-1, 1])
    hairline = np.interp(
        fields.azimuth,
        [0.0, 0.35, 0.75, 1.05, 1.35, 1.8, np.pi],
        np.array([8.6, 8.4, 6.6, 2.5, -0.5, 1.0, -6.0])
        + rng.normal(0, [0.9, 0.8, 0.8, 1.2, 1.5, 0.6, 2.0])
        + (rng.random() < 0.3) * np.array([-2.2, -2.0, -1.2, 0, 0, 0, 0]) * rng.uniform(0.3, 1.2),
    )
    hairline += rng.normal(0, 0.7) * side * (fields.azimuth < 0.9)
    wave = noise_at(noise[0], fields.azimuth * 40 + rng.uniform(0, 256), y * 6)
    above = y - hairline + 0.5 * wave
    full = np.exp(rng.normal(-0.1, 0.7))  # cm on top
    lump = 1 + 0.3 * noise_at(noise[1], model.vertices[:, 0] * 8 + rng.uniform(0, 256), y * 8)
    thickness = np.clip(full * np.clip(above / 2.5, 0.12, 1) * lump, 0.08, 6)
    lift = np.stack([0 * y, 0.4 * thickness * np.clip(y / 12, 0, 1), 0 * y], -1)
    skin = model.vertex_flags(SKIN_PARTS)
    return Occluder(
        vertices=(shape + normals * thickness[:, None] + lift).astype(np.float32),
        triangles=model.triangles[use],
        keep=np.where(skin, above, -9).astype(np.float32),
        strand=np.stack([fields.azimuth * side * 60, y * 5], -1).astype(np.float32),
    )


def hair_curtain(rng: np.random.Generator, noise: np.ndarray, head_width: float) -> Occluder:
    """Long hair: a wavy sheet around the sides and the back, from the crown down."""
    columns, rows = 96, 40
    opening = rng.uniform(0.75, 1.25)  # rad on each side of the face that stay free
    angle = np.linspace(opening, 2 * np.pi - opening, columns)
    down = np.linspace(0, 1, rows)
    length = rng.uniform(10, 26)
    a, t = np.meshgrid(angle, down)
    wave = noise_at(noise[1], (a * 30 + rng.uniform(0, 256)).ravel(), (t * 30).ravel()).reshape(
        a.shape
    )
    radius = head_width + rng.uniform(0.3, 1.6) + t * rng.uniform(-1, 3) + 0.35 * wave
    radius *= np.sin(np.clip(t * 4 + 0.35, 0, 1) * np.pi / 2)
    vertices = np.stack(
        [radius * np.sin(a), 12.5 - t * length - 1.5 * (t < 0.1), 0.5 + 1.15 * radius * np.cos(a)],
        -1,
    )
    edge = np.minimum(a - opening, 2 * np.pi - opening - a) * 6
    keep = np.minimum(edge, (1 - t) * 8)
    index = np.arange(columns * rows).reshape(rows, columns)
    quad = [index[:-1, :-1], index[1:, :-1], index[:-1, 1:], index[1:, 1:]]
    triangles = np.concatenate(
        [np.stack([quad[0], quad[1], quad[2]], -1), np.stack([quad[2], quad[1], quad[3]], -1)]
    ).reshape(-1, 3)
    return Occluder(
        vertices.reshape(-1, 3).astype(np.float32),
        triangles.astype(np.int32),
        keep.ravel().astype(np.float32),
        np.stack([a.ravel() * 60, t.ravel() * 60], -1).astype(np.float32),
    )


def glasses(landmarks: np.ndarray, rng: np.random.Generator) -> Occluder:
    """Rims, bridge and temples as ribbons in front of the eyes; `landmarks` (68,3) of this head."""
    around = np.linspace(0, 2 * np.pi, 41)
    width, height = rng.uniform(2.1, 3.0), rng.uniform(1.4, 2.4)
    power = rng.uniform(0.55, 1.0)  # 1 is an ellipse, less is squarer
    thick = rng.uniform(0.1, 0.45)
    front = landmarks[36:48, 2].max() + rng.uniform(0.6, 1.4)
    strips = []
    for eye, side in ((slice(36, 42), -1), (slice(42, 48), 1)):
        cx, cy, _ = landmarks[eye].mean(0) + [side * 0.2, -0.3, 0]
        cos, sin = np.cos(around), np.sin(around)
        ring = np.stack(
            [np.sign(cos) * np.abs(cos) ** power, np.sign(sin) * np.abs(sin) ** power], -1
        )
        for_edge = []
        for grow in (0, thick):
            xy = ring * [width + grow, height + grow] + [cx, cy]
            bow = -0.05 * (xy[:, 0] ** 2) * 0.6
            for_edge.append(np.column_stack([xy, front + bow]))
        strips.append(np.stack(for_edge, 1))
        hinge = np.array(
            [cx + side * (width + thick), cy + 0.5, front - 0.03 * (cx + side * width) ** 2]
        )
        ear = np.array([side * 7.8, cy + 0.6, -1.0])
        temple = np.linspace(hinge, ear, 12)
        strips.append(np.stack([temple, temple + [0, 0.35, 0]], 1))
    inner = landmarks[39:43:3].mean(0)
    bridge = np.linspace([-1.2, inner[1] + 0.3, front], [1.2, inner[1] + 0.3, front], 8)
    strips.append(np.stack([bridge, bridge + [0, 0.3, 0]], 1))
    vertices, triangles, start = [], [], 0
    for strip in strips:
        n = len(strip)
        i = start + 2 * np.arange(n - 1)
        triangles += [np.stack([i, i + 1, i + 2], -1), np.stack([i + 2, i + 1, i + 3], -1)]
        vertices.append(strip.reshape(-1, 3))
        start += 2 * n
    points = np.concatenate(vertices).astype(np.float32)
    return Occluder(
        points,
        np.concatenate(triangles).astype(np.int32),
        np.full(len(points), 9, np.float32),
        np.zeros((len(points), 2), np.float32),
        hides=False,
    )
