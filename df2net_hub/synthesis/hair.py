"""Hair: a shell close to the scalp and strands that grow from it, in the shapes people wear."""

from dataclasses import dataclass

import numpy as np

from df2net_hub.synthesis.appearance import HeadFields, noise_at
from df2net_hub.synthesis.curtains import hang_before_face
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.raster import interpolate
from df2net_hub.synthesis.strands import Skull, Strands, grow, ribbons, scatter


@dataclass(frozen=True)
class Occluder:
    """A surface around the head, in the head's own frame [cm].

    Attributes:
        vertices: (V,3). triangles: (T,3) int32.
        keep: (V,) cut-out field: a pixel counts where it is above a noisy threshold around 0.
        strand: (V,2) coordinates for the strand texture.
        gloss: strength of its specular reflection.
        hides: whether what lies behind it leaves the mask of the face.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    keep: np.ndarray
    strand: np.ndarray
    gloss: float = 0.6
    hides: bool = True


HAIR_GLOSS = 0.25
# Style -> strands, direction in which they are combed, hairs on the head, thickness of the shell
# [cm]. "part" combs away from a line along the head.
_Style = tuple[Strands | None, str, int, float]
STYLES: dict[str, _Style] = {
    "bald": (None, "down", 0, 0.0),
    "buzz": (Strands(0.35, 2, 0.0, 0, 0, 0.3, 0.05, 0.07), "down", 1500, 0.12),
    "short": (Strands(2.4, 4, 0.8, 0, 0, 0.22, 0.35, 0.11), "part", 2800, 0.45),
    "back": (Strands(4.5, 5, 0.9, 0, 0, 0.12, 0.5, 0.13), "back", 2400, 0.8),
    "side_part": (Strands(4.5, 5, 1.0, 0, 0, 0.12, 0.5, 0.14), "part", 2400, 0.7),
    "spiky": (Strands(1.7, 4, 0.5, 0, 0, 0.30, 0.6, 0.075), "up", 3200, 0.75),
    "fringe": (Strands(6.0, 5, 0.7, 0, 0, 0.10, 0.5, 0.15), "forward", 2300, 0.6),
    "bob": (Strands(13.0, 7, 2.5, 0.0, 0, 0.10, 0.8, 0.17), "part", 2500, 0.8),
    "curly": (Strands(4.0, 8, 0.6, 0.40, 1.9, 0.5, 0.9, 0.11), "part", 2400, 1.2),
    "afro": (Strands(2.3, 6, 0.2, 0.30, 1.9, 0.6, 1.4, 0.12), "up", 2700, 1.8),
    "long": (Strands(24.0, 8, 3.0, 0.0, 0, 0.09, 0.9, 0.17), "part", 2500, 0.8),
    "wavy": (Strands(21.0, 12, 2.5, 0.45, 2.2, 0.16, 1.1, 0.18), "part", 2000, 0.9),
    "tied": (Strands(9.0, 7, 0.0, 0, 0, 0.06, 0.15, 0.16, lies=0.8), "back", 2000, 0.45),
}
SHORT = ("bald", "buzz", "short", "back", "side_part", "spiky", "fringe", "curly", "afro")
LONG = ("bob", "long", "wavy", "tied", "fringe", "curly", "back", "afro")


def sample_style(rng: np.random.Generator, age: float, masculine: float) -> str:
    """One of STYLES; long hair is rare on men, bald heads on women."""
    if rng.random() < masculine:
        odds = np.array([0.08 + 0.16 * age, 0.1, 0.2, 0.15, 0.2, 0.07, 0.06, 0.06, 0.05])
        return str(rng.choice(SHORT, p=odds / odds.sum()))
    return str(rng.choice(LONG, p=[0.22, 0.24, 0.17, 0.13, 0.08, 0.07, 0.05, 0.04]))


def hairline(
    rng: np.random.Generator,
    fields: HeadFields,
    style: str,
    receding: float,
    use: np.ndarray | slice = slice(None),
) -> np.ndarray:
    """(N,) height of the vertices `use` above a random hairline [cm], on the mean head."""
    x, y, _ = fields.canonical[use].T
    azimuth = fields.azimuth[use]
    height = np.array([9.0, 8.8, 7.2, 3.0, 0.6, 1.5, -6.0]) + rng.normal(
        0, [0.5, 0.5, 0.6, 0.9, 0.9, 0.5, 1.5]
    )
    # A bald man's ring: low at the sides, open on top.
    bald = np.array([19.0, 19.0, 14.0, 6.0, 0.5, 1.0, -6.0])
    temples = np.array([0.3, 1.2, 2.2, 1.2, 0.0, 0.0, 0.0])
    height = bald if style == "bald" else height + receding * 1.6 * temples
    line = np.interp(azimuth, [0.0, 0.3, 0.7, 1.1, 1.4, 1.8, np.pi], height)
    line += rng.normal(0, 0.4) * np.sign(x) * (azimuth < 0.9)
    above = y - line
    if style == "bald":
        ring = 8.5 + rng.normal(0, 0.8) - np.where(azimuth < 1.0, 4.0, 0)
        above = np.minimum(above, ring - y)
    return above


def hair(
    rng: np.random.Generator,
    model: MorphableModel,
    fields: HeadFields,
    shape: np.ndarray,
    normals: np.ndarray,
    style: str,
    receding: float,
    noise: np.ndarray,
    curtains: np.random.Generator | None = None,
) -> list[Occluder]:
    """Hair of `style` on the head `shape` (V,3) with unit `normals`: its shell and its strands.

    `receding` is 0 for a low hairline to 1 for a high one. `curtains` draws which long hair hangs
    before the face; without it, none does.
    """
    kind, comb, count, thickness = STYLES[style]
    sheet, use = model.skin, model.skin.vertices
    mean = model.vertices[use]
    above = hairline(rng, fields, style, receding, use)
    lump = noise_at(noise[1], mean[:, 0] * 7 + np.float32(rng.uniform(0, 256)), mean[:, 1] * 7)
    above = (above + 0.25 * lump).astype(np.float32)
    full = float(np.exp(rng.normal(0, 0.25)))
    thick = 0.06 + thickness * full * np.clip(above / 2.5, 0.0, 1) * (1 + 0.15 * lump)
    around = np.copysign(fields.azimuth[use] * 60, mean[:, 0])
    shell = Occluder(
        vertices=(shape[use] + normals[use] * thick[:, None]).astype(np.float32),
        triangles=sheet.triangles,
        keep=above * np.float32(1.2) - np.float32(0.25),
        strand=np.stack([around, above * 2], -1).astype(np.float32),
        gloss=HAIR_GLOSS,
    )
    grown = kind if kind else Strands(0.7, 2, 0.3, 0, 0, 0.3, 0.1, 0.12)
    corners, weights = scatter(
        rng, sheet.triangles, sheet.areas, above, 0.1, 1.5, count if kind else 1400
    )
    roots, out, here = (
        interpolate(values, corners, weights) for values in (shell.vertices, normals[use], mean)
    )
    scalp = shape[use[above > 0.5]]
    skull = _skull(scalp if len(scalp) > 50 else shape[use])
    directions = _combed(rng, comb, here, out)
    paths = grow(rng, roots, directions, skull, grown)
    if style in ("long", "wavy", "bob"):
        paths = _off_the_face(paths, shape, model)
        if curtains is not None:
            paths = hang_before_face(curtains, paths, shape, model)
    points, triangles, strand = ribbons(rng, paths, skull.outward(paths), grown.width)
    keep = np.full(len(points), 9, np.float32)
    return [shell, Occluder(points, triangles, keep, strand, gloss=HAIR_GLOSS)]


def _skull(points: np.ndarray) -> Skull:
    low, high = points.min(0), points.max(0)
    center = (low + high) / 2
    center[1] = high[1] - 0.5 * (high[2] - low[2]) * 0.95
    radii = (high - low) / 2
    radii[1] = high[1] - center[1]
    return Skull(center, np.maximum(radii, 3.0))


def _combed(rng: np.random.Generator, comb: str, here: np.ndarray, out: np.ndarray) -> np.ndarray:
    """(N,3) unit directions of strands whose roots lie at `here` on the mean head."""
    x, y, z = here.T
    lift = 0.08
    if comb == "forward":
        toward = np.stack([0.25 * x / 8, -0.35 * np.ones_like(y), np.where(z > -2, 1, 0.0)], -1)
    elif comb == "back":
        toward = np.stack([0.15 * x / 8, np.where(z > 2, 0.35, -0.2), -np.ones_like(z)], -1)
        lift = 0.12
    elif comb == "up":
        toward, lift = np.zeros_like(here), 1.0
    elif comb == "part":
        line = rng.choice([0.0, rng.uniform(2.0, 4.5) * rng.choice([-1, 1])], p=[0.3, 0.7])
        side = np.where(x > line, 1.0, -1.0)
        toward = np.stack([side, -0.15 - 0.6 * (np.abs(x) > 6), np.where(z > 3, 0.1, -0.4)], -1)
    else:
        toward = np.stack([0 * x, -np.ones_like(y), 0 * z], -1)
    tangent = toward - (toward * out).sum(1, keepdims=True) * out
    direction = (
        tangent / np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 0.3) + lift * out
    )
    return direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-6)


def _off_the_face(paths: np.ndarray, shape: np.ndarray, model: MorphableModel) -> np.ndarray:
    """Long strands that would hang before the face or through the neck lie beside them."""
    width = float(np.abs(shape[model.parts["face_narrow"], 0]).max())
    brow = shape[model.landmarks68[17:27], 1].max()
    x, y, z = np.moveaxis(paths, -1, 0)
    low = np.clip((brow + 2.5 - y) / 4, 0, 1)
    wanted = width * (0.92 + 0.1 * low) + 0.4
    side = np.where(paths[:, :1, 0] >= 0, 1.0, -1.0)
    front = np.clip((z + 1.0) / 2.5, 0, 1) * low
    aside = np.maximum(side * x, wanted) * side
    x = x + front * (aside - x)
    back = np.minimum(z, shape[model.landmarks68[[0, 16]], 2].mean() + 3.5)
    z = z + front * (back - z)
    return np.stack([x, y, z], -1)
