"""Heads with colors of their own and no eyeballs, as Basel's, go the whole way to a pair."""

from dataclasses import replace

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import procedural_assets
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.recipe import SynthesisRecipe
from df2net_hub.synthesis.sampling import HeadSampler

GREEN = np.float32([0.1, 0.5, 0.1])


def sampler(spread: float | None) -> HeadSampler:
    head = procedural_head()
    parts = {name: part for name, part in head.parts.items() if "eyeball" not in name}
    modes = None if spread is None else np.full((1, len(head.vertices), 3), spread, np.float32)
    colored = replace(
        head, parts=parts, colors=np.tile(GREEN, (len(head.vertices), 1)), color_modes=modes
    )
    bare = ("tones", "hair", "beard", "brows", "overlay", "glasses", "occluders", "eyes")
    return HeadSampler(colored, procedural_assets(), SynthesisRecipe(without=bare))


def face_color(heads: HeadSampler, index: int) -> np.ndarray:
    """Median linear albedo over the mask."""
    pair = heads.pair(0, index, 64)
    assert np.isfinite(pair.depth[pair.mask]).all()
    return np.median(pair.albedo[pair.mask] / 255, axis=0) ** 2.2


def test_the_skin_has_the_colors_of_the_vertices():
    assert face_color(sampler(None), 0) == pytest.approx(GREEN, abs=0.03)


def test_modes_of_color_make_people_differ():
    heads = sampler(0.03)
    colors = np.array([face_color(heads, index) for index in range(4)])
    assert np.ptp(colors[:, 1]) > 0.02
