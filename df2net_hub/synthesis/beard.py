"""Beards that stand off the face: hairs that grow from where a beard grows, and a shell below."""

import numpy as np

from df2net_hub.synthesis.appearance import HeadFields
from df2net_hub.synthesis.hair import Occluder
from df2net_hub.synthesis.morphable import MorphableModel
from df2net_hub.synthesis.overlay import FaceHair
from df2net_hub.synthesis.raster import interpolate
from df2net_hub.synthesis.strands import ribbons, scatter

HAIRS = 2200


def beard(
    rng: np.random.Generator,
    model: MorphableModel,
    fields: HeadFields,
    shape: np.ndarray,
    normals: np.ndarray,
    face_hair: FaceHair,
) -> list[Occluder]:
    """Shell and hairs of a long beard on the head `shape` (V,3); nothing if it is short."""
    if not face_hair.long:
        return []
    marks = model.vertices[model.landmarks68]
    unit = (marks[45, 0] - marks[36, 0]) / 9.0
    sheet, use = model.skin, model.skin.vertices
    mean = model.vertices[use]
    x, y, _ = mean.T
    mouth = marks[48:60].mean(0)
    middle = np.clip((3.0 - np.abs(x) / unit) * 1.6, 0, 1)
    above = np.clip((y - mouth[1]) / unit * 2 + 0.6, 0, 1)
    chin = np.clip((marks[57, 1] - y) / unit * 2.5 + 0.4, 0, 1)
    where = {
        "full": np.ones_like(x),
        "goatee": middle,
        "moustache": middle * above,
        "chin": chin * np.clip((2.6 - np.abs(x) / unit) * 1.6, 0, 1),
    }[face_hair.beard_style]
    # Beside the ears only stubble is painted: a shell there would look like a strap.
    field = fields.beard[use] * where
    field = field * np.clip((marks[33, 1] - 0.3 * unit - y) / unit + 0.5, 0, 1)
    length = float(np.exp(rng.normal(-0.2, 0.5))) * unit
    corners, weights = scatter(rng, sheet.triangles, sheet.areas, field, 0.45, 0.0, HAIRS)
    if not len(corners):
        return []
    skin, upright = shape[use], normals[use]
    root, out, here = (interpolate(values, corners, weights) for values in (skin, upright, mean))
    low = np.clip((mouth[1] - here[:, 1]) / (4 * unit), 0, 1)  # longest at the chin
    size = length * (0.35 + 0.9 * low) * rng.uniform(0.6, 1.2, HAIRS)
    aside = np.sign(here[:, 0]) * 0.5 * (low < 0.2)
    heading = 0.45 * out + np.stack([aside, -np.ones(HAIRS), 0.25 * np.ones(HAIRS)], -1)
    heading += rng.normal(0, 0.16, (HAIRS, 3))
    heading /= np.linalg.norm(heading, axis=1, keepdims=True)
    t = np.linspace(0, 1, 4)[None, :, None]
    sag = np.array([0, -0.35, -0.15]) * t**2  # tips lie closer than the hairs start
    paths = root[:, None] + size[:, None, None] * (heading[:, None] * t + sag)
    facing = np.broadcast_to(out[:, None], paths.shape)
    points, triangles, strand = ribbons(rng, paths, facing, 0.085 * unit)
    hairs = Occluder(points, triangles, np.full(len(points), 9, np.float32), strand, gloss=0.3)
    thick = 0.25 * length * np.clip(field * 1.6 - 0.5, 0, 1)
    shell = Occluder(
        (skin + upright * thick[:, None]).astype(np.float32),
        sheet.triangles[(field > 0.05)[sheet.triangles[:, 0]]],
        ((field - 0.62) * 3).astype(np.float32),
        np.stack([x * 24, y * 5], -1).astype(np.float32),
        gloss=0.2,
    )
    return [shell, hairs]
