"""Hair that hangs before the face: strands come to lie before it, on the sides that are drawn."""

import numpy as np
import pytest

from df2net_hub.synthesis.appearance import head_fields, procedural_assets
from df2net_hub.synthesis.curtains import hang_before_face
from df2net_hub.synthesis.hair import hair
from df2net_hub.synthesis.procedural import procedural_head
from df2net_hub.synthesis.raster import vertex_normals

MODEL = procedural_head()
HEAD = MODEL.vertices
FIELDS = head_fields(MODEL)
NORMALS = vertex_normals(HEAD, MODEL.triangles)
NOISE = procedural_assets().noise
FACE = HEAD[MODEL.parts["face_narrow"]]
HALF = np.abs(FACE[:, 0]).max()
FRONT = HEAD[MODEL.landmarks68[[0, 16]], 2].mean() + 4
CHIN, BROW = HEAD[MODEL.landmarks68[8], 1], HEAD[MODEL.landmarks68[17:27], 1].max()


def strands(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Straight strands from the front of the scalp down to the chest, before and after."""
    rng = np.random.default_rng(0)
    roots = np.stack(
        [rng.uniform(-0.8 * HALF, 0.8 * HALF, 400), np.full(400, BROW + 6), np.full(400, FRONT)], -1
    )
    down = np.linspace(0, BROW + 6 - CHIN + 4, 12)[:, None] * [0, -1, 0]
    paths = roots[:, None] + down
    return paths, hang_before_face(np.random.default_rng(seed), paths, HEAD, MODEL)


def drawn() -> list[np.ndarray]:
    """Of forty people, those whose hair hangs before the face."""
    return [hung for paths, hung in map(strands, range(40)) if not np.array_equal(paths, hung)]


def test_more_than_a_third_of_the_people_wear_it_and_the_others_are_as_they_were() -> None:
    assert 14 <= len(drawn()) <= 34


def test_it_leaves_the_middle_of_the_face_free_and_lies_before_the_cheeks() -> None:
    paths, _ = strands(0)
    for hung in drawn():
        moved = (hung[:, -1] != paths[:, -1]).any(-1)
        x, y, z = np.moveaxis(hung[moved], -1, 0)
        eyes = (y < BROW) & (y > CHIN)
        assert (np.abs(x[eyes]) > 0.34 * HALF).all()
        assert (np.abs(x[eyes]) < 1.13 * HALF).all()
        near = (
            np.abs(FACE[None, :, :2] - np.stack([x[eyes], y[eyes]], -1)[::50, None]).max(-1) < 0.3
        )
        gaps = [
            strand_z - FACE[own, 2].mean()
            for own, strand_z in zip(near, z[eyes][::50], strict=True)
            if own.any()
        ]
        assert min(gaps) > -0.4 and np.median(gaps) > 0.3  # the sides of a face are steep


def test_some_wear_it_on_one_side() -> None:
    paths, _ = strands(0)
    sides = set()
    for hung in drawn():
        tips = hung[(hung[:, -1] != paths[:, -1]).any(-1), -1, 0]
        sides.add((bool((tips < 0).any()), bool((tips > 0).any())))
    assert sides == {(True, True), (True, False), (False, True)}


def test_roots_stay_where_they_grow() -> None:
    paths, _ = strands(0)
    assert all(np.array_equal(hung[:, 0], paths[:, 0]) for hung in drawn())


@pytest.mark.parametrize("style", ["long", "short"])
def test_only_long_hair_hangs_before_the_face(style: str) -> None:
    def grown(seed: int | None) -> np.ndarray:
        curtains = None if seed is None else np.random.default_rng(seed)
        rng = np.random.default_rng(3)
        return hair(rng, MODEL, FIELDS, HEAD, NORMALS, style, 0.0, NOISE, curtains)[1].vertices

    changed = [not np.array_equal(grown(None), grown(seed)) for seed in range(6)]
    assert any(changed) == (style == "long")
