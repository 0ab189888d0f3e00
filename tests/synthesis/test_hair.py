"""Hair: strands grow from the scalp, stay outside the skull and leave the face free."""

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import head_fields, procedural_assets
from df2net_hub.synthesis.hair import LONG, SHORT, STYLES, hair, hairline, sample_style
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.raster import vertex_normals
from df2net_hub.synthesis.strands import Skull, Strands, grow, ribbons

MODEL = procedural_head()
FIELDS = head_fields(MODEL)
NORMALS = vertex_normals(MODEL.vertices, MODEL.triangles)
NOISE = procedural_assets().noise


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_a_sound_mesh_that_hides_what_lies_behind(style: str) -> None:
    rng = np.random.default_rng(0)
    for part in hair(rng, MODEL, FIELDS, MODEL.vertices, NORMALS, style, 0.3, NOISE):
        assert np.isfinite(part.vertices).all() and part.hides
        assert len(part.vertices) == len(part.keep) == len(part.strand)
        assert part.triangles.size == 0 or part.triangles.max() < len(part.vertices)


def test_long_hair_reaches_below_the_chin_and_short_hair_does_not() -> None:
    chin = MODEL.vertices[MODEL.landmarks68[8], 1]
    lowest = {}
    for style in ("short", "long"):
        rng = np.random.default_rng(1)
        _, strands = hair(rng, MODEL, FIELDS, MODEL.vertices, NORMALS, style, 0.0, NOISE)
        lowest[style] = strands.vertices[:, 1].min()
    assert lowest["long"] < chin - 2 < lowest["short"]


def test_a_receding_hairline_is_higher_at_the_temples() -> None:
    low, high = (
        hairline(np.random.default_rng(2), FIELDS, "short", receding) for receding in (0.0, 1.0)
    )
    temple = (FIELDS.azimuth > 0.5) & (FIELDS.azimuth < 0.9)
    assert (low[temple] - high[temple]).mean() > 1.5


def test_strands_stay_outside_the_skull_and_have_their_length() -> None:
    rng = np.random.default_rng(3)
    skull = Skull(np.zeros(3), np.array([8.0, 10.0, 9.0]))
    roots = skull.outward(rng.normal(0, 1, (50, 3))) * [8, 10, 9]
    roots /= np.linalg.norm(roots / skull.radii, axis=1, keepdims=True)
    kind = Strands(6.0, 6, 1.0, 0.0, 0.0, 0.0, 0.5, 0.1)
    paths = grow(rng, roots, np.tile([0.0, -1.0, 0.0], (50, 1)), skull, kind)
    assert (np.linalg.norm(paths[:, 1:] / skull.radii, axis=-1) >= 1).all()
    assert paths.shape == (50, 7, 3)


def test_a_ribbon_is_as_wide_as_asked_at_its_root_and_thin_at_its_tip() -> None:
    paths = np.stack([np.zeros(5), -np.arange(5.0), np.zeros(5)], -1)[None]
    outward = np.broadcast_to([0, 0, 1.0], paths.shape)
    points, triangles, _ = ribbons(np.random.default_rng(0), paths, outward, 0.2)
    width = np.linalg.norm(points[1::2] - points[::2], axis=1)
    assert 0.12 - 1e-6 <= width[0] <= 0.28 + 1e-6 and width[-1] < 0.1 * width[0]
    assert len(triangles) == 8


def test_men_wear_mostly_short_hair_and_women_mostly_long() -> None:
    rng = np.random.default_rng(4)
    assert all(sample_style(rng, 0.5, 1.0) in SHORT for _ in range(50))
    assert all(sample_style(rng, 0.5, 0.0) in LONG for _ in range(50))
